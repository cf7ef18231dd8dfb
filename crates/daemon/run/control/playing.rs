//! What participants are told to play.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use media::{FeedOrigin, MediaError, Origin, SourceSpec};

use super::bodies::{Sources, Speech, Status};
use super::problem::Problem;
use super::routes::{Shared, read, status};
use crate::run::company::Company;
use crate::run::playing::{Ask, Item};
use crate::sources;

type Answer = Result<Json<Status>, Problem>;

pub(super) async fn play(company: Shared, Path(name): Path<String>, body: Bytes) -> Answer {
    // Without anything to play it is what the configuration says.
    let wanted = match body.iter().all(u8::is_ascii_whitespace) {
        true => None,
        false => Some(read::<Sources>(&body)?),
    };
    let ask = match wanted {
        Some(wanted) if wanted.audio.is_some() || wanted.video.is_some() => {
            Ask::Play(open(&company, &name, &wanted).await?)
        }
        _ => Ask::Resume,
    };
    tell(company, name, ask).await
}

pub(super) async fn queue(company: Shared, Path(name): Path<String>, body: Bytes) -> Answer {
    let item = open(&company, &name, &read(&body)?).await?;
    tell(company, name, Ask::Queue(item)).await
}

pub(super) async fn say(company: Shared, Path(name): Path<String>, body: Bytes) -> Answer {
    let Speech { text, voice } = read(&body)?;
    let mut spec = SourceSpec::from(Origin::Say(text));
    spec.options.voice = voice;
    let wanted = Sources {
        audio: Some(spec.to_string()),
        video: None,
        loops: false,
    };
    let item = open(&company, &name, &wanted).await?;
    tell(company, name, Ask::Queue(item)).await
}

pub(super) async fn skip(company: Shared, Path(name): Path<String>) -> Answer {
    tell(company, name, Ask::Skip).await
}

pub(super) async fn stop(company: Shared, Path(name): Path<String>) -> Answer {
    tell(company, name, Ask::Stop).await
}

async fn tell(company: Shared, name: String, ask: Ask) -> Answer {
    company.remote(&name)?.media(ask).await?;
    status(company, Path(name)).await
}

async fn open(
    State(company): &State<Arc<Company>>,
    name: &str,
    wanted: &Sources,
) -> Result<Item, Problem> {
    let parse = |text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| allowed(sources::parse(text, |path| company.resolve(path))?))
            .transpose()
    };
    let (audio, video) = (parse(&wanted.audio)?, parse(&wanted.video)?);
    let label = match (&audio, &video) {
        (None, None) => String::new(),
        (Some(one), None) | (None, Some(one)) => one.label(),
        (Some(audio), Some(video)) if audio == video => audio.label(),
        (Some(audio), Some(video)) => format!("{} and {}", audio.label(), video.label()),
    };
    let opened = company.open(name, audio, video).await?;
    let material = opened.map_err(|error| unplayable(&error))?;
    let material =
        material.ok_or_else(|| Problem::wrong("name what to play: audio, video or both"))?;
    Ok(Item {
        label,
        material,
        loops: wanted.loops,
    })
}

/// It is not the words that are wrong, but what they name. What stands in a list is not told: any file may be
/// named as one, that of a PIN as well.
fn unplayable(error: &MediaError) -> Problem {
    let told = match error {
        MediaError::Line { path, line, .. } => format!(
            "line {line} of {} names nothing that can be played: `standin media` says what stands there to whoever \
             may read it",
            path.display()
        ),
        error => error.to_string(),
    };
    Problem::new(StatusCode::CONFLICT, told)
}

/// Whoever may control a service is not by that whoever may run programs in its name.
fn allowed(spec: SourceSpec) -> Result<SourceSpec, Problem> {
    match spec.origin {
        Origin::Feed(FeedOrigin::Command(_) | FeedOrigin::Stdin) => Err(Problem::wrong(
            "commands and standard input are played by what the configuration says alone",
        )),
        _ => Ok(spec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_file_that_is_no_list_is_not_told() {
        let place = tempfile::tempdir().expect("a directory");
        let pin = place.path().join("meet.pin");
        std::fs::write(&pin, "4711\n").expect("written");
        let list = format!("playlist:{}", pin.display())
            .parse()
            .expect("a source");
        let error = sources::open(Some(&list), None).expect_err("no list");
        assert!(error.to_string().contains("4711"), "the control: {error}");
        let told = format!("{:?}", unplayable(&error));
        assert!(!told.contains("4711") && told.contains("line 1"), "{told}");
    }

    #[test]
    fn programs_are_not_run_in_the_name_of_a_service() {
        let of = |text: &str| allowed(text.parse().expect("a source"));
        for text in ["exec:true", "-"] {
            assert!(of(text).is_err(), "{text}");
        }
        for text in ["tone", "speech.wav", "tcp:127.0.0.1:9000"] {
            assert!(of(text).is_ok(), "{text}");
        }
    }
}
