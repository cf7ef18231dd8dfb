//! A whole participant of the library, for rows about what it does by itself: it joins, calls, plays a
//! tone, and acts on what it is told.

use std::sync::Arc;
use std::time::Duration;

use driver::{
    Caller, CallerSettings, EndReason, HttpClient, Material, Notice, NoticeKind, Program, State,
    StopReason, Tls,
};
use infinity::Pin;

use crate::row::{Stop, Told};
use crate::scene::{HOST_PIN, Scene, shard};

/// The tone that it plays, in Hz.
pub(crate) const TONE: u32 = 1_000;

/// A participant, and what it has told.
pub(crate) struct Whole {
    caller: Option<Caller>,
    patience: Duration,
    pub(crate) seen: Vec<Notice>,
}

impl Whole {
    /// The settings of a host that plays a tone.
    pub(crate) fn settings(scene: &Scene, name: &str) -> CallerSettings {
        let client = HttpClient::new(&Tls::Insecure).expect("a client");
        let node: url::Url = scene.url.parse().expect("the node's address");
        let alias = scene.alias.parse().expect("rows name good aliases");
        let mut settings = CallerSettings::new(client, node, alias, name);
        settings.pin = Some(Pin::new(HOST_PIN));
        let tone = format!("tone:{TONE}").parse().expect("a source");
        let material = Material::open(Some(&tone), None).expect("a tone");
        settings.program = Program::Loop(Arc::new(material));
        settings
    }

    pub(crate) fn start(scene: &Scene, settings: CallerSettings) -> Self {
        Self {
            caller: Some(driver::start(&shard(), settings)),
            patience: scene.patience(),
            seen: Vec::new(),
        }
    }

    /// Starts one with those settings, and waits until it is in the conference.
    pub(crate) async fn joins(scene: &Scene, settings: CallerSettings) -> Result<Self, Stop> {
        let mut whole = Self::start(scene, settings);
        whole.is_in().await?;
        Ok(whole)
    }

    /// Waits until it is in the conference, from now on.
    pub(crate) async fn is_in(&mut self) -> Told {
        let is_in = |kind: &NoticeKind| matches!(kind, NoticeKind::State(State::InConference));
        self.tells("that it is in", is_in).await.map(drop)
    }

    /// Waits until it tells something.
    pub(crate) async fn tells(
        &mut self,
        what: &str,
        wanted: impl Fn(&NoticeKind) -> bool,
    ) -> Result<NoticeKind, Stop> {
        let Some(caller) = &mut self.caller else {
            return Err(Stop::Asked("it has ended".to_owned()));
        };
        let telling = async {
            loop {
                let notice = caller.notice().await?;
                self.seen.push(notice.clone());
                if wanted(&notice.kind) {
                    return Some(notice.kind);
                }
            }
        };
        match tokio::time::timeout(self.patience, telling).await {
            Ok(Some(kind)) => Ok(kind),
            Ok(None) => Err(Stop::Asked(format!("it ended: {}", self.ends().await?))),
            Err(_) => {
                let seen: Vec<_> = self.seen.iter().map(|notice| &notice.kind).collect();
                Err(Stop::Observed(format!("it does not tell {what}: {seen:?}")))
            }
        }
    }

    /// Waits until it has ended by itself, and returns why.
    pub(crate) async fn ends(&mut self) -> Result<EndReason, Stop> {
        let Some(caller) = self.caller.take() else {
            return Err(Stop::Asked("it has ended before".to_owned()));
        };
        let ended = tokio::time::timeout(self.patience, caller.join()).await;
        ended
            .map(|outcome| outcome.reason)
            .map_err(|_| Stop::Observed("it does not end".to_owned()))
    }

    /// Has it leave in good order.
    pub(crate) async fn leaves(mut self) -> Told {
        if let Some(caller) = &self.caller {
            caller.stop(StopReason::Finished);
        }
        match self.ends().await? {
            EndReason::Stopped(_) => Ok(()),
            other => Err(Stop::Asked(format!("it ended: {other}"))),
        }
    }
}
