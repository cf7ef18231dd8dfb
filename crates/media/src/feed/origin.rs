//! Where a live input comes from, and how that is written.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::codec::Kind;
use crate::source::{SourceOptions, escape, unescape};

/// Where a live input comes from: a device, another program, or the network.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedOrigin {
    /// What a command writes to its standard output: `exec:COMMAND`, run by `sh -c`.
    Command(String),
    /// Standard input: `-`.
    Stdin,
    /// What comes from a socket: `unix:PATH` or `tcp:HOST:PORT`.
    Socket(Address),
    /// RTP from another program, as a session description (RFC 8866) says: `rtp:FILE.sdp`.
    Description(PathBuf),
    /// One stream of RTP that arrives here: `rtp://ADDRESS:PORT`, or `udp:` and the same.
    Rtp(SocketAddr),
    /// A microphone by its id or name, or the system's choice: `mic:DEVICE`, `mic`.
    Microphone(Option<String>),
    /// A camera by its file, or the first one: `camera:DEVICE`, `camera`.
    Camera(Option<PathBuf>),
}

/// The address of a stream socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A path in the file system.
    Unix(PathBuf),
    /// A host and a port.
    Tcp(String),
}

/// What a command begins with; the rest of it is the shell's, escapes and all.
const COMMAND: &str = "exec:";
/// The options of a command, by which they are told from a `#` that is part of it.
const COMMAND_OPTIONS: &[&str] = &["restart"];

/// Parts a command from its options, where `text` is one: they follow the last `#`, if what stands there
/// is made of their names alone; any other `#` is the command's.
pub(crate) fn split_command(text: &str) -> Option<(&str, Option<&str>)> {
    if !text.starts_with(COMMAND) {
        return None;
    }
    let is_option = |option: &str| {
        let key = option.split_once('=').map_or(option, |(key, _)| key);
        COMMAND_OPTIONS.contains(&key)
    };
    Some(match text.rsplit_once('#') {
        Some((command, options)) if options.split('&').all(is_option) => (command, Some(options)),
        _ => (text, None),
    })
}

impl FeedOrigin {
    /// Reads what stands before the options, parted at its first colon; nothing if it names something
    /// else.
    ///
    /// # Errors
    ///
    /// Says what is wrong and what may stand there.
    pub(crate) fn read(name: &str, value: Option<&str>) -> Option<Result<Self, String>> {
        let given = value.filter(|value| !value.is_empty());
        Some(match (name, value) {
            ("-", None) => Ok(Self::Stdin),
            ("-", Some(_)) => Err("`-` is standard input and takes no value".into()),
            // A file may be called `exec` or `rtp`: what needs a value needs its colon.
            ("exec", Some(command)) if command.trim().is_empty() => {
                Err("there is no command: write `exec:COMMAND`".into())
            }
            ("exec", Some(command)) => Ok(Self::Command(command.into())),
            ("unix", Some("")) => Err("there is no path: write `unix:/run/camera.sock`".into()),
            ("unix", Some(path)) => Ok(Self::Socket(Address::Unix(unescape(path).into()))),
            ("tcp", Some(address)) => tcp(address).map(Address::Tcp).map(Self::Socket),
            ("rtp", Some(path)) if path.ends_with(".sdp") => {
                Ok(Self::Description(unescape(path).into()))
            }
            ("rtp" | "udp", Some(address)) => rtp(address).map(Self::Rtp),
            ("mic", _) => Ok(Self::Microphone(given.map(unescape))),
            ("camera", _) => Ok(Self::Camera(given.map(|path| unescape(path).into()))),
            _ => return None,
        })
    }

    /// The options that mean something with it.
    pub(crate) fn options(&self) -> &'static [&'static str] {
        match self {
            Self::Command(_) => COMMAND_OPTIONS,
            Self::Stdin | Self::Description(_) | Self::Microphone(_) => &[],
            Self::Socket(_) => &["listen"],
            Self::Rtp(_) => &["codec", "pt"],
            Self::Camera(_) => &["size", "rate"],
        }
    }

    /// Checks what it needs to be told.
    pub(crate) fn check(&self, options: &SourceOptions) -> Result<(), String> {
        match self {
            Self::Rtp(_) if options.codec.is_none() => Err(
                "say what the packets hold, as in `rtp://127.0.0.1:5004#codec=VP8`, or name a file that \
                 ends in `.sdp`"
                    .into(),
            ),
            _ => Ok(()),
        }
    }

    /// Tells whether this can be a source of `kind`, as far as its name and options say.
    pub(crate) fn may_be(&self, kind: Kind, options: &SourceOptions) -> bool {
        match self {
            Self::Command(_) | Self::Stdin | Self::Socket(_) | Self::Description(_) => true,
            Self::Rtp(_) => options.codec.is_some_and(|codec| codec.kind() == kind),
            Self::Microphone(_) => kind == Kind::Audio,
            Self::Camera(_) => kind == Kind::Video,
        }
    }

    /// Returns its path, where it has one that may be relative.
    pub(crate) fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Description(path) | Self::Socket(Address::Unix(path)) => Some(path),
            _ => None,
        }
    }

    /// Returns what it is called in logs and before others: of a command its name alone, since the rest
    /// may hold passwords.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Command(command) => {
                let first = command.split_whitespace().next().unwrap_or_default();
                // `KEY=VALUE command` would show the value.
                let first = first.split('=').next().unwrap_or_default();
                let name = Path::new(first).file_name().unwrap_or_default();
                format!("{COMMAND}{}", name.to_string_lossy())
            }
            Self::Stdin => "standard input".into(),
            other => other.to_string(),
        }
    }
}

fn tcp(text: &str) -> Result<String, String> {
    let text = text.strip_prefix("//").unwrap_or(text);
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("give a host and a port, as in `tcp:127.0.0.1:5000`".into()),
    }
}

fn rtp(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("//").unwrap_or(text);
    let address = match text.strip_prefix(':') {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    let what = "give an IP address and a port to receive at, as in `rtp://127.0.0.1:5004#codec=VP8`, or a \
                file that ends in `.sdp`";
    address.parse().map_err(|_| what.into())
}

impl fmt::Debug for FeedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feed({})", self.label())
    }
}

impl fmt::Display for FeedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |path: &Path| escape(&path.to_string_lossy());
        match self {
            Self::Command(command) => write!(f, "{COMMAND}{command}"),
            Self::Stdin => f.write_str("-"),
            Self::Socket(Address::Unix(socket)) => write!(f, "unix:{}", path(socket)),
            Self::Socket(Address::Tcp(address)) => write!(f, "tcp:{address}"),
            Self::Description(file) => write!(f, "rtp:{}", path(file)),
            Self::Rtp(address) => write!(f, "rtp://{address}"),
            Self::Microphone(None) => f.write_str("mic"),
            Self::Microphone(Some(device)) => write!(f, "mic:{}", escape(device)),
            Self::Camera(None) => f.write_str("camera"),
            Self::Camera(Some(device)) => write!(f, "camera:{}", path(device)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;
    use crate::source::{Origin, SourceSpec};

    fn read(text: &str) -> (FeedOrigin, SourceOptions) {
        let spec: SourceSpec = text.parse().unwrap_or_else(|error| panic!("{error}"));
        match spec.origin {
            Origin::Feed(origin) => (origin, spec.options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in [
            "-",
            "exec:cat x.ivf | tee y # not an option",
            "exec:printf %23#restart",
            "exec:./cam --loop#restart",
            "unix:/run/cam.sock",
            "unix:/run/cam%23.sock#listen",
            "tcp:[::1]:5000",
            "tcp:localhost:5000#listen",
            "rtp:session.sdp",
            "rtp://127.0.0.1:5004#codec=VP8&pt=96",
            "rtp://[::]:5004#codec=opus",
            "mic",
            "mic:hw:1,0",
            "camera",
            "camera#rate=15",
            "camera:/dev/video2#size=640x360&rate=30",
        ] {
            let spec: SourceSpec = text.parse().unwrap();
            assert!(matches!(spec.origin, Origin::Feed(_)), "{text}");
            assert_eq!(spec.to_string(), text);
        }
        let spec: SourceSpec = "udp::5004#codec=vp8".parse().unwrap();
        assert_eq!(spec.to_string(), "rtp://127.0.0.1:5004#codec=VP8");
        assert_eq!(spec.options.codec, Some(Codec::Vp8));
    }

    #[test]
    fn a_hash_in_a_command_is_the_commands_unless_options_follow() {
        for (text, command, restart) in [
            ("exec:a#restart", "a", true),
            ("exec:a # b#restart", "a # b", true),
            ("exec:a #restart now", "a #restart now", false),
            ("exec:curl x#frag", "curl x#frag", false),
            ("exec:a#", "a#", false),
            ("exec:a#restart ", "a#restart ", false),
            ("exec:a#restart#restart", "a#restart", true),
            ("exec:echo ${#x}", "echo ${#x}", false),
        ] {
            let (origin, options) = read(text);
            assert_eq!(origin.to_string(), format!("exec:{command}"), "{text}");
            assert_eq!(options.restart, restart, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, says) in [
            ("exec:", "`exec:COMMAND`"),
            ("exec: #restart", "`exec:COMMAND`"),
            ("exec:a#restart=5", "`restart`"),
            ("-:x", "takes no value"),
            ("-#restart", "no option here"),
            ("unix:", "`unix:/run/camera.sock`"),
            ("unix:x#liste", "there are listen"),
            ("tcp:5000", "a host and a port"),
            ("tcp:host:99999", "a host and a port"),
            ("rtp://127.0.0.1:5004", "what the packets hold"),
            (
                "rtp://127.0.0.1:5004?codec=VP8",
                "`rtp://127.0.0.1:5004#codec=VP8`",
            ),
            ("rtp://host:5004#codec=VP8", "an IP address"),
            ("rtp://127.0.0.1:5004#codec=VP5", "`codec`"),
            ("rtp://127.0.0.1:5004#codec=VP8&pt=200", "`pt`"),
            ("mic:x#rate=1", "no option here"),
            ("camera:/dev/video0#size=0x0", "`size`"),
            ("camera:/dev/video0#rate=1000", "`rate`"),
            ("camera:/dev/video0#zoom=2", "there are size, rate"),
        ] {
            let error = text.parse::<SourceSpec>().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn nothing_shows_the_passwords_of_a_command() {
        for text in [
            "exec:/usr/bin/cam --key hunter2",
            "exec:cam hunter2#restart",
            "exec:cam=hunter2 watch",
        ] {
            let spec: SourceSpec = text.parse().unwrap();
            assert_eq!(spec.label(), "exec:cam");
            assert!(!format!("{spec:?}").contains("hunter2"));
        }
        let error = "exec:cam hunter2#restart=5".parse::<SourceSpec>();
        assert!(!error.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn files_stay_files() {
        for text in ["rtp", "exec", "a/mic", "./camera", "camera.ivf", "tcp.wav"] {
            let spec: SourceSpec = text.parse().unwrap();
            assert!(matches!(spec.origin, Origin::File(_)), "{text}");
        }
    }
}
