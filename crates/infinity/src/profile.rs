//! Which spelling of the API a node speaks.

/// The edition of the API a node speaks to its clients.
///
/// A client needs no profile: it accepts every spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The published guide of Infinity version 10 to the letter.
    V10,
    /// What the official clients of Infinity version 39 expect.
    #[default]
    Modern,
}
