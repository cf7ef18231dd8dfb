//! Single requests of the client REST API, as calls on handles.
//!
//! A [`Conference`] is what requests go to, with or without a token; a [`Participant`] is one row
//! of its roster, a [`Call`] one media leg of a participant. They make the same
//! [`infinity::Command`]s as a [`crate::Caller`] does and send them the same way; what a node
//! answers comes back as a type, what it refuses as [`ApiError`], which says what to do.
//!
//! A conference is entered by [`Conference::request_token`], or it is that of a running caller
//! ([`crate::Caller::conference`]), whose token the requests then carry.
//!
//! ```no_run
//! use driver::api::{Conference, Entrance};
//! use driver::{HttpClient, Tls};
//! use infinity::Pin;
//!
//! # async fn mute_all_but_one() -> Result<(), Box<dyn std::error::Error>> {
//! let client = HttpClient::new(&Tls::SystemRoots)?;
//! let node = "https://node.example.com".parse()?;
//! let conference = Conference::at(client, node, "meet.alice".parse()?);
//! let entrance = Entrance::named("Caretaker").with_pin(Pin::new("1234"));
//! conference.request_token(&entrance).await?;
//!
//! conference.mute_guests().await?;
//! for row in conference.participants().await? {
//!     if row.display_name == "Bea" {
//!         conference.participant(row.uuid).unmute().await?;
//!     }
//! }
//! conference.release_token(Some("done")).await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod call;
mod conference;
mod entrance;
mod error;
mod events;
mod participant;
mod picture;

pub use access::Membership;
pub use call::Call;
pub use conference::{Conference, status};
pub use entrance::Entrance;
pub use error::ApiError;
pub use events::{EventStream, Heard};
pub use participant::Participant;
pub use picture::{PictureRequest, TokenPlace};

pub(crate) use access::Access;
