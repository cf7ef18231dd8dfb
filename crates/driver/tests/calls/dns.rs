//! A name server on loopback that knows a handful of records.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

const A: u16 = 1;
const SRV: u16 = 33;

/// What the server knows; everything else does not exist.
#[derive(Clone, Default)]
pub(crate) struct Zone {
    /// Name and address.
    pub(crate) hosts: Vec<(&'static str, Ipv4Addr)>,
    /// Name, priority, weight, port and target.
    pub(crate) services: Vec<(&'static str, u16, u16, u16, &'static str)>,
}

impl Zone {
    /// Serves this zone until the test ends.
    pub(crate) async fn serve(self) -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                let answer = self.answer(&query[..length]);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    fn answer(&self, query: &[u8]) -> Vec<u8> {
        let mut end = 12;
        let mut name = String::new();
        while query[end] != 0 {
            let label = &query[end + 1..=end + usize::from(query[end])];
            name += std::str::from_utf8(label).unwrap();
            name.push('.');
            end += 1 + usize::from(query[end]);
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let kind = u16::from_be_bytes([query[end + 1], query[end + 2]]);
        let question = &query[12..end + 5];

        let mut records = Vec::new();
        for (_, address) in self.hosts.iter().filter(|host| kind == A && host.0 == name) {
            records.push(address.octets().to_vec());
        }
        for (service, priority, weight, port, target) in &self.services {
            if kind == SRV && *service == name {
                let mut data = Vec::new();
                for number in [priority, weight, port] {
                    data.extend(number.to_be_bytes());
                }
                for label in target.split('.').filter(|label| !label.is_empty()) {
                    data.push(label.len() as u8);
                    data.extend(label.as_bytes());
                }
                data.push(0);
                records.push(data);
            }
        }
        let known = self.hosts.iter().any(|host| host.0 == name) || !records.is_empty();
        let code = if known { 0 } else { 3 };
        let mut answer = query[..2].to_vec();
        answer.extend([0x85, 0x80 | code, 0, 1]);
        answer.extend((records.len() as u16).to_be_bytes());
        answer.extend([0, 0, 0, 0]);
        answer.extend(question);
        for data in records {
            // The name of the question, its kind, IN, a minute.
            answer.extend([0xc0, 12]);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 60]);
            answer.extend((data.len() as u16).to_be_bytes());
            answer.extend(data);
        }
        answer
    }
}
