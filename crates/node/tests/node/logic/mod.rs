//! The logic of a conference in virtual time: hours in microseconds, no sockets.

mod effects;
mod meeting;
mod time;
mod week;
