//! How alike what was sent and what arrived are, in numbers.
//!
//! These are measurements for tests, the demonstration and the announcer's witness; they are no model of human hearing or sight.
//! [`sound`] compares waveforms, [`picture`] compares luma by SSIM ([`ssim`]); both first find where in the recording the clip lies.
//! Neither looks at loudness: a quiet copy is as like as a loud one, and silence is like nothing.

mod band;
pub mod decode;
pub mod picture;
pub mod sound;
pub mod ssim;

#[cfg(test)]
pub(crate) use band::cross_correlation;
