//! Text inside a source's name: what would mean something there is written as in URIs, `%23` for `#`.

/// Replaces every `%` that two hexadecimal digits follow; what then is no UTF-8 stays as it was.
pub(crate) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match text.get(at + 1..at + 3).and_then(hexadecimal) {
            Some(code) if *byte == b'%' => {
                plain.push(code);
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

/// The opposite: what [`unescape`] makes `text` of.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let means_something = match character {
            '#' => true,
            '%' => text.get(at + 1..at + 3).and_then(hexadecimal).is_some(),
            other => other.is_ascii_control(),
        };
        if means_something {
            escaped.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn hexadecimal(digits: &str) -> Option<u8> {
    let are_digits = digits.bytes().all(|b| b.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped_and_the_rest_stays() {
        for (plain, escaped) in [
            ("Room #3", "Room %233"),
            ("100 % sure", "100 % sure"),
            ("%41", "%2541"),
            ("two\nlines", "two%0Alines"),
            ("Zürich %", "Zürich %"),
        ] {
            assert_eq!(escape(plain), escaped);
            assert_eq!(unescape(escaped), plain);
        }
        assert_eq!(unescape("%ff"), "%ff", "no UTF-8");
        assert_eq!(unescape("%é1"), "%é1");
    }
}
