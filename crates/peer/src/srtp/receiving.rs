//! Taking protection off what comes in, once for each packet.

use rtc::crypto::{CryptoError, RTCCrypto};

use super::{
    Master, Window,
    cipher::{Cipher, ENCRYPTED, Purpose},
    nearest,
};

/// Sources whose numbers are remembered; only who has the keys can begin one. The oldest goes.
const MAX_SOURCES: usize = 32;

/// Takes protection off packets of any number of sources.
pub(crate) struct Receiving {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_sources: Vec<(u32, Window)>,
    rtcp_sources: Vec<(u32, Window)>,
}

impl Receiving {
    pub(crate) fn new(master: &Master, crypto: &dyn RTCCrypto) -> Result<Self, CryptoError> {
        Ok(Self {
            rtp: Cipher::new(master, Purpose::Rtp, crypto)?,
            rtcp: Cipher::new(master, Purpose::Rtcp, crypto)?,
            rtp_sources: Vec::new(),
            rtcp_sources: Vec::new(),
        })
    }

    /// Takes the protection off an RTP packet in place. Returns its sequence number extended by its
    /// cycles, and how long it is without; `None` if it is not from the far end, or was there before.
    pub(crate) fn rtp(
        &mut self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        sequence_number: u16,
    ) -> Option<(u64, usize)> {
        let known = self
            .rtp_sources
            .iter()
            .position(|(known, _)| *known == ssrc);
        let window = known.map(|at| &self.rtp_sources[at].1);
        let index = nearest(window.and_then(Window::highest), sequence_number);
        if window.is_some_and(|window| !window.is_new(index)) {
            return None;
        }
        let length = self.rtp.open_rtp(packet, header, (ssrc, index))?;
        mark(&mut self.rtp_sources, known, ssrc, index);
        Some((index, length))
    }

    /// Takes the protection off an RTCP packet in place; returns how long it is without.
    pub(crate) fn rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let ssrc = u32::from_be_bytes(packet.get(4..8)?.try_into().ok()?);
        let trailer = self.rtcp.trailer(packet)?;
        // Nobody here leaves RTCP readable.
        if trailer & ENCRYPTED == 0 {
            return None;
        }
        let index = u64::from(trailer & !ENCRYPTED);
        let known = self
            .rtcp_sources
            .iter()
            .position(|(known, _)| *known == ssrc);
        if known.is_some_and(|at| !self.rtcp_sources[at].1.is_new(index)) {
            return None;
        }
        let length = self.rtcp.open_rtcp(packet, ssrc, trailer)?;
        mark(&mut self.rtcp_sources, known, ssrc, index);
        Some(length)
    }
}

fn mark(sources: &mut Vec<(u32, Window)>, known: Option<usize>, ssrc: u32, index: u64) {
    let at = known.unwrap_or_else(|| {
        if sources.len() == MAX_SOURCES {
            sources.remove(0);
        }
        sources.push((ssrc, Window::default()));
        sources.len() - 1
    });
    sources[at].1.mark(index);
}
