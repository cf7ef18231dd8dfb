//! Protecting what goes out.

use rtc::crypto::{CryptoError, RTCCrypto};

use super::{
    Master,
    cipher::{Cipher, ENCRYPTED, Purpose},
};

/// Protects packets of any number of sources; their numbers are the caller's.
pub(crate) struct Sending {
    rtp: Cipher,
    rtcp: Cipher,
    /// Of the last RTCP packet; one count for all sources, so that none is used twice.
    rtcp_index: u32,
}

impl Sending {
    pub(crate) fn new(master: &Master, crypto: &dyn RTCCrypto) -> Result<Self, CryptoError> {
        Ok(Self {
            rtp: Cipher::new(master, Purpose::Rtp, crypto)?,
            rtcp: Cipher::new(master, Purpose::Rtcp, crypto)?,
            rtcp_index: 0,
        })
    }

    /// Protects the RTP packet that is the last in `bytes`, from `start` on, with a header of so
    /// many bytes. `index` is its sequence number extended by its cycles, used once alone.
    pub(crate) fn rtp(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
        header: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<(), CryptoError> {
        self.rtp.seal_rtp(bytes, start, header, (ssrc, index))
    }

    /// Protects the RTCP packet that is the last in `bytes`, from `start` on, sent by `ssrc`.
    pub(crate) fn rtcp(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
        ssrc: u32,
    ) -> Result<(), CryptoError> {
        // RFC 3711 §9.2: a key ends with its indexes; at ten a second, in seven years.
        self.rtcp_index += 1;
        if self.rtcp_index >= ENCRYPTED {
            return Err(CryptoError::Provider("no more index".into()));
        }
        self.rtcp
            .seal_rtcp(bytes, start, ssrc, self.rtcp_index | ENCRYPTED)
    }
}
