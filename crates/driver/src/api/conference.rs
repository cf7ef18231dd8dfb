//! The handle of a conference.

use std::sync::Arc;
use std::time::Duration;

use infinity::{
    Command, ConferenceAlias, ConferencePath, ConferenceStatus, Dial, Malformed, MessageText,
    ParticipantRow, ParticipantUuid, Path, Pin, Refusal, ReleaseToken, Request, Response,
    TokenGranted, TokenRefreshed,
};
use tokio::sync::mpsc;
use url::Url;

use super::access::{Access, Membership, Own, Source};
use super::{ApiError, Entrance, EventStream, Participant, PictureRequest, events, picture};
use crate::http::HttpClient;
use crate::run::Order;
use crate::{NodeAddress, discovery, find_nodes, rest};

/// How long giving a token back may take.
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

/// A conference on a Conferencing Node, and our token for it; cheap to clone.
///
/// A token of its own is to be released with [`Self::release_token`]. When the last clone goes
/// without that, it is released on the runtime of that moment, and nobody waits for it.
#[derive(Debug, Clone)]
pub struct Conference {
    source: Arc<Source>,
    client: HttpClient,
}

/// Asks a node whether it takes calls.
///
/// # Errors
/// When it cannot be reached, is in maintenance, or is no Conferencing Node.
pub async fn status(client: &HttpClient, node: &Url) -> Result<(), ApiError> {
    discovery::ask_status(client, node)
        .await
        .map_err(|error| ApiError::of(node, "status", error))
}

impl Conference {
    /// Returns a conference on `node`, without a token.
    pub fn at(client: HttpClient, node: Url, conference: ConferenceAlias) -> Self {
        let own = Own::new(client.clone(), node, conference);
        Self {
            source: Arc::new(Source::Own(Box::new(own))),
            client,
        }
    }

    /// Returns a conference with a token from elsewhere, whose release is left to whoever keeps it.
    pub fn resume(client: HttpClient, membership: Membership) -> Self {
        let own = Own::new(
            client.clone(),
            membership.node.clone(),
            membership.conference.clone(),
        );
        own.borrow(membership);
        Self {
            source: Arc::new(Source::Own(Box::new(own))),
            client,
        }
    }

    /// Finds a node of `addresses` that lets us in, and asks it for a token.
    ///
    /// The nodes are tried in turn while they cannot be reached or have no room. A guest is let in
    /// without a PIN where guests need none.
    ///
    /// # Errors
    /// When no node can be found, or the last one asked said no.
    pub async fn enter(
        client: HttpClient,
        addresses: &[NodeAddress],
        conference: &ConferenceAlias,
        entrance: &Entrance,
    ) -> Result<(Self, TokenGranted), ApiError> {
        let mut last = None;
        for node in find_nodes(&client, addresses).await? {
            let here = Self::at(client.clone(), node, conference.clone());
            match here.enter_as_anybody(entrance).await {
                Ok(granted) => return Ok((here, granted)),
                Err(error) if error.remedy() == infinity::Remedy::NextNode => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| ApiError::Unreachable("no node is given: name one".into())))
    }

    /// Asks for a token, and as a guest without a PIN if that is all that is missing.
    async fn enter_as_anybody(&self, entrance: &Entrance) -> Result<TokenGranted, ApiError> {
        let result = self.request_token(entrance).await;
        let Err(error) = &result else {
            return result;
        };
        match error.refusal() {
            Some(Refusal::PinWanted(wanted))
                if entrance.pin.is_none() && !wanted.guest_required =>
            {
                let entrance = entrance.clone().with_pin(Pin::none());
                self.request_token(&entrance).await
            }
            _ => result,
        }
    }

    /// Returns the conference of a running caller.
    pub(crate) fn of_caller(client: HttpClient, orders: mpsc::WeakUnboundedSender<Order>) -> Self {
        Self {
            source: Arc::new(Source::Caller(orders)),
            client,
        }
    }

    /// Asks for a token, exactly as `entrance` says. Replaces a token that was held, unreleased.
    ///
    /// # Errors
    /// When the node refuses: [`Refusal`] says whether a PIN or an extension is wanted.
    pub async fn request_token(&self, entrance: &Entrance) -> Result<TokenGranted, ApiError> {
        let own = self.own("request_token")?;
        let _alone = own.changing.lock().await;
        let request = Request {
            conference: own.conference.clone(),
            token: None,
            command: Command::RequestToken {
                pin: entrance.pin.clone(),
                body: entrance.body.clone(),
            },
        };
        match self.execute(&own.node, &request).await? {
            Response::TokenGranted(granted) => {
                own.hold(
                    granted.participant_uuid.clone(),
                    granted.token.clone(),
                    granted.expires,
                );
                Ok(*granted)
            }
            _ => Err(ApiError::mismatch("request_token")),
        }
    }

    /// Lengthens the life of the token, which is replaced. One at a time; clones wait.
    ///
    /// # Errors
    /// When the node refuses: the token is gone then.
    pub async fn refresh_token(&self) -> Result<TokenRefreshed, ApiError> {
        let own = self.own("refresh_token")?;
        let _alone = own.changing.lock().await;
        let access = self.source.access("refresh_token").await?;
        let participant = access.participant.clone();
        match self.ask_as(access, Command::RefreshToken).await? {
            Response::TokenRefreshed(refreshed) => {
                own.hold(participant, refreshed.token.clone(), refreshed.expires);
                Ok(refreshed)
            }
            _ => Err(ApiError::mismatch("refresh_token")),
        }
    }

    /// Leaves: gives the token back, with a reason for the node's records.
    ///
    /// # Errors
    /// When the node could not be told; the token then lives until it expires. That the node does
    /// not know it any more is no error.
    pub async fn release_token(&self, reason: Option<&str>) -> Result<(), ApiError> {
        let own = self.own("release_token")?;
        let _alone = own.changing.lock().await;
        let access = self.source.access("release_token").await?;
        let command = Command::ReleaseToken(ReleaseToken {
            reason: reason.map(str::to_owned),
        });
        let result = self.ask_as(access, command).await;
        match result {
            Err(error) if error.refusal() != Some(&Refusal::InvalidToken) => Err(error),
            _ => {
                own.forget();
                Ok(())
            }
        }
    }

    /// Returns our own token and what belongs to it.
    pub fn membership(&self) -> Option<Membership> {
        self.own("request_token").ok()?.membership()
    }

    /// Goes on with a token of this conference that somebody else has refreshed and keeps.
    pub fn adopt(&self, membership: Membership) {
        if let Ok(own) = self.own("refresh_token") {
            own.borrow(membership);
        }
    }

    /// Returns the token and what belongs to it, to be kept elsewhere; from now on its release is
    /// left to whoever keeps it.
    pub fn lend_token(&self) -> Option<Membership> {
        self.own("release_token").ok()?.lend()
    }

    /// Returns who we are in the roster.
    ///
    /// # Errors
    /// When there is no token.
    pub async fn own_uuid(&self) -> Result<ParticipantUuid, ApiError> {
        Ok(self.source.access("participants").await?.participant)
    }

    /// Returns the state of the conference.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn conference_status(&self) -> Result<ConferenceStatus, ApiError> {
        match self.ask(Command::ConferenceStatus).await? {
            Response::ConferenceStatus(status) => Ok(status),
            _ => Err(ApiError::mismatch("conference_status")),
        }
    }

    /// Returns the roster.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn participants(&self) -> Result<Vec<ParticipantRow>, ApiError> {
        match self.ask(Command::Participants).await? {
            Response::Participants(rows) => Ok(rows),
            _ => Err(ApiError::mismatch("participants")),
        }
    }

    /// Calls somebody into the conference. Each of those returned is in the roster as `connecting`;
    /// one at most will answer. For hosts.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn dial(&self, dial: Dial) -> Result<Vec<ParticipantUuid>, ApiError> {
        match self.ask(Command::Dial(dial)).await? {
            Response::Dialled(uuids) => Ok(uuids),
            _ => Err(ApiError::mismatch("dial")),
        }
    }

    /// Holds newcomers in the waiting room. For hosts.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn lock(&self) -> Result<(), ApiError> {
        self.have_done(Command::Lock).await
    }

    /// Lets newcomers in. For hosts.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn unlock(&self) -> Result<(), ApiError> {
        self.have_done(Command::Unlock).await
    }

    /// Mutes all guests, newcomers too. For hosts.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn mute_guests(&self) -> Result<(), ApiError> {
        self.have_done(Command::MuteGuests).await
    }

    /// Unmutes all guests. For hosts.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn unmute_guests(&self) -> Result<(), ApiError> {
        self.have_done(Command::UnmuteGuests).await
    }

    /// Disconnects everybody, us included. For hosts.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn disconnect(&self) -> Result<(), ApiError> {
        self.have_done(Command::DisconnectAll).await
    }

    /// Writes a chat message to everybody.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn message(&self, message: MessageText) -> Result<(), ApiError> {
        self.have_done(Command::Message(message)).await
    }

    /// Opens the event stream.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn events(&self) -> Result<EventStream, ApiError> {
        let access = self.source.access("events").await?;
        events::open(&self.client, &access).await
    }

    /// Fetches the latest picture of the presentation, JPEG.
    ///
    /// # Errors
    /// When nobody presents, or the node refuses or cannot be reached.
    pub async fn presentation_jpeg(&self, picture: &PictureRequest) -> Result<Vec<u8>, ApiError> {
        let access = self.source.access("presentation.jpeg").await?;
        picture::fetch(&self.client, &access, picture).await
    }

    /// Returns the handle of a participant, whether there is such a one or not.
    pub fn participant(&self, uuid: impl Into<ParticipantUuid>) -> Participant {
        Participant::new(self.clone(), uuid.into())
    }

    /// Makes a request and returns the answer as it came.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached. What concerns the token has methods of its own,
    /// and is [`ApiError::NotOurs`] here.
    pub async fn ask(&self, command: Command) -> Result<Response, ApiError> {
        let request = command.name();
        if matches!(
            command,
            Command::RequestToken { .. } | Command::RefreshToken | Command::ReleaseToken(_)
        ) {
            return Err(ApiError::NotOurs { request });
        }
        let access = self.source.access(request).await?;
        self.ask_as(access, command).await
    }

    /// Makes a request as it is written in the API guide, such as `participants/UUID/mute`, and returns
    /// the result as it came.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached. What concerns the token is [`ApiError::NotOurs`] here,
    /// and what is not answered in JSON is [`ApiError::Malformed`].
    pub async fn ask_as_written(
        &self,
        path: ConferencePath,
        body: Option<&serde_json::Value>,
    ) -> Result<serde_json::Value, ApiError> {
        let request = "the request";
        match path {
            ConferencePath::RequestToken
            | ConferencePath::RefreshToken
            | ConferencePath::ReleaseToken => return Err(ApiError::NotOurs { request }),
            // The stream would have no end, and a picture is no JSON.
            ConferencePath::Events
            | ConferencePath::PresentationJpeg
            | ConferencePath::PresentationHighJpeg => {
                let detail = "it is not answered in JSON".to_owned();
                return Err(Malformed { request, detail }.into());
            }
            _ => {}
        }
        let access = self.source.access(request).await?;
        let path = Path::conference(&access.conference, path);
        rest::as_written(&self.client, &access.node, &path, &access.token, body)
            .await
            .map_err(|error| ApiError::of(&access.node, request, error))
    }

    /// Makes a request that is done or not.
    pub(super) async fn have_done(&self, command: Command) -> Result<(), ApiError> {
        let request = command.name();
        match self.ask(command).await? {
            Response::Done(false) => Err(ApiError::NotDone { request }),
            _ => Ok(()),
        }
    }

    async fn ask_as(&self, access: Access, command: Command) -> Result<Response, ApiError> {
        let request = Request {
            conference: access.conference,
            token: Some(access.token),
            command,
        };
        self.execute(&access.node, &request).await
    }

    async fn execute(&self, node: &Url, request: &Request) -> Result<Response, ApiError> {
        let limit = match request.command {
            // Nobody hurries us out, and a token that stays behind is seen by the others.
            Command::ReleaseToken(_) => Some(RELEASE_LIMIT),
            _ => ::participant::time_limit(&request.command),
        };
        rest::execute(&self.client, node, request, limit)
            .await
            .map_err(|error| ApiError::of(node, request.command.name(), error))
    }

    fn own(&self, request: &'static str) -> Result<&Own, ApiError> {
        match &*self.source {
            Source::Own(own) => Ok(own),
            Source::Caller(_) => Err(ApiError::NotOurs { request }),
        }
    }
}
