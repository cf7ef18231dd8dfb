//! Figures as Prometheus and its like read them (OpenMetrics 1.0).

use std::fmt::Write as _;

/// The content type of an exposition.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An exposition that is being written: families one after another, each with its samples.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    family: String,
}

/// What the samples of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyType {
    /// They go up and down.
    Gauge,
    /// They only go up.
    Counter,
    /// Quantiles, a sum and a count.
    Summary,
}

impl Exposition {
    /// Begins a family. Its name ends in its unit, where it has one; `help` may be empty.
    pub fn family(&mut self, name: &str, kind: FamilyType, unit: &str, help: &str) {
        name.clone_into(&mut self.family);
        let kind = match kind {
            FamilyType::Gauge => "gauge",
            FamilyType::Counter => "counter",
            FamilyType::Summary => "summary",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
        if !unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        if !help.is_empty() {
            let _ = writeln!(self.text, "# HELP {name} {}", label(help));
        }
    }

    /// Writes a sample of the family; `suffix` is `_total`, `_sum`, `_count` or empty.
    pub fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "{}{suffix}", self.family);
        for (i, (name, text)) in labels.iter().enumerate() {
            let before = if i == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", label(text));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{after} {value}");
    }

    /// Ends the exposition. Nothing measured yet is one too.
    pub fn end(mut self) -> String {
        self.text += "# EOF\n";
        self.text
    }
}

/// Text as it may stand in a label, or behind HELP.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_samples_are_written_as_the_format_has_them() {
        let mut exposition = Exposition::default();
        exposition.family("a_seconds", FamilyType::Gauge, "seconds", "How long.");
        exposition.sample("", &[("who", "\"B\\ea\"\n"), ("where", "x")], 0.5);
        exposition.family("b", FamilyType::Counter, "", "");
        exposition.sample("_total", &[], 3.0);

        assert_eq!(
            exposition.end(),
            "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds How long.\n\
             a_seconds{who=\"\\\"B\\\\ea\\\"\\n\",where=\"x\"} 0.5\n# TYPE b counter\nb_total 3\n# EOF\n"
        );
        assert_eq!(Exposition::default().end(), "# EOF\n");
    }
}
