//! UDP ports out of a range, for networks whose firewall opens no others.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr, UdpSocket},
    str::FromStr,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

/// The UDP ports that media may use, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why a text is no range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no range of ports: write FIRST-LAST such as 40000-40100, both from 1 to 65535, the lower first"
)]
pub struct PortRangeError;

impl PortRange {
    /// Returns how many ports it has.
    pub fn count(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    /// Returns whether `port` is one of them.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| PortRangeError);
        let (first, last) = (port(first)?, port(last)?);
        if first == 0 || last < first {
            return Err(PortRangeError);
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// What this process has taken: webrtc binds some time after a port was chosen for it, and a second
/// peer must not choose the same meanwhile.
static TAKEN: LazyLock<Mutex<HashSet<SocketAddr>>> = LazyLock::new(Mutex::default);

fn taken() -> MutexGuard<'static, HashSet<SocketAddr>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ports of this process's own until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation(Vec<SocketAddr>);

impl Reservation {
    /// Takes a port for each address; nothing where one of them has none left.
    pub(crate) fn take(addresses: &[IpAddr], range: PortRange) -> Option<Self> {
        let mut reserved = Self(Vec::new());
        for address in addresses {
            let mut taken = taken();
            // Begins anywhere, so that many processes do not all try the same first.
            let start = fastrand::usize(..range.count());
            let free = (0..range.count())
                .map(|step| range.first + ((start + step) % range.count()) as u16)
                .map(|port| SocketAddr::new(*address, port))
                // Another process may have it.
                .find(|socket| !taken.contains(socket) && UdpSocket::bind(socket).is_ok())?;
            taken.insert(free);
            reserved.0.push(free);
        }
        Some(reserved)
    }

    pub(crate) fn sockets(&self) -> &[SocketAddr] {
        &self.0
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut taken = taken();
        for socket in &self.0 {
            taken.remove(socket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_refused() {
        let range: PortRange = "40000-40100".parse().expect("a range");
        assert_eq!(
            (range.count(), range.to_string().as_str()),
            (101, "40000-40100")
        );
        assert!(range.contains(40100) && !range.contains(40101));
        assert_eq!("5004".parse::<PortRange>().map(PortRange::count), Ok(1));
        for text in ["", "0-9", "9-8", "1-65536", "a-b", "1-2-3", "-"] {
            assert_eq!(text.parse::<PortRange>(), Err(PortRangeError), "{text}");
        }
    }

    #[test]
    fn a_port_is_given_once_until_it_is_given_back() {
        let address = [IpAddr::from([127, 0, 0, 1])];
        let free = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let port = free.local_addr().expect("bound").port();
        let range: PortRange = port.to_string().parse().expect("a range");
        assert!(Reservation::take(&address, range).is_none(), "in use");
        drop(free);
        let first = Reservation::take(&address, range).expect("free");
        assert!(Reservation::take(&address, range).is_none(), "taken by us");
        drop(first);
        assert!(Reservation::take(&address, range).is_some());
    }
}
