//! RTCP (RFC 3550 §6, RFC 4585, RFC 5104): what we read of it, and how it is written.

use rtc::{
    rtcp::{
        packet::Packet,
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
        },
        receiver_report::ReceiverReport,
        reception_report::ReceptionReport,
        sender_report::SenderReport,
        source_description::{
            SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
        },
        transport_feedbacks::transport_layer_nack::{
            TransportLayerNack, nack_pairs_from_sequence_numbers,
        },
    },
    shared::marshal::{Marshal, Unmarshal},
};

/// Reports of one packet (RFC 3550 §6.4.1: five bits).
pub(super) const MOST_REPORTS: usize = 31;

/// What means something to us.
#[derive(Debug)]
pub(super) enum Told<'a> {
    /// The sender's clock, with its reports.
    Clock {
        ssrc: u32,
        ntp: u64,
        rtp_timestamp: u32,
        reports: Vec<ReceptionReport>,
    },
    Reports(Vec<ReceptionReport>),
    /// A key frame is wanted of this source.
    KeyFrame(u32),
    /// So it is, by a request that is repeated under its number until it is fulfilled (RFC 5104 §4.3.1.2).
    FullIntra {
        sender: u32,
        ssrc: u32,
        number: u8,
    },
    /// What arrived under transport-wide numbers, as it was reported.
    Arrivals(&'a [u8]),
    /// The most bits a second that the far end wants of us.
    Bandwidth(u64),
    /// Packets of this source are wanted again.
    Again(u32, Vec<u16>),
}

/// Reads a compound packet whose protection is off. What is malformed, or nothing to us, is left out.
pub(super) fn read<'a>(mut compound: &'a [u8], mut take: impl FnMut(Told<'a>)) {
    while let [first, kind, a, b, ..] = *compound {
        let length = 4 * (usize::from(u16::from_be_bytes([a, b])) + 1);
        let Some((mut packet, rest)) = compound.split_at_checked(length) else {
            return;
        };
        compound = rest;
        match (kind, first & 0x1f) {
            (200, _) => {
                if let Ok(report) = SenderReport::unmarshal(&mut packet) {
                    take(Told::Clock {
                        ssrc: report.ssrc,
                        ntp: report.ntp_time,
                        rtp_timestamp: report.rtp_time,
                        reports: report.reports,
                    });
                }
            }
            (201, _) => {
                if let Ok(report) = ReceiverReport::unmarshal(&mut packet) {
                    take(Told::Reports(report.reports));
                }
            }
            (205, 1) => {
                if let Ok(nack) = TransportLayerNack::unmarshal(&mut packet) {
                    let numbers = nack.nacks.iter().flat_map(|pair| pair.packet_list());
                    take(Told::Again(nack.media_ssrc, numbers.collect()));
                }
            }
            (205, 15) => take(Told::Arrivals(packet)),
            (206, 15) => {
                if let Some(bits) = remb(packet) {
                    take(Told::Bandwidth(bits));
                }
            }
            (206, 1) => {
                if let Ok(request) = PictureLossIndication::unmarshal(&mut packet) {
                    take(Told::KeyFrame(request.media_ssrc));
                }
            }
            (206, 4) => {
                if let Ok(request) = FullIntraRequest::unmarshal(&mut packet) {
                    for entry in &request.fir {
                        take(Told::FullIntra {
                            sender: request.sender_ssrc,
                            ssrc: entry.ssrc,
                            number: entry.sequence_number,
                        });
                    }
                }
            }
            _ => {}
        }
    }
}

/// Reads the far end's estimate: 18 bits, shifted by six more (draft-alvestrand-rmcat-remb-03 §2.2).
fn remb(packet: &[u8]) -> Option<u64> {
    let (name, rest) = packet.get(12..)?.split_first_chunk::<4>()?;
    let &[_, shift, high, low] = rest.first_chunk()?;
    if name != b"REMB" {
        return None;
    }
    let bits = u64::from(shift & 3) << 16 | u64::from(high) << 8 | u64::from(low);
    Some(bits.saturating_mul(1 << (shift >> 2)))
}

/// Appends a report of what a source has sent, and of what this side receives.
pub(super) fn sender_report(
    bytes: &mut Vec<u8>,
    ssrc: u32,
    (ntp, rtp_timestamp): (u64, u32),
    (packets, octets): (u64, u64),
    reports: Vec<ReceptionReport>,
) {
    // The counts wrap around, as these fields do.
    write(
        bytes,
        &SenderReport {
            ssrc,
            ntp_time: ntp,
            rtp_time: rtp_timestamp,
            packet_count: packets as u32,
            octet_count: octets as u32,
            reports,
            ..Default::default()
        },
    );
}

/// Appends a report of what this side receives.
pub(super) fn receiver_report(bytes: &mut Vec<u8>, ssrc: u32, reports: Vec<ReceptionReport>) {
    write(
        bytes,
        &ReceiverReport {
            ssrc,
            reports,
            ..Default::default()
        },
    );
}

/// Appends who sources belong to, as every compound packet must say (RFC 3550 §6.1).
pub(super) fn source_description(
    bytes: &mut Vec<u8>,
    sources: impl Iterator<Item = u32>,
    cname: &str,
) {
    let chunks = sources.map(|source| SourceDescriptionChunk {
        source,
        items: vec![SourceDescriptionItem {
            sdes_type: SdesType::SdesCname,
            text: cname.to_owned().into(),
        }],
    });
    let chunks = chunks.collect();
    write(bytes, &SourceDescription { chunks });
}

/// Appends a request for packets to be sent again.
pub(super) fn nack(bytes: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32, numbers: &[u16]) {
    write(
        bytes,
        &TransportLayerNack {
            sender_ssrc,
            media_ssrc,
            nacks: nack_pairs_from_sequence_numbers(numbers),
        },
    );
}

/// Appends a request for a key frame.
pub(super) fn picture_loss(bytes: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32) {
    write(
        bytes,
        &PictureLossIndication {
            sender_ssrc,
            media_ssrc,
        },
    );
}

fn write(bytes: &mut Vec<u8>, packet: &impl Packet) {
    // What we make is well-formed; were it not, this one would be left out.
    if let Ok(written) = Marshal::marshal(packet) {
        bytes.extend_from_slice(&written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        let report = ReceptionReport {
            ssrc: 7,
            fraction_lost: 3,
            total_lost: 0xff_fffe,
            ..Default::default()
        };
        sender_report(&mut bytes, 1, (2, 3), (4, 5), vec![report.clone()]);
        source_description(&mut bytes, [1, 2].into_iter(), "name");
        receiver_report(&mut bytes, 1, vec![report.clone()]);
        nack(&mut bytes, 1, 7, &[10, 12, 65_535]);
        picture_loss(&mut bytes, 1, 8);
        let mut told = Vec::new();
        read(&bytes, |what| told.push(what));
        let [
            Told::Clock {
                ssrc: 1,
                ntp: 2,
                rtp_timestamp: 3,
                reports,
            },
            Told::Reports(received),
            Told::Again(7, numbers),
            Told::KeyFrame(8),
        ] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert_eq!(
            (&reports[..], &received[..]),
            (&[report.clone()][..], &[report][..])
        );
        assert_eq!(numbers[..], [10, 12, 65_535]);
    }

    #[test]
    fn an_estimate_of_the_far_end_is_read() {
        let mut packet = vec![0x8f, 206, 0, 5];
        packet.extend([0; 8]);
        packet.extend(*b"REMB");
        // 0x20000 shifted by two.
        packet.extend([1, 2 << 2 | 2, 0, 0, 0, 0, 0, 7]);
        let mut told = Vec::new();
        read(&packet, |what| told.push(format!("{what:?}")));
        assert_eq!(told, ["Bandwidth(524288)"]);
        // The control: the same under another name is something else.
        packet[12] = b'r';
        read(&packet, |what| panic!("{what:?}"));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for _ in 0..50_000 {
            let length = fastrand::usize(..100);
            let mut bytes: Vec<u8> = (0..length).map(|_| fastrand::u8(..)).collect();
            if let [first, kind, _, high, ..] = &mut bytes[..] {
                (*first, *kind, *high) = (0x80 | fastrand::u8(..8), fastrand::u8(200..207), 0);
            }
            if let Some(length) = bytes.get_mut(3) {
                *length = fastrand::u8(..20);
            }
            read(&bytes, |_| {});
        }
    }
}
