//! A session description taken apart into its lines.

use std::fmt;

use crate::Direction;

/// More than any real description needs; it bounds what a stranger can make us hold.
const MAX_BYTES: usize = 256 * 1024;
const MAX_MEDIA: usize = 64;

/// A session description: the session's lines, then one [`Section`] an m-line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) session: Vec<String>,
    pub(crate) media: Vec<Section>,
}

/// One m-line and the lines below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Section {
    pub(crate) kind: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
    pub(crate) formats: Vec<String>,
    pub(crate) lines: Vec<String>,
}

/// One `a=rtpmap` (RFC 8866 §6.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RtpMap<'a> {
    pub(crate) payload_type: u8,
    pub(crate) name: &'a str,
    pub(crate) clock_rate: u32,
}

impl Description {
    /// Reads `text`; the error says what is wrong in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("{} bytes, more than {MAX_BYTES}", text.len()));
        }
        let mut lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
        if lines.next() != Some("v=0") {
            return Err("it does not begin with v=0".into());
        }
        let mut description = Self {
            session: vec!["v=0".into()],
            media: Vec::new(),
        };
        for line in lines {
            let bytes = line.as_bytes();
            if bytes.len() < 2 || !bytes[0].is_ascii_lowercase() || bytes[1] != b'=' {
                return Err(format!("not a line of SDP: {line:?}"));
            }
            if let Some(media) = line.strip_prefix("m=") {
                description.media.push(Section::parse(media)?);
            } else if let Some(section) = description.media.last_mut() {
                section.lines.push(line.to_owned());
            } else {
                description.session.push(line.to_owned());
            }
        }
        match description.media.len() {
            0 => Err("it has no m-line".into()),
            n if n > MAX_MEDIA => Err(format!("{n} m-lines, more than {MAX_MEDIA}")),
            _ => Ok(description),
        }
    }

    /// The value of a session-level attribute.
    pub(crate) fn attribute(&self, name: &'static str) -> Option<&str> {
        attributes(&self.session, name).next()
    }

    /// An attribute of this m-line, or the session's, or any other m-line's: bundled m-lines share
    /// one transport, and its attributes stand where the writer liked them (RFC 8843 §7).
    pub(crate) fn transport_attribute(&self, index: usize, name: &'static str) -> Option<&str> {
        self.media
            .get(index)
            .and_then(|section| section.attribute(name))
            .or_else(|| self.attribute(name))
            .or_else(|| {
                self.media
                    .iter()
                    .find_map(|section| section.attribute(name))
            })
    }

    /// The `a=mid` of an m-line, or its number where it has none.
    pub(crate) fn mid(&self, index: usize) -> String {
        self.media
            .get(index)
            .and_then(|section| section.attribute("mid"))
            .map_or_else(|| index.to_string(), str::to_owned)
    }

    /// The tags of `a=group:BUNDLE` (RFC 8843).
    pub(crate) fn bundle(&self) -> Vec<&str> {
        attributes(&self.session, "group")
            .find_map(|group| group.strip_prefix("BUNDLE"))
            .map(|tags| tags.split_whitespace().collect())
            .unwrap_or_default()
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.session {
            write!(f, "{line}\r\n")?;
        }
        for section in &self.media {
            write!(
                f,
                "m={} {} {} {}\r\n",
                section.kind,
                section.port,
                section.protocol,
                section.formats.join(" ")
            )?;
            for line in &section.lines {
                write!(f, "{line}\r\n")?;
            }
        }
        Ok(())
    }
}

impl Section {
    fn parse(line: &str) -> Result<Self, String> {
        let malformed = || format!("malformed m-line {line:?}");
        let mut words = line.split_whitespace();
        let kind = words.next().ok_or_else(malformed)?.to_owned();
        let port = words.next().ok_or_else(malformed)?;
        let port = port.split('/').next().unwrap_or(port);
        let port = port.parse().map_err(|_| malformed())?;
        let protocol = words.next().ok_or_else(malformed)?.to_owned();
        let formats: Vec<String> = words.map(str::to_owned).collect();
        if formats.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            kind,
            port,
            protocol,
            formats,
            lines: Vec::new(),
        })
    }

    /// Port 0 means that nothing of it is wanted (RFC 3264 §6), unless it rides in a bundle.
    pub(crate) fn is_rejected(&self) -> bool {
        self.port == 0 && !self.has("bundle-only")
    }

    /// Whether the property attribute `name` is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.lines
            .iter()
            .any(|line| line.strip_prefix("a=") == Some(name))
    }

    /// The first value of attribute `name`.
    pub(crate) fn attribute(&self, name: &'static str) -> Option<&str> {
        self.attributes(name).next()
    }

    /// All values of attribute `name`.
    pub(crate) fn attributes(&self, name: &'static str) -> impl Iterator<Item = &str> {
        attributes(&self.lines, name)
    }

    /// Its direction as written, seen from the writer; sendrecv when nothing is (RFC 8866 §6.7).
    pub(crate) fn direction(&self) -> Direction {
        if self.has("sendonly") {
            Direction::SendOnly
        } else if self.has("recvonly") {
            Direction::RecvOnly
        } else if self.has("inactive") {
            Direction::Inactive
        } else {
            Direction::SendRecv
        }
    }

    /// Its payload types, in the order of the m-line.
    pub(crate) fn rtp_maps(&self) -> Vec<RtpMap<'_>> {
        let mut maps: Vec<RtpMap<'_>> = self
            .attributes("rtpmap")
            .filter_map(|value| {
                let (payload_type, rest) = value.split_once(' ')?;
                let mut parts = rest.trim().split('/');
                Some(RtpMap {
                    payload_type: payload_type.parse().ok().filter(|pt| *pt < 128)?,
                    name: parts.next()?,
                    clock_rate: parts.next()?.parse().ok()?,
                })
            })
            .collect();
        let place = |map: &RtpMap<'_>| {
            let payload_type = map.payload_type.to_string();
            self.formats.iter().position(|f| *f == payload_type)
        };
        maps.retain(|map| place(map).is_some());
        maps.sort_by_key(place);
        maps
    }

    /// The parameters of a payload type (`a=fmtp`).
    pub(crate) fn format_parameters(&self, payload_type: u8) -> Option<&str> {
        self.attributes("fmtp").find_map(|value| {
            let (pt, parameters) = value.split_once(' ')?;
            (pt.parse() == Ok(payload_type)).then_some(parameters.trim())
        })
    }

    /// The payload type that retransmits `payload_type` (`apt`, RFC 4588 §8.6).
    pub(crate) fn rtx_for(&self, payload_type: u8) -> Option<u8> {
        self.rtp_maps()
            .into_iter()
            .filter(|map| map.name.eq_ignore_ascii_case("rtx"))
            .find(|map| {
                self.format_parameters(map.payload_type)
                    .is_some_and(|parameters| {
                        parameters.split(';').any(|parameter| {
                            parameter
                                .trim()
                                .strip_prefix("apt=")
                                .is_some_and(|apt| apt.parse() == Ok(payload_type))
                        })
                    })
            })
            .map(|map| map.payload_type)
    }

    /// The feedback of a payload type, wildcard lines included (RFC 4585 §4.2).
    pub(crate) fn feedback(&self, payload_type: u8) -> Vec<&str> {
        let mut feedback = Vec::new();
        for value in self.attributes("rtcp-fb") {
            let Some((target, what)) = value.split_once(' ') else {
                continue;
            };
            let what = what.trim();
            if (target == "*" || target.parse() == Ok(payload_type)) && !feedback.contains(&what) {
                feedback.push(what);
            }
        }
        feedback
    }

    /// The number of a header extension (RFC 8285 §5).
    pub(crate) fn extension(&self, uri: &str) -> Option<u8> {
        self.attributes("extmap").find_map(|value| {
            let mut words = value.split_whitespace();
            let number = words.next()?.split('/').next()?.parse().ok()?;
            (words.next()? == uri && (1..=14).contains(&number)).then_some(number)
        })
    }

    /// Its own SSRCs, each with the SSRC that repairs it (`a=ssrc`, `a=ssrc-group:FID`, RFC 5576).
    pub(crate) fn sources(&self) -> Vec<(u32, Option<u32>)> {
        let groups: Vec<(u32, u32)> = self
            .attributes("ssrc-group")
            .filter_map(|value| {
                let mut words = value.strip_prefix("FID")?.split_whitespace();
                Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
            })
            .collect();
        let mut sources: Vec<(u32, Option<u32>)> = Vec::new();
        let listed = self
            .attributes("ssrc")
            .filter_map(|value| value.split_whitespace().next()?.parse().ok());
        for ssrc in groups.iter().map(|(base, _)| *base).chain(listed) {
            let repairs = groups.iter().any(|(_, repair)| *repair == ssrc);
            if !repairs && !sources.iter().any(|(known, _)| *known == ssrc) {
                let repair = groups.iter().find(|(base, _)| *base == ssrc);
                sources.push((ssrc, repair.map(|(_, repair)| *repair)));
            }
        }
        sources
    }

    /// What the writer will take, in bit/s (`b=TIAS`, RFC 3890; else `b=AS`, RFC 8866 §5.8, in kbit/s).
    pub(crate) fn max_bitrate(&self) -> Option<u32> {
        let number = |name: &str| -> Option<u32> {
            let mut lines = self.lines.iter();
            lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        number("b=TIAS:").or_else(|| number("b=AS:").map(|kilobits| kilobits.saturating_mul(1000)))
    }
}

fn attributes<'a>(lines: &'a [String], name: &'static str) -> impl Iterator<Item = &'a str> {
    lines
        .iter()
        .filter_map(move |line| {
            line.strip_prefix("a=")?
                .strip_prefix(name)?
                .strip_prefix(':')
        })
        .map(str::trim)
}
