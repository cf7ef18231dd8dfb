//! Text inside HTML and XML.

use std::fmt;

/// Text as it may stand inside an element or an attribute of HTML and XML, and comes out of it the
/// same; but for control characters, which XML has no place for: their pictures stand in for them.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // An attribute would have spaces in their place (XML 1.0 §3.3.3).
                '\t' | '\n' | '\r' => write!(f, "&#{};", u32::from(c))?,
                c => write!(f, "{}", shown(c))?,
            }
        }
        Ok(())
    }
}

/// A character as XML 1.0 (§2.2) has a place for it: U+2400 and on are pictures of the control
/// characters from 0 on.
fn shown(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_becomes_markup() {
        let text = Escaped("<b title='x'>\"&\u{1}é\n\u{fffe}").to_string();
        assert_eq!(
            text,
            "&lt;b title=&#39;x&#39;&gt;&quot;&amp;\u{2401}é&#10;\u{fffd}"
        );
    }
}
