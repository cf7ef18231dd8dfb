//! The far end as the sending process sees it: a child, and messages over its pipes.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::workload::Streams;

/// A running far end; it ends with this.
pub(crate) struct Terminator {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Terminator {
    pub(crate) fn start() -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--terminator")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::other("the far end has no pipe");
        let input = process.stdin.take().ok_or_else(gone)?;
        let output = process.stdout.take().ok_or_else(gone)?;
        Ok(Self {
            process,
            input,
            output,
        })
    }

    /// Where it receives.
    pub(crate) fn address(&mut self) -> io::Result<SocketAddr> {
        self.ask("address", "")?.parse().map_err(io::Error::other)
    }

    /// Answers an offer.
    pub(crate) fn answer(&mut self, offer: &str) -> io::Result<String> {
        self.ask("offer", offer)
    }

    /// Makes the socket at `caller` a caller without handshake, keyed as floors are.
    pub(crate) fn add_floor(&mut self, caller: SocketAddr) -> io::Result<()> {
        self.ask("floor", &caller.to_string()).map(drop)
    }

    /// Sends to all callers from now on, for so long.
    pub(crate) fn send_for(&mut self, streams: Streams, time: Duration) -> io::Result<()> {
        let text = format!("{} {}", streams.name(), time.as_millis());
        self.ask("send", &text).map(drop)
    }

    /// Answers each packet with one of the same size from now on.
    pub(crate) fn mirror(&mut self) -> io::Result<()> {
        self.ask("mirror", "").map(drop)
    }

    /// Media packets that have arrived so far, and that were sent.
    pub(crate) fn counts(&mut self) -> io::Result<(u64, u64)> {
        let text = self.ask("counts", "")?;
        let mut numbers = text.split(' ').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(received)), Some(Ok(sent))) => Ok((received, sent)),
            _ => Err(io::Error::other(format!("counts are {text:?}"))),
        }
    }

    fn ask(&mut self, what: &str, text: &str) -> io::Result<String> {
        write_message(&mut self.input, &format!("{what}\n{text}"))?;
        let reply = read_message(&mut self.output)?;
        match reply.strip_prefix("error ") {
            Some(error) => Err(io::Error::other(format!("far end: {what}: {error}"))),
            None => Ok(reply),
        }
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn write_message(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(&(text.len() as u32).to_be_bytes())?;
    to.write_all(text.as_bytes())?;
    to.flush()
}

pub(super) fn read_message(from: &mut impl Read) -> io::Result<String> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}
