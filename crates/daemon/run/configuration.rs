//! The configuration of a service: one file, and those it names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::config_file::{ConfigError, ConfigFile};
use crate::exit::Failure;
use crate::settings::{RunSettings, ServiceSettings, Written};

use super::attendant;
use super::materials::Materials;

/// A service and its participants, as read.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// What concerns the service as a whole.
    pub(crate) service: ServiceSettings,
    /// Whether the file is itself the one participant there is.
    pub(crate) is_one: bool,
    /// The participants, by name.
    pub(crate) participants: Vec<Draft>,
}

/// A participant as read, its settings not checked yet.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// What the operator calls it: its file without `.toml`, or its table.
    pub(crate) name: String,
    file: ConfigFile,
    written: Written,
}

impl Configuration {
    /// Reads a file, and those it names; opens no socket.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let file = ConfigFile::read(path).map_err(Failure::usage)?;
        let mut written = Written::read(&file)?;
        let service = written.take_service(&file)?;
        if service.participants.is_none() && service.tables.is_empty() {
            let name = stem(path).replace(|c: char| !is_of_name(c), "-");
            return Ok(Self {
                service,
                is_one: true,
                participants: vec![Draft {
                    name,
                    file,
                    written,
                }],
            });
        }
        for key in file.keys() {
            if !Written::OF_SERVICE.contains(&key.as_str()) {
                return Err(wrong(
                    &file,
                    &key,
                    "belongs to a participant: write it into each of them",
                ));
            }
        }
        let mut participants = Vec::new();
        for name in &service.tables {
            let key = format!("participant.{name}");
            let name = named(name).map_err(|what| wrong(&file, &key, what))?;
            let table = file.table(&key);
            participants.push(Draft::read(name, table)?);
        }
        if let Some(pattern) = &service.participants {
            for path in files(&file, pattern)? {
                let of_it = ConfigFile::read(&path).map_err(Failure::usage)?;
                let name = named(&stem(&path)).map_err(|what| wrong(&of_it, "", what))?;
                if participants.iter().any(|known| known.name == name) {
                    let key = format!("participant.{name}");
                    let what = format!("{} is a participant of the same name", path.display());
                    return Err(wrong(&file, &key, what));
                }
                participants.push(Draft::read(name, of_it)?);
            }
        }
        participants.sort_by(|one, other| one.name.cmp(&other.name));
        expect_recordings_apart(&participants)?;
        Ok(Self {
            service,
            is_one: false,
            participants,
        })
    }
}

impl Draft {
    fn read(name: String, file: ConfigFile) -> Result<Self, Failure> {
        let mut written = Written::read(&file)?;
        for key in Written::OF_SERVICE {
            if file.has_key(key) {
                let what = "belongs to the file that `standin run --config` names";
                return Err(wrong(&file, key, what));
            }
        }
        written.forget_service();
        Ok(Self {
            name,
            file,
            written,
        })
    }

    /// Checks every value and opens what is to be played; opens no socket but a live input's.
    pub(crate) fn check(&self, materials: &Materials) -> Result<RunSettings, Failure> {
        let settings = self.written.check(&self.file, &self.name, materials)?;
        attendant::caller(&settings).map_err(|unheld| wrong(&self.file, unheld.key, unheld))?;
        Ok(settings)
    }

    /// Returns whether a participant that runs with `settings`, made of `running`, is what this says.
    pub(crate) fn is_same(&self, running: &Self, settings: &RunSettings) -> bool {
        // Other tables of the same file may have changed.
        self.name == running.name
            && self.written == running.written
            && self.file.resolve(Path::new("")) == running.file.resolve(Path::new(""))
            && self
                .written
                // It may have changed where nothing is written.
                .pin(&self.file, &self.name)
                .is_ok_and(|pin| pin == settings.destination.pin)
    }
}

/// Two who write into one file would spoil it for each other.
fn expect_recordings_apart(participants: &[Draft]) -> Result<(), Failure> {
    let mut paths = BTreeMap::new();
    for one in participants {
        let path = one.written.recording(&one.file);
        if let Some(other) = path.and_then(|path| paths.insert(path, &one.name)) {
            let what = format!("{other} records to the same file: name another");
            return Err(wrong(&one.file, "media.record", what));
        }
    }
    Ok(())
}

/// Returns the files that a pattern such as `participants.d/*.toml` names, in their order.
fn files(file: &ConfigFile, pattern: &str) -> Result<Vec<std::path::PathBuf>, Failure> {
    let complain = |what: String| wrong(file, "participants", what);
    let path = file.resolve(Path::new(pattern));
    let last = path.file_name().and_then(|last| last.to_str());
    let Some((directory, last)) = path.parent().zip(last) else {
        return Err(complain(format!("{pattern:?} names no files")));
    };
    let Some((before, after)) = last
        .split_once('*')
        .filter(|(_, after)| !after.contains('*'))
    else {
        return Err(complain(format!(
            "{pattern:?} has no `*`, or several: write DIRECTORY/*.toml"
        )));
    };
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    let unreadable = |error| complain(format!("cannot read {}: {error}", directory.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_one = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| {
                // What an editor or a package leaves behind begins with a dot.
                !name.starts_with('.')
                    && name.len() >= before.len() + after.len()
                    && name.starts_with(before)
                    && name.ends_with(after)
            });
        if is_one {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(complain(format!("no file is called {}", path.display())));
    }
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Names are parts of addresses, labels and command lines.
fn named(name: &str) -> Result<String, String> {
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_of_name) {
        return Err(format!(
            "{name:?} cannot be a participant's name: up to 64 letters, digits, - and _"
        ));
    }
    Ok(name.to_owned())
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn wrong(file: &ConfigFile, key: &str, what: impl std::fmt::Display) -> Failure {
    let complaint: ConfigError = file.complain(key, what);
    Failure::usage(complaint)
}

#[cfg(test)]
mod tests {
    use media::Absence;

    use super::*;

    /// Writes files into a directory and reads the first of them.
    fn read(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, text).expect("written");
        }
        let home = format!("{}/", directory.path().display());
        let read = Configuration::read(&directory.path().join(files[0].0));
        let read = read.and_then(|configuration| {
            let materials = Materials::new(Absence::Ignored);
            for draft in &configuration.participants {
                draft.check(&materials)?;
            }
            Ok(configuration)
        });
        match read {
            Ok(read) => Ok(read.participants.into_iter().map(|one| one.name).collect()),
            Err(failure) => Err(failure.to_string().replace(&home, "")),
        }
    }

    const HALL: &str = "node = 'n'\nconference = 'hall'\n";

    #[test]
    fn participants_are_one_file_many_files_or_tables() {
        let names = |names: &[&str]| Ok(names.iter().map(ToString::to_string).collect::<Vec<_>>());

        assert_eq!(read(&[("town hall.toml", HALL)]), names(&["town-hall"]));
        let many =
            "participants = 'p.d/*.toml'\n[participant.Bell]\nnode = 'n'\nconference = 'b'\n";
        let files = [
            ("standin.toml", many),
            ("p.d/hall.toml", HALL),
            ("p.d/.hall.toml", "broken"),
            ("p.d/hall.toml.bak", "broken"),
        ];
        assert_eq!(read(&files), names(&["Bell", "hall"]));
    }

    #[test]
    fn a_participant_is_the_same_whatever_becomes_of_others() {
        let table = |text: &str| {
            let file = ConfigFile::of("standin.toml", text).table("participant.bell");
            Draft::read("bell".to_owned(), file).expect("good")
        };
        let bell = "[participant.bell]\nnode = 'n'\nconference = 'b'\n";
        let running = table(bell);
        let settings = running
            .check(&Materials::new(Absence::Ignored))
            .expect("good");

        let beside_others = format!("[participant.hall]\n{HALL}\n{bell}");
        assert!(table(&beside_others).is_same(&running, &settings));
        assert!(!table(&format!("{bell}name = 'Bell'\n")).is_same(&running, &settings));
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_key() {
        let failure = |main: &str, other: &str| {
            read(&[("standin.toml", main), ("p.d/hall.toml", other)]).expect_err("wrong")
        };
        let many = "participants = 'p.d/*.toml'\n";

        let error = failure(many, "node = 'n'\nconferense = 'hall'\n");
        assert!(
            error.starts_with("p.d/hall.toml:2: `conferense`: unknown field"),
            "{error}"
        );
        assert!(error.contains("`conference`"), "{error}");
        let error = failure(many, &format!("{HALL}[log]\nlevel = 'warn'\n"));
        assert!(
            error.starts_with("p.d/hall.toml:3: `log`: belongs to the file"),
            "{error}"
        );
        let error = failure(&format!("{many}node = 'n'\n"), HALL);
        assert!(
            error.starts_with("standin.toml:2: `node`: belongs to a participant"),
            "{error}"
        );
        let error = failure("participants = 'q.d/*.toml'\n", HALL);
        assert!(
            error.starts_with("standin.toml:1: `participants`: cannot read q.d"),
            "{error}"
        );
        let error = failure("participants = 'p.d/*.json'\n", HALL);
        assert!(error.contains("no file is called p.d/*.json"), "{error}");
        let error = failure(&format!("{many}[participant.hall]\n{HALL}"), HALL);
        assert!(
            error.contains("hall.toml is a participant of the same name"),
            "{error}"
        );
        let hall = format!("{HALL}[media]\nrecord = 'hall.webm'\n");
        let same =
            "[participant.bell]\nnode = 'n'\nconference = 'b'\nmedia.record = 'p.d/hall.webm'\n";
        let error = failure(&format!("{many}{same}"), &hall);
        assert_eq!(
            error,
            "p.d/hall.toml:4: `media.record`: bell records to the same file: name another"
        );
        let error = failure("[participant.'a.b']\nnode = 'n'\n", HALL);
        assert!(
            error.contains("\"a.b\" cannot be a participant's name"),
            "{error}"
        );
    }
}
