//! AV1 by dav1d.
#![expect(
    unsafe_code,
    reason = "dav1d is a C library; this module is its only caller"
)]

use std::ffi::c_int;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use dav1d_sys as dav1d;

use super::refused;
use crate::decoder::MAX_PIXELS;
use crate::error::MediaError;
use crate::picture::Picture;

/// Decodes temporal units into pictures.
pub(crate) struct Av1Decoder {
    context: NonNull<dav1d::Dav1dContext>,
}

// SAFETY: a context belongs to no thread; dav1d asks only that it is not used by two at once, which
// `&mut self` on every method grants.
unsafe impl Send for Av1Decoder {}

impl fmt::Debug for Av1Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Av1Decoder")
    }
}

impl Av1Decoder {
    /// Makes a decoder that works in the thread of its caller.
    ///
    /// # Errors
    ///
    /// Fails if dav1d cannot start one.
    pub(crate) fn new() -> Result<Self, MediaError> {
        let mut settings = MaybeUninit::uninit();
        // SAFETY: dav1d fills all of them in.
        let mut settings = unsafe {
            dav1d::dav1d_default_settings(settings.as_mut_ptr());
            settings.assume_init()
        };
        settings.n_threads = 1;
        settings.max_frame_delay = 1;
        settings.all_layers = 0;
        settings.frame_size_limit = MAX_PIXELS;
        // Or it prints a line for each malformed frame.
        settings.logger = dav1d::Dav1dLogger {
            cookie: ptr::null_mut(),
            callback: ptr::null_mut(),
        };
        let mut context = ptr::null_mut();
        // SAFETY: both pointers are valid during the call, and the settings are whole.
        let code = unsafe { dav1d::dav1d_open(&mut context, &settings) };
        match NonNull::new(context) {
            Some(context) if code == 0 => Ok(Self { context }),
            _ => Err(refused(format!("dav1d does not start ({code})"))),
        }
    }

    /// Decodes one temporal unit, which is not empty; one that is not to be shown gives no picture.
    ///
    /// # Errors
    ///
    /// Fails on a malformed unit, or one that needs another which was not decoded.
    pub(crate) fn decode(&mut self, encoded: &[u8]) -> Result<Option<Picture>, MediaError> {
        let decoded = Unit::new(encoded).and_then(|unit| self.picture(unit));
        if decoded.is_err() {
            // With whatever was left of the unit, which must not stand before the next one.
            // SAFETY: the context is open.
            unsafe { dav1d::dav1d_flush(self.context.as_ptr()) };
        }
        decoded
    }

    fn picture(&mut self, mut unit: Unit) -> Result<Option<Picture>, MediaError> {
        let mut picture = None;
        loop {
            if !unit.is_taken() {
                // SAFETY: the context is open, and the unit is one that dav1d made.
                again(unsafe { dav1d::dav1d_send_data(self.context.as_ptr(), &mut unit.0) })?;
            }
            let mut decoded = Decoded::nothing();
            // SAFETY: the context is open, and what was decoded is empty.
            match again(unsafe { dav1d::dav1d_get_picture(self.context.as_ptr(), &mut decoded.0) })?
            {
                true if unit.is_taken() => return Ok(picture),
                true => return Err(refused("not a frame that can be decoded".into())),
                false => picture = Some(decoded.copy().ok_or_else(not_ours)?),
            }
        }
    }
}

impl Drop for Av1Decoder {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: the context is open, and is not used any more.
        unsafe { dav1d::dav1d_close(&mut context) };
    }
}

/// Whether dav1d wants something else first.
fn again(code: c_int) -> Result<bool, MediaError> {
    match code {
        0 => Ok(false),
        dav1d::DAV1D_ERR_AGAIN => Ok(true),
        _ => Err(refused(format!("not a frame that can be decoded ({code})"))),
    }
}

fn not_ours() -> MediaError {
    refused("pictures that are not 8-bit 4:2:0".into())
}

/// A temporal unit in memory of dav1d's, which keeps what it refers to.
struct Unit(dav1d::Dav1dData);

impl Unit {
    fn new(encoded: &[u8]) -> Result<Self, MediaError> {
        // SAFETY: all bits zero is a valid value of this C struct of pointers and numbers.
        let mut unit = Self(unsafe { MaybeUninit::zeroed().assume_init() });
        // SAFETY: dav1d gives memory of this length, or nothing.
        let memory = unsafe { dav1d::dav1d_data_create(&mut unit.0, encoded.len()) };
        if memory.is_null() {
            return Err(refused("there is no memory for a frame".into()));
        }
        // SAFETY: it was just made, of this length, and nobody else has it.
        unsafe { memory.copy_from_nonoverlapping(encoded.as_ptr(), encoded.len()) };
        Ok(unit)
    }

    fn is_taken(&self) -> bool {
        self.0.sz == 0
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: it refers to memory of dav1d's, or to nothing if that was taken.
        unsafe { dav1d::dav1d_data_unref(&mut self.0) };
    }
}

/// A picture in memory of dav1d's.
struct Decoded(dav1d::Dav1dPicture);

impl Decoded {
    fn nothing() -> Self {
        // SAFETY: all bits zero is a valid value of this C struct of pointers and numbers.
        Self(unsafe { MaybeUninit::zeroed().assume_init() })
    }

    /// Copies it, if it is 8-bit 4:2:0.
    fn copy(&self) -> Option<Picture> {
        let described = &self.0.p;
        if described.bpc != 8 || described.layout != dav1d::DAV1D_PIXEL_LAYOUT_I420 {
            return None;
        }
        let width = usize::try_from(described.w).ok()?;
        let height = usize::try_from(described.h).ok()?;
        let plane = |at: usize, width: usize, height: usize| {
            let stride = self.0.stride[at.min(1)];
            let start: *const u8 = self.0.data[at].cast_const().cast();
            let mut bytes = Vec::with_capacity(width * height);
            for row in 0..height as isize {
                // SAFETY: dav1d's plane holds `height` rows that lie `stride` bytes apart, with `width`
                // pixels each; the picture is kept until after the copy.
                let row = unsafe { std::slice::from_raw_parts(start.offset(row * stride), width) };
                bytes.extend_from_slice(row);
            }
            bytes
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        Picture::from_planes(
            width,
            height,
            [
                plane(0, width, height),
                plane(1, half_width, half_height),
                plane(2, half_width, half_height),
            ],
        )
    }
}

impl Drop for Decoded {
    fn drop(&mut self) {
        // SAFETY: it refers to a picture of dav1d's, or to nothing.
        unsafe { dav1d::dav1d_picture_unref(&mut self.0) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Command;

    use super::*;

    /// Set in the process that decodes, to whether it is to print something itself.
    const DECODES: &str = "STANDIN_TEST_DECODES";

    #[test]
    fn malformed_frames_are_refused_in_silence() {
        if let Ok(what) = std::env::var(DECODES) {
            let mut decoder = Av1Decoder::new().unwrap();
            // A sequence header that ends too early, and a frame without one.
            for malformed in [&[0x12, 0, 0x0a, 2, 0, 0][..], &[0x32, 3, 0xff, 0xff, 0xff]] {
                assert!(decoder.decode(malformed).is_err());
            }
            if what == "and prints" {
                std::io::stderr().write_all(b"a line\n").unwrap();
            }
            return;
        }
        let printed = |what: &str| {
            let name = "av1::decode::tests::malformed_frames_are_refused_in_silence";
            let ran = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env(DECODES, what)
                .output()
                .unwrap();
            let listed = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert!(
                ran.status.success() && listed.contains("1 passed"),
                "{listed}"
            );
            String::from_utf8_lossy(&ran.stderr).into_owned()
        };
        assert_eq!(printed("in silence"), "");
        // Control: what is printed is seen.
        assert_eq!(printed("and prints"), "a line\n");
    }
}
