//! Our offers, as the far end is to see them.

use media::Kind;

use super::Description;
use crate::Direction;

/// Shapes webrtc's offer: the directions are the configured ones (webrtc always says sendrecv),
/// sources stand only where we send, and the RTCP component, multiplexed away, is not named.
pub(crate) fn present_offer(offer: &str, offered: &[(Kind, Direction)]) -> Result<String, String> {
    let mut description = Description::parse(offer)?;
    for (section, (_, direction)) in description.media.iter_mut().zip(offered) {
        section.lines.retain(|line| {
            let source = line.starts_with("a=ssrc") || line.starts_with("a=msid");
            let second_component = line
                .strip_prefix("a=candidate:")
                .is_some_and(|candidate| candidate.split_whitespace().nth(1) == Some("2"));
            !second_component && (direction.sends() || !source)
        });
        for line in &mut section.lines {
            if line == "a=sendrecv" {
                *line = format!("a={}", direction.name());
            }
        }
    }
    Ok(description.to_string())
}
