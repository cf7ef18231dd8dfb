//! DTLS kept back until somebody lets it pass.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// How many datagrams wait; a flight of DTLS has fewer, and it is repeated anyway.
const CAPACITY: usize = 16;

/// Holds DTLS datagrams of one socket (first byte 20 to 63, RFC 7983 §7) while it is shut.
#[derive(Debug)]
pub(crate) struct DtlsGate {
    open: AtomicBool,
    held: Mutex<Vec<(SocketAddr, Vec<u8>)>>,
}

impl DtlsGate {
    /// A gate that is open, or shut.
    pub(crate) fn new(open: bool) -> Self {
        Self {
            open: AtomicBool::new(open),
            held: Mutex::default(),
        }
    }

    /// Takes the datagram if it must wait. The newest are kept.
    pub(crate) fn holds(&self, destination: SocketAddr, datagram: &[u8]) -> bool {
        if self.open.load(Ordering::Acquire) || !matches!(datagram.first(), Some(20..=63)) {
            return false;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.load(Ordering::Acquire) {
            return false;
        }
        if held.len() == CAPACITY {
            held.remove(0);
        }
        held.push((destination, datagram.to_vec()));
        true
    }

    /// Opens the gate and hands out what was held.
    pub(crate) fn open(&self) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.open.store(true, Ordering::Release);
        std::mem::take(&mut held)
    }
}
