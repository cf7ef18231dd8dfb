//! ICE passwords have no place in a log, whoever writes it: they stand in every session description,
//! and libraries log them too.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::print;

/// What stands in place of a password.
const HIDDEN: &[u8] = b"(hidden)";

/// An ICE password is at least this long (RFC 8839 §5.4).
const SHORTEST: usize = 22;

/// Standard error without ICE passwords. Lines have to come whole, as `tracing_subscriber` writes them.
#[derive(Debug)]
pub(crate) struct Redacted;

impl Redacted {
    /// What logs are written to.
    pub(crate) fn stderr() -> Self {
        Self
    }
}

impl Write for Redacted {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        print::stderr().write_all(&without_passwords(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        print::stderr().flush()
    }
}

/// Hides what follows a `pwd` and can be a password: `a=ice-pwd:…`, `remotePwd: …`, `"pwd":"…"`.
fn without_passwords(line: &[u8]) -> Cow<'_, [u8]> {
    let mut kept = Vec::new();
    let mut rest = line;
    while let Some(at) = rest
        .windows(3)
        .position(|three| three.eq_ignore_ascii_case(b"pwd"))
    {
        let (before, after) = rest.split_at(at + 3);
        let gap = gap(after);
        let password = after[gap..].iter().take_while(|byte| is_ice_char(**byte));
        let length = password.count();
        kept.extend_from_slice(before);
        kept.extend_from_slice(&after[..gap]);
        if length >= SHORTEST {
            kept.extend_from_slice(HIDDEN);
            rest = &after[gap + length..];
        } else {
            rest = &after[gap..];
        }
    }
    if kept.is_empty() {
        return Cow::Borrowed(line);
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

/// How much stands between the name and the value, however it is written.
fn gap(text: &[u8]) -> usize {
    let separators = |text: &[u8]| {
        let separator = |byte: &&u8| br#":= "\("#.contains(byte);
        text.iter().take_while(separator).count()
    };
    let first = separators(text);
    match text[first..].strip_prefix(b"Some(") {
        Some(inside) => first + b"Some(".len() + separators(inside),
        None => first,
    }
}

/// RFC 8839 §5.4.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(line: &str) -> String {
        String::from_utf8(without_passwords(line.as_bytes()).into_owned()).expect("UTF-8")
    }

    #[test]
    fn no_spelling_of_a_password_is_left() {
        let password = "yTqkCvWOiXfizmvTvndfDqqmllpdXkLn";
        for line in [
            format!("a=ice-pwd:{password}\r\n"),
            format!(r#"Offer("v=0\r\na=ice-pwd:{password}\r\na=setup:active")"#),
            format!(r#"{{"sdp":"a=ice-pwd:{password}\\r\\n"}}"#),
            format!("Started agent: remotePwd: {password}"),
            format!(r#"NewCandidate {{ ufrag: Some("a"), pwd: Some("{password}") }}"#),
            format!(r#"{{\"pwd\":\"{password}\"}}"#),
            format!("ice-pwd:{password} ice-pwd:{password}"),
        ] {
            let shown = redacted(&line);
            assert!(!shown.contains(password), "{shown}");
            assert!(shown.contains("(hidden)"), "{shown}");
            assert_eq!(
                shown.replace("(hidden)", password),
                line,
                "the rest is as it was"
            );
        }
    }

    #[test]
    fn what_is_no_password_stays() {
        for line in [
            "nothing of the sort",
            "pwd: None",
            "the pwd is wrong",
            "pwd",
            "a=ice-ufrag:HnEQguPxhcZmMlMBHnEQguPxhcZmMlMB",
        ] {
            assert_eq!(redacted(line), line);
        }
    }
}
