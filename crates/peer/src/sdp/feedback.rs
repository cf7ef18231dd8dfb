//! `a=rtcp-fb:*`, written out.

use super::Description;

/// Writes every `a=rtcp-fb:*` line out for each payload type of its m-line, retransmission
/// payload types excluded.
///
/// Conferencing Nodes answer with the wildcard (RFC 4585 §4.2), which webrtc loses: every feedback
/// list would come out empty, and with it NACK, PLI and congestion control. A text that is not SDP
/// comes back as it was.
pub fn expand_wildcard_feedback(sdp: &str) -> String {
    let Ok(mut description) = Description::parse(sdp) else {
        return sdp.to_owned();
    };
    for section in &mut description.media {
        let payload_types: Vec<u8> = section
            .rtp_maps()
            .into_iter()
            .filter(|map| !map.name.eq_ignore_ascii_case("rtx"))
            .map(|map| map.payload_type)
            .collect();
        let mut lines = Vec::with_capacity(section.lines.len());
        for line in &section.lines {
            let Some(feedback) = line.strip_prefix("a=rtcp-fb:* ") else {
                if !lines.contains(line) || !line.starts_with("a=rtcp-fb:") {
                    lines.push(line.clone());
                }
                continue;
            };
            for payload_type in &payload_types {
                let written = format!("a=rtcp-fb:{payload_type} {feedback}");
                if !lines.contains(&written) {
                    lines.push(written);
                }
            }
        }
        section.lines = lines;
    }
    description.to_string()
}
