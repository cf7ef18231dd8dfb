//! The media of one conference: a mix for everyone, the speaker's video for everyone.
//!
//! | Module | Holds |
//! |---|---|
//! | `mixer` | who hears what, 20 ms at a time; pure |
//! | `jitter` | packets in any order to sound in order; pure |
//! | `voice`, `stage` | who speaks, who spoke last, whom everyone sees; pure |
//! | `types` | settings, refusals and events |

mod babble;
mod jitter;
mod mixer;
mod stage;
mod types;
mod view;
mod voice;

pub use types::{Admission, CallRefused, CallSettings, MediaFaults, RoomEvent, RoomSettings};
