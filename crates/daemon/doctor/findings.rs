//! What was found, a line each.

use std::fmt::Display;
use std::time::Duration;

use serde_json::json;

use crate::print::{self, Form};

/// Prints what is found as it is found, and keeps what is bad.
#[derive(Debug)]
pub(super) struct Findings {
    form: Form,
    bad: Vec<String>,
}

impl Findings {
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            bad: Vec::new(),
        }
    }

    /// Something works; so long after joining was begun, where that says something.
    pub(super) fn good(&mut self, name: &str, what: impl Display, after: Option<Duration>) {
        self.tell('✓', Some(true), name, what, after);
    }

    /// Something does not work; `what` says what to do.
    pub(super) fn bad(&mut self, name: &str, what: impl Display) {
        self.bad.push(name.to_owned());
        self.tell('✗', Some(false), name, what, None);
    }

    /// Something is neither good nor bad.
    pub(super) fn aside(&mut self, name: &str, what: impl Display) {
        self.tell('·', None, name, what, None);
    }

    pub(super) fn has_bad(&self, name: &str) -> bool {
        self.bad.iter().any(|bad| bad == name)
    }

    pub(super) fn has_any_bad(&self) -> bool {
        !self.bad.is_empty()
    }

    fn tell(
        &self,
        mark: char,
        is_good: Option<bool>,
        name: &str,
        what: impl Display,
        after: Option<Duration>,
    ) {
        // What comes from a node is not to move the cursor about.
        let what = what.to_string().replace(char::is_control, " ");
        match self.form {
            Form::Json => print::json(&json!({
                "check": name,
                "ok": is_good,
                "what": what,
                "seconds": after.map(|after| after.as_secs_f64()),
            })),
            Form::Text => {
                let after =
                    after.map(|after| format!(", after {:.0} ms", after.as_secs_f64() * 1e3));
                print::line(format_args!(
                    "{mark} {name:13} {what}{}",
                    after.unwrap_or_default()
                ));
            }
        }
    }
}
