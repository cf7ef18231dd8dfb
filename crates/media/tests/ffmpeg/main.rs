//! Against the tools that people use: what ffmpeg writes is read packet for packet, what is
//! recorded here is read by ffmpeg without complaint. Everything is made when the test runs.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod encoded; // what is encoded here is decoded by ffmpeg
mod pictures; // pictures in every kind of file are read at their times
mod place;
mod read; // what ffmpeg writes is read
mod recorded; // what is recorded here is read by ffmpeg, and read back
mod sound; // sound in every kind of file is heard as it was
mod wrong; // cut, broken and wrong files say what is wrong
