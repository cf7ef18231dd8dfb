//! room
pub mod jitter;
pub mod mixer;
pub mod stage;
pub mod voice;
