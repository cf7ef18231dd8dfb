
pub mod room;
