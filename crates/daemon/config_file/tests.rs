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
fn a_table_reads_as_a_file_of_its_own_and_its_complaints_as_of_the_whole() {
    let text = "[participant.hall]\nname = 'a'\n[participant.hall.media]\naudio = 'b'\n\n[participant.bad]\nnmae = 'c'\n";
    let file = ConfigFile::of("standin.toml", text);

    let hall = file.table("participant").table("hall");
    let written: Written = hall.decode_with_environment().expect("good");
    assert_eq!(written.media.audio.as_deref(), Some("b"));
    assert_eq!(
        hall.complain("media.audio", "too loud").to_string(),
        "standin.toml:4: `participant.hall.media.audio`: too loud"
    );
    assert_eq!(hall.keys(), ["media", "name"]);

    let bad = file.table("participant.bad").decode::<Written>();
    let error = bad.expect_err("misspelt").to_string();
    assert!(
        error.starts_with("standin.toml:7: `participant.bad.nmae`: unknown field `nmae`"),
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
