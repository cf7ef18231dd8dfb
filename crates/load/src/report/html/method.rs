//! How the figures come about, with the constants of the model that MOS follows from.

use super::{panel, put};
use crate::mos::{Constants, R_DEFAULT};
use crate::report::escape::Escaped;

pub(super) fn method(page: &mut String) {
    let opus = Constants::OPUS;
    let mut body = String::from(
        "<p>Callers account for every packet they receive, and decode none: MOS, R, frames, freezes and pauses are worked \
         out from packets alone. A figure with pN is the value that N of a hundred do not exceed.</p>\n",
    );
    put(
        &mut body,
        format_args!(
            "<p>MOS and R follow from delay and loss by the E-model, ITU-T G.107 (06/2015), with these constants:</p>\n\
             <dl class=\"constants\"><div><dt>R without impairment</dt><dd>{R_DEFAULT}</dd></div>\
             <div><dt>Ie</dt><dd>{}</dd></div><div><dt>Bpl</dt><dd>{}</dd></div>\
             <div><dt>codec delay</dt><dd>{} ms</dd></div></dl>\n<p class=\"soft\">{}.</p>\n",
            opus.ie,
            opus.bpl,
            opus.codec_delay.as_secs_f64() * 1000.0,
            Escaped(&capitalised(opus.source))
        ),
    );
    panel(page, "How these figures come about", &body);
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
