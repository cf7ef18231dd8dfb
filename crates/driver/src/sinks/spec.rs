//! How sinks are written.

use std::fmt;
use std::str::FromStr;

use media::{Codec, Container, Kind, Speaker};

/// A sink, as an operator writes it: `speaker`, `speaker:DEVICE`, `exec:COMMAND`, `exec:FORM:COMMAND` or `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkSpec {
    /// A loudspeaker that plays what is heard; one that goes away is tried until it is back.
    Speaker {
        /// Its id or name; nothing for the system's choice.
        device: Option<String>,
    },
    /// A program that gets it on its standard input.
    Program {
        /// What the shell is told.
        command: String,
        /// What the program gets.
        form: Form,
        /// Whether it is started again when it ends.
        restart: bool,
    },
    /// Nobody: what comes in is put together and thrown away.
    Null,
}

/// What a program gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// What is heard, as it is heard: 48 kHz, one channel, 16 bits, with the head of a WAV file.
    Wav,
    /// The same without a head, little-endian.
    Pcm,
    /// Frames as they come, in a container.
    Encoded(Container),
}

impl Form {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "wav" => Self::Wav,
            "s16le" => Self::Pcm,
            name => Self::Encoded(Container::named(name)?),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Pcm => "s16le",
            Self::Encoded(container) => container.ending(),
        }
    }
}

impl SinkSpec {
    /// Tells whether sound is decoded for it.
    pub(crate) fn plays(&self) -> bool {
        match self {
            Self::Speaker { .. } => true,
            Self::Program { form, .. } => match form {
                Form::Wav | Form::Pcm => true,
                Form::Encoded(_) => false,
            },
            Self::Null => false,
        }
    }

    /// Returns the container it gets, if it gets frames as they come.
    pub(crate) fn container(&self) -> Option<Container> {
        match self {
            Self::Program { form, .. } => match form {
                Form::Wav | Form::Pcm => None,
                Form::Encoded(container) => Some(*container),
            },
            Self::Speaker { .. } | Self::Null => None,
        }
    }

    /// Returns what to say about a codec of pictures that it cannot be given: the reason, and what to write
    /// instead; `None` if it can, or gets no pictures.
    pub fn refusal(&self, codec: Codec) -> Option<String> {
        let container = self
            .container()
            .filter(|container| container.takes(Kind::Video) && !container.holds(codec))?;
        let instead = Container::ALL
            .into_iter()
            .filter(|container| container.holds(codec))
            .map(|container| format!("exec:{}:COMMAND", container.ending()))
            .collect::<Vec<_>>()
            .join(" or ");
        let ending = container.ending();
        Some(format!(
            "a sink exec:{ending}:COMMAND takes no {codec}: write {instead}"
        ))
    }

    /// Looks whether a loudspeaker is there. Of others that is known when something is to be passed on.
    ///
    /// # Errors
    ///
    /// Fails, with words for a person, if it cannot be used.
    pub fn look(&self) -> Result<(), String> {
        match self {
            Self::Speaker { device } => {
                Speaker::look(device.as_deref()).map_err(|why| format!("`{self}` {why}"))
            }
            Self::Program { .. } | Self::Null => Ok(()),
        }
    }

    /// Returns the same, of which a program is started again when it has ended, or not.
    pub fn restarting(self, restart: bool) -> Self {
        match self {
            Self::Program { command, form, .. } => Self::Program {
                command,
                form,
                restart,
            },
            other @ (Self::Speaker { .. } | Self::Null) => other,
        }
    }
}

impl FromStr for SinkSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "null" {
            return Ok(Self::Null);
        }
        if let ("speaker", device) = text.split_once(':').unwrap_or((text, "")) {
            return Ok(Self::Speaker {
                device: (!device.is_empty()).then(|| device.to_owned()),
            });
        }
        let Some(rest) = text.strip_prefix("exec:") else {
            return Err(format!(
                "{text:?} is no sink: write speaker or speaker:DEVICE for a loudspeaker, exec:COMMAND for a program \
                 that gets WAV, exec:FORM:COMMAND with s16le, wav, ogg, ivf, mkv or webm for FORM, or null"
            ));
        };
        let (form, command) = rest
            .split_once(':')
            .and_then(|(name, command)| Some((Form::named(name)?, command)))
            .unwrap_or((Form::Wav, rest));
        if command.trim().is_empty() {
            return Err("no command is named after exec:".to_owned());
        }
        Ok(Self::Program {
            command: command.to_owned(),
            form,
            restart: false,
        })
    }
}

impl fmt::Display for SinkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speaker { device: None } => f.write_str("speaker"),
            Self::Speaker {
                device: Some(device),
            } => write!(f, "speaker:{device}"),
            Self::Program { command, form, .. } => write!(f, "exec:{}:{command}", form.name()),
            Self::Null => f.write_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudspeakers_are_named_as_devices_are() {
        let device = |text: &str| match text.parse::<SinkSpec>() {
            Ok(SinkSpec::Speaker { device }) => device,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(device("speaker"), None);
        // As with `mic:`.
        assert_eq!(device("speaker:"), None);
        assert_eq!(device("speaker:desk"), Some("desk".to_owned()));
        let card = "hw:CARD=0,DEV=3";
        assert_eq!(device(&format!("speaker:{card}")), Some(card.to_owned()));
        for text in ["speaker", "speaker:desk", "speaker:hw:CARD=0,DEV=3"] {
            let spec: SinkSpec = text.parse().expect("good");
            assert_eq!(spec.to_string(), text);
            assert_eq!(spec.clone().restarting(true), spec);
            assert!(spec.plays());
        }
        let said = "loudspeaker".parse::<SinkSpec>().expect_err("no sink");
        for form in ["speaker:DEVICE", "exec:COMMAND", "exec:FORM:", "null"] {
            assert!(said.contains(form), "{said}");
        }
    }

    #[test]
    fn programs_are_named_with_what_they_get() {
        let parse = |text: &str| text.parse::<SinkSpec>();
        let of = |text: &str| match parse(text) {
            Ok(SinkSpec::Program { command, form, .. }) => (form, command),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(of("exec:aplay -"), (Form::Wav, "aplay -".into()));
        assert_eq!(of("exec:s16le:aplay"), (Form::Pcm, "aplay".into()));
        let ogg = Form::Encoded(Container::Ogg);
        assert_eq!(of("exec:ogg:cat > x:y"), (ogg, "cat > x:y".into()));
        // What is no form is part of the command.
        assert_eq!(of("exec:a:b"), (Form::Wav, "a:b".into()));
        assert_eq!(parse("null"), Ok(SinkSpec::Null));
        for text in ["", "exec:", "exec:ogg:", "speakers", "exec: "] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in ["exec:ogg:cat", "exec:s16le:cat", "null"] {
            assert_eq!(parse(text).expect("good").to_string(), text);
        }
    }
    #[test]
    fn a_refusal_names_forms_that_take_the_codec() {
        let refusal = |sink: &str, codec| sink.parse::<SinkSpec>().expect("a sink").refusal(codec);
        let said = refusal("exec:webm:cat", Codec::H264).expect("WebM holds no H.264");
        assert!(
            said.starts_with("a sink exec:webm:COMMAND takes no"),
            "{said}"
        );
        assert!(
            said.contains("write exec:mkv:COMMAND or exec:mp4:COMMAND"),
            "{said}"
        );
        assert_eq!(refusal("exec:webm:cat", Codec::Vp8), None);
        for sink in [
            "exec:mkv:cat",
            "exec:ogg:cat",
            "exec:cat",
            "speaker",
            "null",
        ] {
            assert_eq!(refusal(sink, Codec::H264), None, "{sink}");
        }
    }
}
