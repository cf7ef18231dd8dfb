//! The handle of a participant.

use infinity::{
    CallAccepted, CallUuid, Calls, Change, Command, Digits, Dtmf, MessageText, OverlayText,
    ParticipantUuid, Response, Role, RoleChange, Transfer,
};

use super::{ApiError, Call, Conference};

/// A participant of a conference; cheap to clone.
///
/// Most of what is here is for hosts. Guests may do to themselves what concerns nobody else: mute
/// and unmute, buzz and clearbuzz, leave.
#[derive(Debug, Clone)]
pub struct Participant {
    conference: Conference,
    uuid: ParticipantUuid,
}

/// Defines requests that take nothing and are done or not.
macro_rules! done {
    ($($(#[$doc:meta])* $name:ident: $command:expr;)+) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// When the node refuses or cannot be reached, as with every request here.
            pub async fn $name(&self) -> Result<(), ApiError> {
                let command: fn(ParticipantUuid) -> Command = $command;
                self.conference.have_done(command(self.uuid.clone())).await
            }
        )+
    };
}

impl Participant {
    pub(super) fn new(conference: Conference, uuid: ParticipantUuid) -> Self {
        Self { conference, uuid }
    }

    /// Returns who it is in the roster.
    pub fn uuid(&self) -> &ParticipantUuid {
        &self.uuid
    }

    /// Returns the conference it is in.
    pub fn conference(&self) -> &Conference {
        &self.conference
    }

    /// Returns the handle of one of its calls, whether there is such a one or not.
    pub fn call(&self, uuid: impl Into<CallUuid>) -> Call {
        Call::new(self.clone(), uuid.into())
    }

    done! {
        /// Disconnects it.
        disconnect: Command::Disconnect;
        /// Lets nobody hear it.
        mute: Command::Mute;
        /// Lets it be heard again; from then on `muteguests` does not concern it.
        unmute: Command::Unmute;
        /// Lets it in from the waiting room.
        unlock: Command::Admit;
        /// Tells that it has muted itself.
        client_mute: |who| Command::Change(who, Change::ClientMute);
        /// Tells that it has unmuted itself.
        client_unmute: |who| Command::Change(who, Change::ClientUnmute);
        /// Takes its picture away from the others.
        video_muted: |who| Command::Change(who, Change::VideoMute);
        /// Gives its picture back to the others.
        video_unmuted: |who| Command::Change(who, Change::VideoUnmute);
        /// Puts it into the spotlight, behind those who are there already.
        spotlight_on: |who| Command::Change(who, Change::SpotlightOn);
        /// Takes it out of the spotlight.
        spotlight_off: |who| Command::Change(who, Change::SpotlightOff);
        /// Lets it see presentations.
        allow_rx_presentation: |who| Command::Change(who, Change::AllowRxPresentation);
        /// Keeps presentations from it.
        deny_rx_presentation: |who| Command::Change(who, Change::DenyRxPresentation);
        /// Raises its hand.
        buzz: |who| Command::Change(who, Change::Buzz);
        /// Lowers its hand.
        clear_buzz: |who| Command::Change(who, Change::ClearBuzz);
        /// Begins to present, if the floor is free or can be taken over.
        take_floor: Command::TakeFloor;
        /// Ends presenting.
        release_floor: Command::ReleaseFloor;
    }

    /// Makes it a host, or a guest.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn role(&self, role: Role) -> Result<(), ApiError> {
        self.change(Change::Role(RoleChange { role })).await
    }

    /// Changes the text over its picture; an empty one takes it away.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn overlay_text(&self, text: impl Into<String>) -> Result<(), ApiError> {
        let text = text.into();
        self.change(Change::OverlayText(OverlayText { text })).await
    }

    /// Moves it to another conference.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn transfer(&self, transfer: Transfer) -> Result<(), ApiError> {
        let command = Command::Transfer(self.uuid.clone(), transfer);
        self.conference.have_done(command).await
    }

    /// Presses telephone keys towards it.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn dtmf(&self, digits: Digits) -> Result<(), ApiError> {
        let command = Command::Dtmf(self.uuid.clone(), Dtmf { digits });
        self.conference.have_done(command).await
    }

    /// Writes a chat message to it alone.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn message(&self, message: MessageText) -> Result<(), ApiError> {
        let command = Command::MessageTo(self.uuid.clone(), message);
        self.conference.have_done(command).await
    }

    /// Starts a call, that is, a media leg; its handle is [`Self::call`] with the uuid returned.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn calls(&self, calls: Calls) -> Result<CallAccepted, ApiError> {
        let command = Command::Calls(self.uuid.clone(), calls);
        match self.conference.ask(command).await? {
            Response::CallAccepted(accepted) => Ok(accepted),
            _ => Err(ApiError::mismatch("calls")),
        }
    }

    async fn change(&self, change: Change) -> Result<(), ApiError> {
        let command = Command::Change(self.uuid.clone(), change);
        self.conference.have_done(command).await
    }
}
