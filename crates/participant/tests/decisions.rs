//! What a participant decides, row by row of its tables, in virtual time.

mod harness;

#[path = "decisions/call.rs"]
mod call;
#[path = "decisions/event_stream.rs"]
mod event_stream;
#[path = "decisions/joining.rs"]
mod joining;
#[path = "decisions/leaving.rs"]
mod leaving;
#[path = "decisions/mending.rs"]
mod mending;
#[path = "decisions/roster.rs"]
mod roster;
#[path = "decisions/statistics.rs"]
mod statistics;
#[path = "decisions/token.rs"]
mod token;
