//! The others: participants that speak the API by plain HTTP, not with our library, and say what
//! they saw and heard.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::media_leg::{Leg, Sends};
use crate::row::{Stop, Told};
use crate::scene::{Scene, http, within};

/// How strong a tone is that is heard, as power: telephone keys sound half of the time.
pub(crate) const HEARD: f64 = 0.001;
/// How strong a tone is that is not.
const UNHEARD: f64 = 0.0002;

/// A participant that watches.
pub(crate) struct Witness {
    pub(crate) name: String,
    pub(crate) uuid: String,
    base: String,
    token: Mutex<String>,
    patience: Duration,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Events before this one are forgotten.
    mark: usize,
    reader: JoinHandle<()>,
    has_media: bool,
    leg: Option<Leg>,
}

/// An event that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Witness {
    /// Joins, and waits for the end of the first burst of events.
    pub(crate) async fn join(scene: &Scene, name: &str, pin: &str) -> Result<Self, Stop> {
        Self::join_conference(scene, &scene.alias, name, pin).await
    }

    /// The same, in another conference of the node.
    pub(crate) async fn join_conference(
        scene: &Scene,
        alias: &str,
        name: &str,
        pin: &str,
    ) -> Result<Self, Stop> {
        let request = http().post(base(scene, alias) + "/request_token");
        let request = request
            .header("pin", pin)
            .json(&json!({ "display_name": name }));
        Self::enter(scene, alias, name, request).await
    }

    /// Joins with the token of a `refer`.
    pub(crate) async fn join_referred(
        scene: &Scene,
        alias: &str,
        name: &str,
        token: &str,
    ) -> Result<Self, Stop> {
        let request = http().post(base(scene, alias) + "/request_token");
        let request = request.json(&json!({ "display_name": name, "token": token }));
        Self::enter(scene, alias, name, request).await
    }

    async fn enter(
        scene: &Scene,
        alias: &str,
        name: &str,
        request: RequestBuilder,
    ) -> Result<Self, Stop> {
        let base = base(scene, alias);
        let granted = answer(request, name).await?;
        let text = |key: &str| granted[key].as_str().unwrap_or_default().to_owned();
        let token = text("token");
        let events = http().get(format!("{base}/events")).header("token", &token);
        let events = events
            .send()
            .await
            .map_err(|error| Stop::Observed(format!("{name} gets no events: {error}")))?;
        let seen = Arc::default();
        let mut witness = Self {
            name: name.to_owned(),
            uuid: text("participant_uuid"),
            base,
            token: Mutex::new(token),
            patience: scene.patience(),
            reader: tokio::spawn(read(events, Arc::clone(&seen))),
            seen,
            mark: 0,
            has_media: scene.has_media,
            leg: None,
        };
        // The last of the first burst that cannot be the very one left out.
        let own = witness.uuid.clone();
        within(witness.patience, async || {
            let seen = witness.all();
            (seen.iter().any(|event| event.name == "stage")
                || seen.iter().any(|event| event.data["uuid"] == own.as_str()))
            .then_some(())
        })
        .await;
        witness.forget();
        Ok(witness)
    }

    /// Forgets the events that came so far.
    pub(crate) fn forget(&mut self) {
        self.mark = self.all().len();
    }

    /// Everything that came, forgotten or not.
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen.lock().expect("no reader panics").clone()
    }

    /// Waits for an event called `name` with such data.
    pub(crate) async fn sees(
        &self,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Seen, Stop> {
        let found = within(self.patience, async || {
            let seen = self.all();
            let mut later = seen.into_iter().skip(self.mark);
            later.find(|event| event.name == name && wanted(&event.data))
        });
        found.await.ok_or_else(|| {
            let names: Vec<_> = self.all().into_iter().map(|event| event.name).collect();
            Stop::Observed(format!(
                "{} saw no such {name}, but {:?}",
                self.name,
                names.get(self.mark..).unwrap_or_default()
            ))
        })
    }

    /// Waits for a row of `who` in which `key` is `value`.
    pub(crate) async fn sees_row(
        &self,
        who: &str,
        key: &str,
        value: impl Into<Value>,
    ) -> Result<(), Stop> {
        let value = value.into();
        let seen = self
            .sees("participant_update", |row| {
                row["uuid"] == who && row[key] == value
            })
            .await;
        seen.map(drop)
            .map_err(|stop| Stop::Observed(format!("{}; wanted {key} {value}", stop.why())))
    }

    /// Checks that no event called `name` came, up to one that comes because something is done.
    pub(crate) async fn saw_none(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Told {
        // A message of its own comes after everything that was sent before.
        self.post(
            "message",
            &json!({ "type": "text/plain", "payload": "so far" }),
        )
        .await?;
        within(self.patience, async || {
            self.all()
                .iter()
                .skip(self.mark)
                .any(|event| event.data["payload"] == "so far")
                .then_some(())
        })
        .await
        .ok_or_else(|| Stop::Observed(format!("{} does not see its own message", self.name)))?;
        let seen = self.all();
        let mut later = seen.iter().skip(self.mark);
        match later.find(|event| event.name == name && wanted(&event.data)) {
            None => Ok(()),
            Some(event) => Err(Stop::Observed(format!("{} saw {event:?}", self.name))),
        }
    }

    /// Returns the roster.
    pub(crate) async fn roster(&self) -> Result<Vec<Value>, Stop> {
        let request = http()
            .get(format!("{}/participants", self.base))
            .header("token", self.token());
        let rows = answer(request, &self.name).await?;
        Ok(rows.as_array().cloned().unwrap_or_default())
    }

    /// Waits until the roster has as many others as `wanted` says.
    pub(crate) async fn has_others(&self, wanted: usize) -> Told {
        let found = within(self.patience, async || {
            let others = self.roster().await.ok()?.len().checked_sub(1)?;
            (others == wanted).then_some(())
        });
        found
            .await
            .ok_or_else(|| Stop::Observed(format!("{} does not see {wanted} others", self.name)))
    }

    /// Asks for something itself, as a scene needs it.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Stop> {
        let request = http()
            .post(format!("{}/{path}", self.base))
            .header("token", self.token());
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        answer(request, &self.name).await
    }

    /// Asks for something about itself.
    pub(crate) async fn post_own(&self, path: &str, body: &Value) -> Result<Value, Stop> {
        self.post(&format!("participants/{}/{path}", self.uuid), body)
            .await
    }

    /// Refreshes its own token.
    pub(crate) async fn refreshes(&self) -> Told {
        let refreshed = self.post("refresh_token", &Value::Null).await?;
        let fresh = refreshed["token"].as_str().unwrap_or_default();
        *self.token.lock().expect("nobody panics with it") = fresh.to_owned();
        Ok(())
    }

    fn token(&self) -> String {
        self.token.lock().expect("nobody panics with it").clone()
    }

    /// Starts a call that sends `sends`, and hears and sees what comes.
    pub(crate) async fn calls(&mut self, sends: Sends) -> Told {
        if !self.has_media {
            return Ok(());
        }
        let leg = Leg::offer(sends).await;
        let body = json!({ "call_type": "WEBRTC", "sdp": leg.offer });
        let call = self.post_own("calls", &body).await?;
        let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
        leg.take_answer(&text("sdp")).await?;
        self.post_own(&format!("calls/{}/ack", text("call_uuid")), &Value::Null)
            .await?;
        self.leg = Some(leg);
        Ok(())
    }

    /// Forgets what was heard so far.
    pub(crate) fn forget_sound(&self) {
        if let Some(leg) = &self.leg {
            leg.forget();
        }
    }

    /// Waits until a tone of so many Hz is heard, or is not.
    pub(crate) async fn hears(&self, tone: u32, wanted: bool) -> Told {
        let Some(leg) = self.leg()? else {
            return Ok(());
        };
        let found = within(self.patience, async || {
            let power = leg.hears(tone)?;
            if wanted {
                (power > HEARD).then_some(())
            } else {
                (power < UNHEARD).then_some(())
            }
        });
        found.await.ok_or_else(|| {
            Stop::Observed(format!(
                "{} {} {tone} Hz",
                self.name,
                if wanted {
                    "does not hear"
                } else {
                    "still hears"
                }
            ))
        })
    }

    /// Returns its call; none where there is no media in this telling.
    fn leg(&self) -> Result<Option<&Leg>, Stop> {
        if self.has_media && self.leg.is_none() {
            return Err(Stop::Observed(format!("{} has no call", self.name)));
        }
        Ok(self.leg.as_ref())
    }

    /// Waits until there is a picture, whatever it shows.
    pub(crate) async fn sees_any_picture(&self) -> Told {
        let Some(leg) = self.leg()? else {
            return Ok(());
        };
        let found = within(self.patience, async || leg.sees()).await;
        let none = || Stop::Observed(format!("{} sees no picture", self.name));
        found.map(drop).ok_or_else(none)
    }

    /// Waits until the picture is of this luma, or any other one.
    pub(crate) async fn sees_picture(&self, luma: u8, wanted: bool) -> Told {
        let Some(leg) = self.leg()? else {
            return Ok(());
        };
        let found = within(self.patience, async || {
            let is_it = leg.sees()?.abs_diff(luma) < 12;
            (is_it == wanted).then_some(())
        });
        found.await.ok_or_else(|| {
            Stop::Observed(format!(
                "{} sees a picture of luma {:?}, wanted {luma}: {wanted}",
                self.name,
                leg.sees()
            ))
        })
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn base(scene: &Scene, alias: &str) -> String {
    format!("{}/api/client/v2/conferences/{alias}", scene.url)
}

/// Returns the `result` of a request that succeeds.
async fn answer(request: RequestBuilder, who: &str) -> Result<Value, Stop> {
    let failed = |why: String| Stop::Observed(format!("{who}, who watches: {why}"));
    let response = request
        .send()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let (code, url) = (response.status(), response.url().path().to_owned());
    let body: Value = response.json().await.unwrap_or_default();
    if code.is_success() {
        Ok(body["result"].clone())
    } else {
        Err(failed(format!("{code} for {url}: {body}")))
    }
}

/// Reads an event stream to its end.
async fn read(mut response: Response, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut buffer = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = buffer.drain(..end + 2).collect();
            let block = String::from_utf8_lossy(&block);
            let field = |name: &str| {
                let mut lines = block.lines();
                lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
            };
            let event = Seen {
                name: field("event:").unwrap_or_default(),
                data: field("data:")
                    .and_then(|data| serde_json::from_str(&data).ok())
                    .unwrap_or_default(),
            };
            seen.lock().expect("nobody panics with it").push(event);
        }
    }
}
