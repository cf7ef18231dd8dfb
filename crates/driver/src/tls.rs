//! Whom we believe to be the Conferencing Node.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;
use tracing::warn;

/// How the certificate of a Conferencing Node is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tls {
    /// By the certificate authorities of the system.
    #[default]
    SystemRoots,
    /// By the certificates of one PEM file, and no others.
    CaFile(PathBuf),
    /// Not at all. Anyone on the way can read and change everything, the PIN included.
    Insecure,
}

/// Why a [`Tls`] setting cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file could not be read, or is no PEM.
    #[error("cannot read the CA file {}: {source}; give a readable PEM file", path.display())]
    CaFile {
        /// The file as it was given.
        path: PathBuf,
        /// What reading it said.
        source: rustls_pki_types::pem::Error,
    },
    /// The file holds something else than certificates.
    #[error("the CA file {} holds no usable certificate; it must be PEM with `BEGIN CERTIFICATE`", path.display())]
    NoCertificate {
        /// The file as it was given.
        path: PathBuf,
    },
    /// The HTTP client refused its settings.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// A configuration for TLS, and whether it has anyone to believe at all.
pub(crate) struct Trust {
    pub(crate) config: ClientConfig,
    /// The same for TURN servers, without what is HTTP's.
    pub(crate) turn: Arc<ClientConfig>,
    /// True when the system has no certificate authorities, so that no node can be verified.
    pub(crate) rootless: bool,
}

/// Returns the client side of TLS that judges nodes as `tls` says.
pub(crate) fn trust(tls: &Tls) -> Result<Trust, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut rootless = false;
    let roots = match tls {
        Tls::SystemRoots => {
            let mut roots = RootCertStore::empty();
            // Single broken files among the system's are common and harmless.
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            rootless = roots.is_empty();
            roots
        }
        Tls::CaFile(path) => ca_file(path)?,
        Tls::Insecure => {
            warn!(
                "certificates of Conferencing Nodes are NOT verified: anyone on the way can read \
                 and change everything, the PIN included"
            );
            RootCertStore::empty()
        }
    };
    let mut config = builder(provider)
        .with_root_certificates(roots)
        .with_no_client_auth();
    if *tls == Tls::Insecure {
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(Anyone(algorithms)));
    }
    let turn = Arc::new(config.clone());
    // HTTP/1.1 alone: over HTTP/2 all callers of a process would share one connection, and the
    // node's limit of concurrent streams (commonly 100) would hold up the next event stream.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Trust {
        config,
        turn,
        rootless,
    })
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        // Invariant: the ring provider has cipher suites for TLS 1.2 and 1.3.
        .expect("ring offers suites for the default protocol versions")
}

fn ca_file(path: &Path) -> Result<RootCertStore, TlsError> {
    let failed = |source| TlsError::CaFile {
        path: path.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
        roots.add_parsable_certificates([certificate.map_err(failed)?]);
    }
    if roots.is_empty() {
        return Err(TlsError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(roots)
}

/// Believes everyone; signatures are still checked, so that a broken peer is still noticed.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
