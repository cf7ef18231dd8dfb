//! The node's certificate: made here, or read from files.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::NodeError;
use crate::settings::TlsIdentity;

/// A certificate ready to be served.
pub(crate) struct Identity {
    /// For the HTTPS server.
    pub(crate) config: Arc<ServerConfig>,
    /// The certificate in PEM form, for clients that are to trust it.
    pub(crate) certificate_pem: String,
    /// SHA-256 of the certificate, as `AB:CD:…`.
    pub(crate) fingerprint: String,
}

/// Reads or makes what `tls` asks for.
pub(crate) fn identity(tls: &TlsIdentity) -> Result<Identity, NodeError> {
    let (chain, key, certificate_pem) = match tls {
        TlsIdentity::SelfMade => self_made()?,
        TlsIdentity::Files { certificate, key } => from_files(certificate, key)?,
    };
    let Some(fingerprint) = chain.first().map(|leaf| fingerprint(leaf)) else {
        return Err(NodeError::Tls("there is no certificate".to_owned()));
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| {
            NodeError::Tls(format!("certificate and key do not work together: {error}"))
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Identity {
        config: Arc::new(config),
        certificate_pem,
        fingerprint,
    })
}

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, String);

fn self_made() -> Result<Chain, NodeError> {
    let made =
        |error: rcgen::Error| NodeError::Tls(format!("no certificate could be made: {error}"));
    let key = KeyPair::generate().map_err(made)?;
    let mut params = CertificateParams::new(own_names()).map_err(made)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "standin practice node");
    let certificate = params.self_signed(&key).map_err(made)?;
    let pem = certificate.pem();
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| {
        NodeError::Tls(format!("the key made for the certificate is odd: {error}"))
    })?;
    Ok((vec![certificate.der().clone()], key, pem))
}

fn from_files(certificate: &Path, key: &Path) -> Result<Chain, NodeError> {
    let failed = |path: &Path, why: String| NodeError::TlsFile {
        path: path.to_owned(),
        why,
    };
    let pem =
        fs::read_to_string(certificate).map_err(|error| failed(certificate, error.to_string()))?;
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(certificate, format!("not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(failed(
            certificate,
            "it holds no certificate; a PEM file is needed".to_owned(),
        ));
    }
    let key_pem = fs::read(key).map_err(|error| failed(key, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| {
        failed(
            key,
            "it holds no private key in PEM form, or an encrypted one".to_owned(),
        )
    })?;
    Ok((chain, key, pem))
}

/// What people may call this machine in a URL.
fn own_names() -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let name = name.trim();
        if name != "localhost"
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            && !name.is_empty()
        {
            names.push(name.to_owned());
        }
    }
    names.extend(
        own_addresses()
            .into_iter()
            .map(|address| address.to_string()),
    );
    names
}

/// The addresses this machine would speak from to the rest of the world. Connecting a UDP socket
/// sends nothing: the system only looks up its routes (192.0.2.0/24 and 2001:db8::/32 are for
/// documentation, RFC 5737 and RFC 3849).
fn own_addresses() -> Vec<IpAddr> {
    let towards = [
        (
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        ),
        (
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        ),
    ];
    towards
        .into_iter()
        .filter_map(|(from, to)| {
            let socket = UdpSocket::bind((from, 0)).ok()?;
            socket.connect((to, 9)).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .filter(|address| !address.is_unspecified() && !address.is_loopback())
        .collect()
}

/// SHA-256 in the notation of browsers and `openssl x509 -fingerprint`.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let Some(suite) = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13() else {
        return String::new();
    };
    let hash = suite.common.hash_provider.hash(certificate);
    let octets: Vec<String> = hash
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    octets.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_made_here_has_a_fingerprint_and_can_be_read_back_from_files() {
        let (_, key, pem) = self_made().expect("rcgen makes certificates");
        let folder = tempfile::tempdir().expect("a folder");
        let certificate_path = folder.path().join("node.pem");
        let key_path = folder.path().join("node.key");
        fs::write(&certificate_path, &pem).expect("written");
        let PrivateKeyDer::Pkcs8(key) = key else {
            panic!("rcgen writes PKCS #8")
        };
        let key = KeyPair::try_from(key.secret_pkcs8_der())
            .expect("a key")
            .serialize_pem();
        fs::write(&key_path, key).expect("written");

        let identity = identity(&TlsIdentity::Files {
            certificate: certificate_path,
            key: key_path,
        })
        .expect("both fit");

        assert_eq!(identity.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(identity.certificate_pem, pem);
    }

    #[test]
    fn a_missing_file_is_named() {
        let tls = TlsIdentity::Files {
            certificate: "/nowhere/node.pem".into(),
            key: "/nowhere/node.key".into(),
        };

        let error = identity(&tls).err().expect("there is no such file");

        assert!(error.to_string().contains("/nowhere/node.pem"), "{error}");
    }
}
