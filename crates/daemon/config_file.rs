//! Configuration files: read, overlaid by the environment, and complained about by file, line and key.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Config, Environment, File, FileFormat};
use serde::de::{DeserializeOwned, IntoDeserializer};
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

/// A file as read, or one table of it, kept to say where a key stands.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    text: Arc<str>,
    /// The table that is read, dotted; empty for the whole file.
    table: String,
}

impl ConfigFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                path: path.to_owned(),
                text: text.into(),
                table: String::new(),
            }),
            Err(source) => Err(ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Returns one table of the file, dotted, as if it were a file of its own.
    pub(crate) fn table(&self, table: &str) -> Self {
        Self {
            table: self.within(table),
            ..self.clone()
        }
    }

    /// Takes the file's keys, which must all be known.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let parsed = DeTable::parse(&self.text).and_then(|whole| {
            let span = whole.span();
            let mut value = Spanned::new(span, DeValue::Table(whole.into_inner()));
            for name in self.table.split_terminator('.') {
                let DeValue::Table(mut tables) = value.into_inner() else {
                    return T::deserialize(toml::Table::new().into_deserializer());
                };
                let Some(inner) = tables.remove(name) else {
                    return T::deserialize(toml::Table::new().into_deserializer());
                };
                value = inner;
            }
            T::deserialize(value.into_deserializer())
        });
        parsed.map_err(|error| self.wrong(error.span(), error.message()))
    }

    /// Takes the file's keys, which must all be known, and lays the environment over them.
    pub(crate) fn decode_with_environment<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        self.decode_with(Environment::with_prefix(PREFIX))
    }

    fn decode_with<T: DeserializeOwned>(&self, variables: Environment) -> Result<T, ConfigError> {
        // Strictly first, and with line numbers, which the layered reading below has none of.
        self.decode::<T>()?;
        let text = match self.table.as_str() {
            "" => self.text.to_string(),
            _ => self.decode::<toml::Table>()?.to_string(),
        };
        Config::builder()
            .add_source(File::from_str(&text, FileFormat::Toml))
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
            text: text.into(),
            table: String::new(),
        }
    }

    /// Returns the keys at the top level of the file.
    pub(crate) fn keys(&self) -> Vec<String> {
        let table = self.decode::<toml::Table>().unwrap_or_default();
        table.into_iter().map(|(name, _)| name).collect()
    }

    /// Returns whether a key at the top level of the file has a text.
    pub(crate) fn has_text(&self, key: &str) -> bool {
        self.whole()
            .is_some_and(|table| table.get(key).is_some_and(|value| value.get_ref().is_str()))
    }

    /// Returns whether no key stands in the file.
    pub(crate) fn is_blank(&self) -> bool {
        self.whole().is_some_and(|table| table.is_empty())
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
            key: self.within(key),
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
            what: for_people(what),
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

    /// Returns how the whole file spells a key of this table.
    fn within(&self, key: &str) -> String {
        match self.table.as_str() {
            "" => key.to_owned(),
            table => format!("{table}.{key}"),
        }
    }

    fn whole(&self) -> Option<DeTable<'_>> {
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
        find(&self.whole()?, &self.within(key))
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
        find(&self.whole()?, at)
    }
}

/// Says what a reader of values expects in the words of people.
fn for_people(what: &str) -> String {
    let what = what.trim_end().replace('\n', "; ");
    let words = [
        ("expected f64", "expected a number"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected path string", "expected a string"),
    ];
    words
        .iter()
        .fold(what, |what, (types, words)| what.replace(types, words))
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
pub(crate) mod tests;
