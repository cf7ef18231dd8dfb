//! Configuration files: read, overlaid by the environment, and complained about by file, line and key.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What an environment variable begins with that stands for a key: `STANDIN__MEDIA__AUDIO` is
/// `audio` in the table `[media]`.
const PREFIX: &str = "STANDIN";
const SEPARATOR: &str = "__";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// Something in the file is wrong.
    #[error("{}{}{}: {what}", path.display(), Line(*line), Key(key))]
    Wrong {
        path: PathBuf,
        line: Option<usize>,
        key: String,
        what: String,
    },
    /// A variable of the environment is wrong.
    #[error("environment variable {variable}: {what}")]
    Variable { variable: String, what: String },
}

/// A file as read, kept to say where a key stands.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    text: String,
}

impl ConfigFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                path: path.to_owned(),
                text,
            }),
            Err(source) => Err(ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Takes the file's keys, which must all be known.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|error| self.wrong(error.span(), error.message()))
    }

    /// Takes the file's keys, which must all be known, and lays the environment over them.
    pub(crate) fn decode_with_environment<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        self.decode_with(Environment::with_prefix(PREFIX))
    }

    fn decode_with<T: DeserializeOwned>(&self, variables: Environment) -> Result<T, ConfigError> {
        // Strictly first, and with line numbers, which the layered reading below has none of.
        self.decode::<T>()?;
        Config::builder()
            .add_source(File::from_str(&self.text, FileFormat::Toml))
            .add_source(variables.prefix_separator(SEPARATOR).separator(SEPARATOR))
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|error| self.wrong_variable(error))
    }

    /// Returns a file that was never on a disk.
    #[cfg(test)]
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.to_owned(),
        }
    }

    /// Returns whether no key stands in the file.
    pub(crate) fn is_blank(&self) -> bool {
        self.table().is_some_and(|table| table.is_empty())
    }

    /// Returns whether a key stands at the top level of the file.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Returns a path as the file means it: a relative one begins at the file's own directory.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        match self.path.parent() {
            Some(directory) => directory.join(path),
            None => path.to_owned(),
        }
    }

    /// Returns the complaint about the value of `key`, dotted, wherever the value came from.
    pub(crate) fn complain(&self, key: &str, what: impl fmt::Display) -> ConfigError {
        let variable = variable(key);
        if std::env::var_os(&variable).is_some() {
            return ConfigError::Variable {
                variable,
                what: what.to_string(),
            };
        }
        ConfigError::Wrong {
            path: self.path.clone(),
            line: self.position(key).map(|at| self.line(at.start)),
            key: key.to_owned(),
            what: what.to_string(),
        }
    }

    fn wrong(&self, span: Option<Range<usize>>, what: &str) -> ConfigError {
        let key = span
            .clone()
            .and_then(|span| self.key_at(span.start))
            .unwrap_or_default();
        ConfigError::Wrong {
            path: self.path.clone(),
            line: span.map(|span| self.line(span.start)),
            key,
            what: what.trim_end().replace('\n', "; "),
        }
    }

    /// The file alone has been accepted, so the fault lies in a variable.
    fn wrong_variable(&self, error: config::ConfigError) -> ConfigError {
        let (key, what) = match &error {
            config::ConfigError::Type {
                key: Some(key),
                unexpected,
                expected,
                ..
            } => (key.clone(), format!("{unexpected} is not {expected}")),
            config::ConfigError::At {
                key: Some(key),
                error,
                ..
            } => (key.clone(), error.to_string()),
            config::ConfigError::Type { .. }
            | config::ConfigError::At { .. }
            | config::ConfigError::Frozen
            | config::ConfigError::NotFound(_)
            | config::ConfigError::PathParse { .. }
            | config::ConfigError::FileParse { .. }
            | config::ConfigError::Message(_)
            | config::ConfigError::Foreign(_)
            | _ => {
                return ConfigError::Variable {
                    variable: format!("{PREFIX}{SEPARATOR}…"),
                    what: error.to_string(),
                };
            }
        };
        ConfigError::Variable {
            variable: variable(&key),
            what,
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self
            .text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
    }

    fn table(&self) -> Option<DeTable<'_>> {
        DeTable::parse(&self.text).ok().map(Spanned::into_inner)
    }

    fn position(&self, key: &str) -> Option<Range<usize>> {
        fn find(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
            let (first, rest) = key
                .split_once('.')
                .map_or((key, None), |(first, rest)| (first, Some(rest)));
            let (name, value) = table
                .iter()
                .find(|(name, _)| name.get_ref().as_ref() == first)?;
            match (rest, value.get_ref()) {
                (None, _) => Some(name.span()),
                (Some(rest), DeValue::Table(inner)) => find(inner, rest),
                (Some(_), _) => None,
            }
        }
        find(&self.table()?, key)
    }

    fn key_at(&self, at: usize) -> Option<String> {
        fn find(table: &DeTable<'_>, at: usize) -> Option<String> {
            table.iter().find_map(|(name, value)| {
                let inner = match value.get_ref() {
                    DeValue::Table(inner) => find(inner, at),
                    _ => None,
                };
                match inner {
                    Some(inner) => Some(format!("{}.{inner}", name.get_ref())),
                    None => (name.span().contains(&at) || value.span().contains(&at))
                        .then(|| name.get_ref().to_string()),
                }
            })
        }
        find(&self.table()?, at)
    }
}

/// Returns the variable that stands for a dotted key.
fn variable(key: &str) -> String {
    format!(
        "{PREFIX}{SEPARATOR}{}",
        key.replace('.', SEPARATOR).to_uppercase()
    )
}

struct Line(Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

struct Key<'a>(&'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, ": `{}`", self.0)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde::Deserialize;

    use super::*;

    /// Returns a sample configuration with every key in force, and the keys that were commented
    /// out or stand there, sorted.
    pub(crate) fn documented(path: &str) -> (ConfigFile, Vec<String>) {
        let text = std::fs::read_to_string(path).expect("a sample configuration");
        let mut keys = Vec::new();
        let mut table = String::new();
        let mut in_force = String::new();
        for line in text.lines() {
            // `#key = value` is a key at its default, `# Words` a sentence about it.
            let line = match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => rest,
                _ => line,
            };
            if let Some(name) = line.strip_prefix('[') {
                table = format!("{}.", name.trim_end_matches(']'));
            } else if let Some((key, value)) = line.split_once(" = ")
                && !line.starts_with('#')
            {
                keys.push(format!("{table}{key}"));
                // An empty text stands for "not set", which TOML has no word for.
                if value.starts_with("\"\"") {
                    continue;
                }
            }
            in_force.push_str(line);
            in_force.push('\n');
        }
        keys.sort();
        (ConfigFile::of(path, &in_force), keys)
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Written {
        name: String,
        media: Media,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Media {
        audio: Option<String>,
        volume: u32,
    }

    fn decode(text: &str, variables: &[(&str, &str)]) -> Result<Written, String> {
        let file = ConfigFile::of("meet.toml", text);
        let variables = variables
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        file.decode_with(Environment::with_prefix(PREFIX).source(Some(variables.collect())))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let written = decode(
            "name = 'a'\n[media]\naudio = 'b'\n",
            &[
                ("STANDIN__MEDIA__AUDIO", "c"),
                ("STANDIN__MEDIA__VOLUME", "7"),
                ("STANDIN_PIN", "1234"),
            ],
        );

        let media = Media {
            audio: Some("c".to_owned()),
            volume: 7,
        };
        assert_eq!(
            written,
            Ok(Written {
                name: "a".to_owned(),
                media
            })
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
        let error = decode("name = 'a'\n\n[media]\naudoi = 'b'\n", &[]).expect_err("misspelt");

        assert!(
            error.starts_with("meet.toml:4: `media.audoi`: unknown field `audoi`"),
            "{error}"
        );
        assert!(error.contains("audio"), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_line() {
        let error = decode("name = 'a'\n[media]\nvolume = 'loud'\n", &[]).expect_err("a word");

        assert!(
            error.starts_with("meet.toml:3: `media.volume`: invalid type"),
            "{error}"
        );
    }

    #[test]
    fn broken_syntax_is_named_with_its_line() {
        let error = decode("name = 'a'\nmedia = [\n", &[]).expect_err("cut short");

        assert!(error.starts_with("meet.toml:2"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }

    #[test]
    fn a_wrong_variable_is_named_instead_of_the_file() {
        let error = decode("", &[("STANDIN__MEDIA__VOLUME", "loud")]).expect_err("a word");
        assert!(
            error.starts_with("environment variable STANDIN__MEDIA__VOLUME: "),
            "{error}"
        );

        let error = decode("", &[("STANDIN__NAEM", "x")]).expect_err("misspelt");
        assert!(
            error.contains("STANDIN__") && error.contains("naem"),
            "{error}"
        );
    }
}
