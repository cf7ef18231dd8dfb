//! Text inside HTML and XML.

use std::fmt;

/// Text as it may stand inside an element or an attribute of HTML and XML.
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
                // XML has no place for them at all (XML 1.0 §2.2).
                '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => {
                    f.write_str("\u{fffd}")?
                }
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_becomes_markup() {
        let text = Escaped("<b title='x'>\"&\u{1}é").to_string();
        assert_eq!(text, "&lt;b title=&#39;x&#39;&gt;&quot;&amp;\u{fffd}é");
    }
}
