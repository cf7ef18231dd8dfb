//! Format parameters (`a=fmtp`): what our codecs say, and what must be said of them.

use media::Codec;

/// H.264 as browsers and nodes agree on it: constrained baseline, level 3.1 at least, fragments and
/// aggregates (RFC 6184 §8.1).
const H264: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

/// The level of [`H264`], in tenths.
const H264_LEVEL: u8 = 31;

/// Returns the parameters of a codec in our offers, and on both sides of webrtc, so that it finds
/// them equal; empty for none.
pub(crate) fn offered(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "minptime=10;useinbandfec=1",
        Codec::Vp9 => "profile-id=0",
        Codec::H264 => H264,
        _ => "",
    }
}

/// Returns the parameters in a node's answer to an offer that has `parameters`; empty for none.
pub(crate) fn answered(codec: Codec, parameters: Option<&str>) -> String {
    match codec {
        Codec::Opus => "useinbandfec=1;stereo=0".into(),
        Codec::Vp8 | Codec::Vp9 => "max-fs=8160;max-fr=30".into(),
        Codec::H264 => {
            let is_asymmetric = value(parameters, "level-asymmetry-allowed") == Some("1");
            let theirs = value(parameters, "profile-level-id").and_then(profile_level);
            // One level for both directions then, which is the lower one (RFC 6184 §8.2.2).
            match theirs {
                Some([_, _, level]) if !is_asymmetric && level < H264_LEVEL => {
                    format!("packetization-mode=1;profile-level-id=42e0{level:02x}")
                }
                _ => H264.into(),
            }
        }
        _ => String::new(),
    }
}

/// Finds what keeps a payload type of `codec` with these parameters from being ours; `Ok` if nothing.
///
/// An answer is held to less than an offer, where another payload type may be the better one: what
/// we send as constrained baseline can be decoded as baseline.
pub(crate) fn check(codec: Codec, parameters: Option<&str>, is_answer: bool) -> Result<(), String> {
    let is_profile_0 = |name| match value(parameters, name) {
        None | Some("0") => Ok(()),
        Some(profile) => Err(format!("{codec} profile {profile}, and we have profile 0")),
    };
    match codec {
        Codec::Vp9 => is_profile_0("profile-id"),
        Codec::Av1 => is_profile_0("profile"),
        Codec::H264 => {
            // Without it there is no word of fragments (RFC 6184 §6.2), which every key frame needs.
            let mode = value(parameters, "packetization-mode").unwrap_or("0");
            if mode != "1" {
                return Err(format!("H264 in packetization mode {mode}, and ours is 1"));
            }
            // Where it is missing, browsers take constrained baseline for meant.
            let Some(id) = value(parameters, "profile-level-id") else {
                return Ok(());
            };
            let profile = profile_level(id);
            let is_ours = profile.is_some_and(|[profile, constraints, _]| {
                is_constrained_baseline(profile, constraints) || is_answer && profile == 0x42
            });
            if is_ours {
                Ok(())
            } else {
                Err(format!(
                    "H264 profile {id}, and ours is constrained baseline (42e0…)"
                ))
            }
        }
        _ => Ok(()),
    }
}

/// The forms in which constrained baseline is written (RFC 6184 §8.1, table 5).
fn is_constrained_baseline(profile: u8, constraints: u8) -> bool {
    let (bits, mask) = match profile {
        0x42 => (0x40, 0x4f),
        0x4d => (0x80, 0x8f),
        0x58 => (0xc0, 0xcf),
        _ => return false,
    };
    constraints & mask == bits
}

/// Reads `profile-level-id`: profile, constraints, level.
fn profile_level(id: &str) -> Option<[u8; 3]> {
    (id.len() == 6).then_some(())?;
    let number = u32::from_str_radix(id, 16).ok()?;
    let [_, profile, constraints, level] = number.to_be_bytes();
    Some([profile, constraints, level])
}

/// Returns the value of a parameter; names are compared without regard to case.
fn value<'a>(parameters: Option<&'a str>, name: &str) -> Option<&'a str> {
    parameters?.split(';').find_map(|parameter| {
        let (key, value) = parameter.trim().split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(parameters: &str, is_answer: bool) -> bool {
        check(Codec::H264, Some(parameters), is_answer).is_ok()
    }

    #[test]
    fn constrained_baseline_is_known_in_all_its_forms() {
        for id in ["42e01f", "42C01E", "424028", "4d801f", "58c00a"] {
            assert!(
                h264(
                    &format!("packetization-mode=1; profile-level-id={id}"),
                    false
                ),
                "{id}"
            );
        }
        for id in ["42001f", "4d001f", "640c1f", "420", "zzzzzz", "+42e01"] {
            assert!(
                !h264(
                    &format!("packetization-mode=1;profile-level-id={id}"),
                    false
                ),
                "{id}"
            );
        }
        assert!(h264("packetization-mode=1", false));
        // A node that answers so decodes what we send.
        assert!(h264("profile-level-id=42801f;packetization-mode=1", true));
        assert!(!h264("profile-level-id=4d001f;packetization-mode=1", true));
    }

    #[test]
    fn h264_without_fragments_is_not_ours() {
        assert!(!h264("profile-level-id=42e01f", false));
        assert!(!h264("profile-level-id=42e01f;packetization-mode=0", true));
        assert!(check(Codec::H264, None, true).is_err());
    }

    #[test]
    fn other_profiles_of_vp9_and_av1_are_not_ours() {
        for (codec, parameters, is_ours) in [
            (Codec::Vp9, None, true),
            (Codec::Vp9, Some("profile-id=0"), true),
            (Codec::Vp9, Some("max-fr=30;profile-id=2"), false),
            (Codec::Av1, Some("level-idx=5;profile=0;tier=0"), true),
            (Codec::Av1, Some("level-idx=5;profile=1;tier=0"), false),
            (Codec::Vp8, Some("max-fs=8160"), true),
        ] {
            assert_eq!(
                check(codec, parameters, false).is_ok(),
                is_ours,
                "{parameters:?}"
            );
        }
    }

    #[test]
    fn an_answer_keeps_to_the_lower_level_where_both_must_be_one() {
        let answer = |offer| answered(Codec::H264, Some(offer));
        let asymmetric = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e00d";
        assert!(answer(asymmetric).ends_with("42e01f"));
        assert!(answer("packetization-mode=1;profile-level-id=42e00d").ends_with("42e00d"));
        assert!(answer("packetization-mode=1;profile-level-id=42e034").ends_with("42e01f"));
    }
}
