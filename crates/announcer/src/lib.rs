//! Says something once into a conference, and tells the truth about whether it was heard.
//!
//! An announcement is a caller of `driver` with a clip: it joins, lets silence flow until it is in
//! the conference and can be heard, plays the clip once from its first sample, stays until the
//! node's reports cover the last packet, and leaves with a [`Receipt`]. What it makes of what it
//! sees is decided in one place, without IO and without a clock.
#![warn(missing_docs)]

mod announce;
mod hearing;
mod receipt;
mod tally;
mod verdict;

pub use announce::{AnnounceError, announce};
pub use hearing::Limits;
pub use receipt::{PictureReceipt, Receipt};
pub use verdict::{NotHeard, Verdict};
