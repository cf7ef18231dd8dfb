//! ICE lite: binding requests are answered (RFC 8445 §2.5).

use std::net::SocketAddr;

use rtc::{
    crypto::RTCCrypto,
    stun::{
        attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME},
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_REQUEST, BINDING_SUCCESS, Message},
        xoraddr::XorMappedAddress,
    },
};

/// A binding request as far as it matters here.
pub(super) struct Check {
    /// Our own part of the user name.
    pub(super) ufrag: String,
    /// Whether it nominates.
    pub(super) nominates: bool,
    request: Message,
}

impl Check {
    /// Reads a datagram; `None` if it is something else.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        let mut request = Message::new();
        request.unmarshal_binary(datagram).ok()?;
        if request.typ != BINDING_REQUEST {
            return None;
        }
        let name = String::from_utf8(request.get(ATTR_USERNAME).ok()?).ok()?;
        Some(Self {
            ufrag: name.split(':').next().unwrap_or("").to_owned(),
            nominates: request.contains(ATTR_USE_CANDIDATE),
            request,
        })
    }

    /// The response to who sent it.
    pub(super) fn response(
        &self,
        from: SocketAddr,
        password: &str,
        crypto: &dyn RTCCrypto,
    ) -> Option<Vec<u8>> {
        let mut response = Message::new();
        let integrity =
            MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto);
        response
            .build(&[
                Box::new(self.request.transaction_id),
                Box::new(BINDING_SUCCESS),
                Box::new(XorMappedAddress {
                    ip: from.ip(),
                    port: from.port(),
                }),
                Box::new(integrity),
                Box::new(FINGERPRINT),
            ])
            .ok()?;
        Some(response.raw)
    }
}
