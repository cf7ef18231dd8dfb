//! The caller: the participant whose request a row is about. It asks with the library's handles,
//! or with `standin api`, as the setting has it.

use driver::HttpClient;
use driver::api::{ApiError, Conference, Entrance};
use infinity::{Pin, Refusal};
use serde_json::Value;

use crate::command_line::{Ended, Member};
use crate::listening::Listening;
use crate::row::{Hand, Stop, Told};
use crate::scene::{Scene, library_client};

/// The caller.
pub(crate) struct Caller {
    pub(crate) uuid: String,
    by: By,
}

enum By {
    Library(Conference),
    Api(Member),
}

impl Caller {
    /// Joins the conference of the scene.
    pub(crate) async fn join(scene: &Scene, name: &str, pin: Option<&str>) -> Result<Self, Stop> {
        let mut entrance = Entrance::named(name);
        entrance.pin = pin.map(Pin::new);
        Self::outside(scene).enter(entrance, name, pin, &[]).await
    }

    /// Somebody who has not joined yet.
    pub(crate) fn outside(scene: &Scene) -> Self {
        Self::outside_of(scene, &scene.alias)
    }

    /// Somebody who has not joined that conference yet.
    pub(crate) fn outside_of(scene: &Scene, alias: &str) -> Self {
        Self::outside_with(scene, alias, library_client())
    }

    /// The same; the library makes its requests with this client.
    pub(crate) fn outside_with(scene: &Scene, alias: &str, client: HttpClient) -> Self {
        let by = match scene.setting.hand {
            Hand::Library => {
                let node = scene.url.parse().expect("the node's address");
                let alias = alias.parse().expect("rows name good aliases");
                By::Library(Conference::at(client, node, alias))
            }
            Hand::Api => By::Api(Member::new(&scene.url, alias)),
        };
        Self {
            uuid: String::new(),
            by,
        }
    }

    /// Asks for a token; `more` are arguments of `standin api` that say the same as `entrance`.
    pub(crate) async fn enter(
        mut self,
        entrance: Entrance,
        name: &str,
        pin: Option<&str>,
        more: &[&str],
    ) -> Result<Self, Stop> {
        self.uuid = match &self.by {
            By::Library(conference) => {
                let granted = conference.request_token(&entrance).await.map_err(stop)?;
                granted.participant_uuid.to_string()
            }
            By::Api(member) => {
                let granted = member.request_token(name, pin, more).await?;
                text(&granted["participant_uuid"])
            }
        };
        Ok(self)
    }

    /// Makes a request that is done or not.
    pub(crate) async fn asks(
        &self,
        library: impl AsyncFnOnce(&Conference) -> Result<(), ApiError>,
        api: &[&str],
    ) -> Told {
        self.asks_for(library, api, |_| Some(())).await
    }

    /// Makes a request, and takes from the answer what the story goes on with: `read` finds in what
    /// `standin api` prints what the library returns.
    pub(crate) async fn asks_for<T>(
        &self,
        library: impl AsyncFnOnce(&Conference) -> Result<T, ApiError>,
        api: &[&str],
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Stop> {
        match &self.by {
            By::Library(conference) => library(conference).await.map_err(stop),
            By::Api(member) => {
                let printed = member.run(api).await?;
                read(&printed).ok_or_else(|| {
                    Stop::Asked(format!("standin api {} printed {printed}", api.join(" ")))
                })
            }
        }
    }

    /// Opens its event stream.
    pub(crate) async fn listens(&self) -> Result<Listening, Stop> {
        match &self.by {
            By::Library(conference) => {
                let stream = conference.events().await.map_err(stop)?;
                Ok(Listening::Library(stream))
            }
            By::Api(member) => Ok(member.listens()),
        }
    }

    /// Makes a request that is refused, and returns how.
    pub(crate) async fn is_refused<T>(
        &self,
        library: impl AsyncFnOnce(&Conference) -> Result<T, ApiError>,
        api: &[&str],
    ) -> Result<Refused, Stop> {
        match &self.by {
            By::Library(conference) => match library(conference).await {
                Ok(_) => Err(not_refused()),
                Err(error) => Ok(Refused::Typed(Box::new(error))),
            },
            By::Api(member) => Refused::of(member.ended(api).await),
        }
    }

    /// Asks for a token that is not granted, and returns why not.
    pub(crate) async fn is_not_admitted(
        &self,
        entrance: Entrance,
        pin: Option<&str>,
        more: &[&str],
    ) -> Result<Refused, Stop> {
        match &self.by {
            By::Library(conference) => match conference.request_token(&entrance).await {
                Ok(_) => Err(not_refused()),
                Err(error) => Ok(Refused::Typed(Box::new(error))),
            },
            By::Api(member) => {
                let name = &entrance.body.display_name;
                Refused::of(member.asks_for_a_token(name, pin, more).await)
            }
        }
    }
}

/// How a request was refused: as a type of the library, or as the end of `standin api`.
pub(crate) enum Refused {
    Typed(Box<ApiError>),
    Said(Ended),
}

impl Refused {
    fn of(ended: Ended) -> Result<Self, Stop> {
        if ended.code == Some(0) {
            Err(not_refused())
        } else {
            Ok(Self::Said(ended))
        }
    }

    /// Checks the type of the refusal; or the exit code, and that there is a line with `word`.
    pub(crate) fn says(
        &self,
        wanted: impl FnOnce(&Refusal) -> bool,
        code: i32,
        word: &str,
    ) -> Told {
        match self {
            Self::Typed(error) if error.refusal().is_some_and(wanted) => Ok(()),
            Self::Typed(error) => Err(Stop::Asked(format!("refused, but: {error}"))),
            Self::Said(ended) if ended.code == Some(code) && ended.err.contains(word) => Ok(()),
            Self::Said(ended) => Err(Stop::Asked(format!(
                "wanted exit code {code} and {word:?}: {ended:?}"
            ))),
        }
    }
}

/// Checks that an answer was none of this API.
pub(crate) fn is_malformed(refused: &Refused) -> Told {
    match refused {
        Refused::Typed(error) if matches!(**error, ApiError::Malformed(_)) => Ok(()),
        Refused::Said(ended) if ended.code == Some(3) && ended.err.contains("check that") => Ok(()),
        // What is not there is told as such: the telling without it goes by that.
        Refused::Typed(error) if matches!(error.refusal(), Some(Refusal::NotFound(_))) => {
            Err(Stop::NotThere(error.to_string()))
        }
        Refused::Typed(error) => Err(Stop::Asked(format!("refused, but: {error}"))),
        Refused::Said(ended) => Err(Stop::Asked(format!("{ended:?}"))),
    }
}

fn not_refused() -> Stop {
    Stop::Asked("it was not refused".to_owned())
}

/// Whether the node has no such request; `standin api` says so in the same words.
const NOTHING_OF_THE_KIND: &str = "knows nothing of the kind";

pub(crate) fn stop(error: ApiError) -> Stop {
    match error.refusal() {
        Some(Refusal::NotFound(_)) => Stop::NotThere(error.to_string()),
        _ => Stop::Asked(error.to_string()),
    }
}

/// Returns why `standin api` ended as it did.
pub(crate) fn stop_of(ended: &Ended) -> Stop {
    let why = format!("exit code {:?}: {}", ended.code, ended.err.trim());
    if ended.err.contains(NOTHING_OF_THE_KIND) {
        Stop::NotThere(why)
    } else {
        Stop::Asked(why)
    }
}

/// Returns a text of JSON, or an empty one.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
