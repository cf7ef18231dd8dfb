//! The two ciphers we negotiate, each for RTP or for RTCP of one direction.

use rtc::crypto::{
    AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoError, HmacAlgorithm, Mac, RTCCrypto,
    SecretVec, StreamCipher, StreamCipherAlgorithm, constant_time_eq,
};

use super::{Master, Profile};

/// Labels of key derivation (RFC 3711 §4.3.2); those of SRTCP are three further on.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALT: u8 = 2;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

const GCM_TAG: usize = 16;
/// 80 bits, for RTCP too.
const SHA1_TAG: usize = 10;

/// A cipher with its session keys.
pub(super) enum Cipher {
    Gcm {
        aead: Box<dyn AeadCipher>,
        salt: [u8; 12],
    },
    CounterMode {
        stream: Box<dyn StreamCipher>,
        mac: Box<dyn Mac>,
        salt: [u8; 14],
    },
}

impl Cipher {
    /// Derives the session keys of `master`.
    pub(super) fn new(
        master: &Master,
        purpose: Purpose,
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, CryptoError> {
        let derive = |label: u8, length: usize| {
            let offset = match purpose {
                Purpose::Rtp => 0,
                Purpose::Rtcp => 3,
            };
            derive(master, label + offset, length, crypto)
        };
        let key = derive(ENCRYPTION, 16)?;
        let salt = derive(SALT, 14)?;
        let salt = salt.as_ref();
        Ok(match master.profile {
            Profile::AeadAes128Gcm => Self::Gcm {
                aead: crypto.new_aead(AeadAlgorithm::Aes128Gcm, key.as_ref())?,
                salt: std::array::from_fn(|at| salt[at]),
            },
            Profile::Aes128CmHmacSha1 => Self::CounterMode {
                stream: crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, key.as_ref())?,
                mac: crypto.new_hmac(HmacAlgorithm::Sha1, derive(AUTHENTICATION, 20)?.as_ref())?,
                salt: std::array::from_fn(|at| salt[at]),
            },
        })
    }

    /// How many bytes a packet grows by, an index of SRTCP aside.
    pub(super) fn tag_length(&self) -> usize {
        match self {
            Self::Gcm { .. } => GCM_TAG,
            Self::CounterMode { .. } => SHA1_TAG,
        }
    }

    /// Protects what follows the header of an RTP packet, the last in `bytes` from `start` on.
    pub(super) fn seal_rtp(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
        header: usize,
        (ssrc, index): (u32, u64),
    ) -> Result<(), CryptoError> {
        match self {
            Self::Gcm { aead, salt } => {
                let (head, payload) = bytes[start..].split_at_mut(header);
                let mut tag = [0; GCM_TAG];
                aead.seal_in_place(&rtp_nonce(salt, ssrc, index), head, payload, &mut tag)?;
                bytes.extend_from_slice(&tag);
            }
            Self::CounterMode { stream, mac, salt } => {
                let iv = counter(salt, ssrc, index);
                stream.apply_keystream(&iv, &mut bytes[start + header..])?;
                let tag = sha1(mac.as_mut(), &bytes[start..], &rollover(index))?;
                bytes.extend_from_slice(&tag[..SHA1_TAG]);
            }
        }
        Ok(())
    }

    /// Takes the protection off an RTP packet; returns how long it is without.
    pub(super) fn open_rtp(
        &mut self,
        packet: &mut [u8],
        header: usize,
        (ssrc, index): (u32, u64),
    ) -> Option<usize> {
        let end = packet.len().checked_sub(self.tag_length())?;
        if end < header {
            return None;
        }
        let (packet, tag) = packet.split_at_mut(end);
        match self {
            Self::Gcm { aead, salt } => {
                let (head, payload) = packet.split_at_mut(header);
                aead.open_in_place(&rtp_nonce(salt, ssrc, index), head, payload, tag)
                    .ok()?;
            }
            Self::CounterMode { stream, mac, salt } => {
                let expected = sha1(mac.as_mut(), packet, &rollover(index)).ok()?;
                if !constant_time_eq(&expected[..SHA1_TAG], tag) {
                    return None;
                }
                let iv = counter(salt, ssrc, index);
                stream.apply_keystream(&iv, &mut packet[header..]).ok()?;
            }
        }
        Some(end)
    }

    /// Protects a compound RTCP packet, the last in `bytes` from `start` on (RFC 3711 §3.4,
    /// RFC 7714 §9); `trailer` is its index with the flag of encryption.
    pub(super) fn seal_rtcp(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
        ssrc: u32,
        trailer: u32,
    ) -> Result<(), CryptoError> {
        let trailer_bytes = trailer.to_be_bytes();
        match self {
            Self::Gcm { aead, salt } => {
                let (head, payload) = bytes[start..].split_at_mut(RTCP_HEAD);
                let aad = associated(head, &trailer_bytes);
                let mut tag = [0; GCM_TAG];
                aead.seal_in_place(&rtcp_nonce(salt, ssrc, trailer), &aad, payload, &mut tag)?;
                bytes.extend_from_slice(&tag);
                bytes.extend_from_slice(&trailer_bytes);
            }
            Self::CounterMode { stream, mac, salt } => {
                let iv = counter(salt, ssrc, u64::from(trailer & !ENCRYPTED));
                stream.apply_keystream(&iv, &mut bytes[start + RTCP_HEAD..])?;
                bytes.extend_from_slice(&trailer_bytes);
                let tag = sha1(mac.as_mut(), &bytes[start..], &[])?;
                bytes.extend_from_slice(&tag[..SHA1_TAG]);
            }
        }
        Ok(())
    }

    /// The index of a protected RTCP packet with its flag; `None` if it is too short for one.
    pub(super) fn trailer(&self, packet: &[u8]) -> Option<u32> {
        let (behind, tag) = match self {
            Self::Gcm { .. } => (0, GCM_TAG),
            Self::CounterMode { .. } => (SHA1_TAG, 0),
        };
        let end = packet.len().checked_sub(behind)?;
        let at = end.checked_sub(4)?;
        let index = packet.get(at..end)?.try_into().ok()?;
        (at >= RTCP_HEAD + tag).then_some(u32::from_be_bytes(index))
    }

    /// Takes the protection off an RTCP packet that has a trailer; returns how long it is without.
    pub(super) fn open_rtcp(
        &mut self,
        packet: &mut [u8],
        ssrc: u32,
        trailer: u32,
    ) -> Option<usize> {
        match self {
            Self::Gcm { aead, salt } => {
                let end = packet.len().checked_sub(GCM_TAG + 4)?;
                let (plain, rest) = packet.split_at_mut(end);
                let (head, payload) = plain.split_at_mut_checked(RTCP_HEAD)?;
                let (tag, trailer_bytes) = rest.split_at(GCM_TAG);
                let aad = associated(head, trailer_bytes.try_into().ok()?);
                aead.open_in_place(&rtcp_nonce(salt, ssrc, trailer), &aad, payload, tag)
                    .ok()?;
                Some(end)
            }
            Self::CounterMode { stream, mac, salt } => {
                let end = packet.len().checked_sub(SHA1_TAG)?;
                let (protected, tag) = packet.split_at_mut(end);
                let expected = sha1(mac.as_mut(), protected, &[]).ok()?;
                if !constant_time_eq(&expected[..SHA1_TAG], tag) {
                    return None;
                }
                let end = end.checked_sub(4)?;
                let payload = protected.get_mut(RTCP_HEAD..end)?;
                let iv = counter(salt, ssrc, u64::from(trailer & !ENCRYPTED));
                stream.apply_keystream(&iv, payload).ok()?;
                Some(end)
            }
        }
    }
}

/// The first word and the sender's SSRC, which stay readable.
const RTCP_HEAD: usize = 8;
/// The flag in front of an index of SRTCP.
pub(super) const ENCRYPTED: u32 = 1 << 31;

/// RFC 3711 §4.3.1, with a derivation rate of zero.
fn derive(
    master: &Master,
    label: u8,
    length: usize,
    crypto: &dyn RTCCrypto,
) -> Result<SecretVec, CryptoError> {
    let mut input = [0; 16];
    input[..14].copy_from_slice(&master.salt);
    input[7] ^= label;
    let mut derived = Vec::with_capacity(length.next_multiple_of(16));
    for block in 0..length.div_ceil(16) {
        input[15] = block as u8;
        let mut output = input;
        crypto.block_encrypt(BlockCipherAlgorithm::Aes128, &master.key, &mut output)?;
        derived.extend_from_slice(&output);
    }
    derived.truncate(length);
    Ok(SecretVec::new(derived))
}

/// RFC 7714 §8.1.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let mut nonce = *salt;
    mask(&mut nonce[2..6], &ssrc.to_be_bytes());
    mask(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    nonce
}

/// RFC 7714 §9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, trailer: u32) -> [u8; 12] {
    let mut nonce = *salt;
    mask(&mut nonce[2..6], &ssrc.to_be_bytes());
    mask(&mut nonce[8..12], &(trailer & !ENCRYPTED).to_be_bytes());
    nonce
}

/// RFC 3711 §4.1.1.
fn counter(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(salt);
    mask(&mut counter[4..8], &ssrc.to_be_bytes());
    mask(&mut counter[8..14], &index.to_be_bytes()[2..]);
    counter
}

fn mask(bytes: &mut [u8], with: &[u8]) {
    for (byte, with) in bytes.iter_mut().zip(with) {
        *byte ^= with;
    }
}

fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn associated(head: &[u8], trailer: &[u8; 4]) -> [u8; RTCP_HEAD + 4] {
    let mut data = [0; RTCP_HEAD + 4];
    data[..RTCP_HEAD].copy_from_slice(head);
    data[RTCP_HEAD..].copy_from_slice(trailer);
    data
}

fn sha1(mac: &mut dyn Mac, packet: &[u8], behind: &[u8]) -> Result<[u8; 20], CryptoError> {
    let mut tag = [0; 20];
    mac.sign(&[packet, behind], &mut tag)?;
    Ok(tag)
}
