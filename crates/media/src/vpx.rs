//! VP8 and VP9 by libvpx.
#![expect(
    unsafe_code,
    reason = "libvpx is a C library; this module is its only caller"
)]

use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;
use std::os::raw::c_int;
use std::ptr;
use std::time::Duration;

use bytes::Bytes;
use vpx_sys as vpx;
use vpx_sys::vp8e_enc_control_id as Control;

use crate::codec::Codec;
use crate::error::MediaError;
use crate::picture::Picture;
use crate::video::{Encoded, VideoSettings};

/// Ticks of the encoder's clock a second: RTP's.
const CLOCK: u64 = 90_000;
/// A key frame may take at most this share of an average frame's bits, in percent.
const KEY_FRAME_SHARE: c_int = 600;

/// A libvpx context, destroyed with its owner.
struct Context {
    codec: Codec,
    raw: Box<vpx::vpx_codec_ctx_t>,
}

// SAFETY: a context belongs to no thread; libvpx asks only that it is not used by two at once,
// which `&mut self` on every method grants.
unsafe impl Send for Context {}

impl Context {
    /// Takes the context that `init` fills in.
    fn new(
        codec: Codec,
        init: impl FnOnce(*mut vpx::vpx_codec_ctx_t) -> vpx::vpx_codec_err_t,
    ) -> Result<Self, MediaError> {
        let mut context = Box::new(MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed());
        match init(context.as_mut_ptr()) {
            vpx::VPX_CODEC_OK => {
                // SAFETY: all bits zero is a valid value of this C struct of pointers and enums
                // that have a zero, and libvpx has filled it in.
                let raw = unsafe { context.assume_init() };
                Ok(Self { codec, raw })
            }
            code => Err(refused(codec, &format!("libvpx does not start: {code:?}"))),
        }
    }

    fn check(&self, code: vpx::vpx_codec_err_t) -> Result<(), MediaError> {
        if code == vpx::VPX_CODEC_OK {
            return Ok(());
        }
        // SAFETY: the context is initialised; libvpx returns null or a string of its own that
        // lives until the next call.
        let detail = unsafe {
            let text = vpx::vpx_codec_error_detail(ptr::from_ref(&*self.raw).cast_mut());
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        };
        Err(refused(
            self.codec,
            &format!("{code:?}, {}", detail.unwrap_or_default()),
        ))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed here alone.
        unsafe { vpx::vpx_codec_destroy(&mut *self.raw) };
    }
}

/// Encodes pictures as they come, one frame for each.
pub(crate) struct VpxEncoder {
    context: Context,
    config: vpx::vpx_codec_enc_cfg_t,
    settings: VideoSettings,
    next_pts: i64,
    /// Frames since the last key frame, that one included.
    since_key: u32,
}

// SAFETY: `config` holds null pointers alone (no two-pass statistics are set).
unsafe impl Send for VpxEncoder {}

impl fmt::Debug for VpxEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VpxEncoder({}, {:?})", self.context.codec, self.settings)
    }
}

impl VpxEncoder {
    /// Makes a real-time encoder of VP8 or VP9 with a constant bit rate.
    ///
    /// # Errors
    ///
    /// Fails if a setting is out of range.
    pub(crate) fn new(codec: Codec, settings: VideoSettings) -> Result<Self, MediaError> {
        settings.check(codec, None)?;
        // SAFETY: these return addresses of tables inside libvpx.
        let interface = unsafe {
            if codec == Codec::Vp9 {
                vpx::vpx_codec_vp9_cx()
            } else {
                vpx::vpx_codec_vp8_cx()
            }
        };
        let mut config = MaybeUninit::<vpx::vpx_codec_enc_cfg_t>::zeroed();
        // SAFETY: libvpx fills in the whole struct when it returns VPX_CODEC_OK.
        let mut config = unsafe {
            let code = vpx::vpx_codec_enc_config_default(interface, config.as_mut_ptr(), 0);
            if code != vpx::VPX_CODEC_OK {
                return Err(refused(codec, &format!("libvpx has no defaults: {code:?}")));
            }
            config.assume_init()
        };
        config.g_w = settings.width as u32;
        config.g_h = settings.height as u32;
        config.g_threads = 1;
        config.g_timebase.num = 1;
        config.g_timebase.den = CLOCK as c_int;
        config.g_lag_in_frames = 0;
        config.rc_end_usage = vpx::vpx_rc_mode::VPX_CBR;
        config.rc_target_bitrate = settings.bit_rate / 1000;
        config.rc_dropframe_thresh = 0;
        config.rc_min_quantizer = 4;
        config.rc_max_quantizer = 56;
        config.rc_undershoot_pct = 100;
        config.rc_overshoot_pct = 15;
        config.rc_buf_sz = 1000;
        config.rc_buf_initial_sz = 500;
        config.rc_buf_optimal_sz = 600;
        // Key frames come when asked for or due, and not where libvpx sees a new scene.
        config.kf_mode = vpx::vpx_kf_mode::VPX_KF_FIXED;
        let mut context = Context::new(codec, |context| {
            // SAFETY: `context` is zeroed memory of the right type, `config` comes from libvpx.
            unsafe {
                vpx::vpx_codec_enc_init_ver(
                    context,
                    interface,
                    &config,
                    0,
                    vpx::VPX_ENCODER_ABI_VERSION as c_int,
                )
            }
        })?;
        let mut controls = vec![
            (Control::VP8E_SET_CPUUSED, speed(codec)),
            (Control::VP8E_SET_STATIC_THRESHOLD, 1),
            (Control::VP8E_SET_MAX_INTRA_BITRATE_PCT, KEY_FRAME_SHARE),
        ];
        if codec == Codec::Vp9 {
            // Cyclic refresh, as for every real-time picture, and one thread.
            controls.extend([
                (Control::VP9E_SET_AQ_MODE, 3),
                (Control::VP9E_SET_ROW_MT, 0),
            ]);
        }
        for (control, value) in controls {
            // SAFETY: the context is initialised, and each of these controls takes one int.
            let code =
                unsafe { vpx::vpx_codec_control_(&mut *context.raw, control as c_int, value) };
            context.check(code)?;
        }
        Ok(Self {
            context,
            config,
            settings,
            next_pts: 0,
            since_key: 0,
        })
    }

    /// Encodes one picture, as a key frame if `key`. Media times rise; the first frame is a key frame.
    ///
    /// # Errors
    ///
    /// Fails if the picture is of another size than the encoder.
    pub(crate) fn encode(
        &mut self,
        picture: &Picture,
        media_time: Duration,
        key: bool,
    ) -> Result<Encoded, MediaError> {
        let codec = self.context.codec;
        self.settings.check(codec, Some(picture))?;
        let ticks = u128::from(CLOCK) * media_time.as_nanos() / 1_000_000_000;
        let pts = i64::try_from(ticks).unwrap_or(i64::MAX).max(self.next_pts);
        self.next_pts = pts + 1;
        let duration = CLOCK / u64::from(self.settings.frame_rate);
        let key = key || self.since_key >= self.settings.key_interval;
        let flags = if key {
            i64::from(vpx::VPX_EFLAG_FORCE_KF)
        } else {
            0
        };

        let mut image = MaybeUninit::<vpx::vpx_image_t>::zeroed();
        let planes = picture.planes();
        // SAFETY: wrapping touches the descriptor alone; planes and strides are then set to those
        // of the picture, which outlives the call and is only read, whatever the pointers' type.
        let mut image = unsafe {
            let wrapped = vpx::vpx_img_wrap(
                image.as_mut_ptr(),
                vpx::vpx_img_fmt::VPX_IMG_FMT_I420,
                picture.width() as u32,
                picture.height() as u32,
                1,
                planes[0].as_ptr().cast_mut(),
            );
            if wrapped.is_null() {
                return Err(refused(codec, "libvpx refuses the picture"));
            }
            image.assume_init()
        };
        for (at, (plane, stride)) in planes.iter().zip(picture.strides()).enumerate() {
            image.planes[at] = plane.as_ptr().cast_mut();
            image.stride[at] = stride as c_int;
        }
        // SAFETY: context and image are initialised; the image is read during the call alone,
        // since there is no lag.
        let code = unsafe {
            vpx::vpx_codec_encode(
                &mut *self.context.raw,
                &image,
                pts,
                duration,
                flags,
                u64::from(vpx::VPX_DL_REALTIME),
            )
        };
        self.context.check(code)?;

        let mut iterator: vpx::vpx_codec_iter_t = ptr::null();
        loop {
            // SAFETY: the context is initialised; a packet and its bytes live until the next call
            // of encode, and are copied before.
            let packet = unsafe {
                vpx::vpx_codec_get_cx_data(&mut *self.context.raw, &mut iterator).as_ref()
            };
            let Some(packet) = packet else {
                return Err(refused(codec, "libvpx gave no frame for a picture"));
            };
            if packet.kind != vpx::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: the kind says which member of the union is set.
            let bytes = unsafe {
                let frame = packet.data.frame;
                std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz as usize)
            };
            let is_key = codec.is_key_frame(bytes);
            self.since_key = if is_key { 1 } else { self.since_key + 1 };
            return Ok(Encoded {
                is_key,
                bytes: Bytes::copy_from_slice(bytes),
                media_time,
            });
        }
    }

    /// Sets the bit rate in bits a second, from the next picture on.
    ///
    /// # Errors
    ///
    /// Fails if it is out of range.
    pub(crate) fn set_bit_rate(&mut self, bit_rate: u32) -> Result<(), MediaError> {
        let settings = VideoSettings {
            bit_rate,
            ..self.settings
        };
        settings.check(self.context.codec, None)?;
        self.settings = settings;
        self.config.rc_target_bitrate = bit_rate / 1000;
        // SAFETY: the context is initialised and the configuration is the one it was made with.
        let code = unsafe { vpx::vpx_codec_enc_config_set(&mut *self.context.raw, &self.config) };
        self.context.check(code)
    }
}

/// Decodes frames of VP8 or VP9 into pictures.
pub(crate) struct VpxDecoder {
    context: Context,
}

impl fmt::Debug for VpxDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VpxDecoder({})", self.context.codec)
    }
}

impl VpxDecoder {
    /// Makes a decoder.
    ///
    /// # Errors
    ///
    /// Fails if libvpx cannot start one.
    pub(crate) fn new(codec: Codec) -> Result<Self, MediaError> {
        let context = Context::new(codec, |context| {
            // SAFETY: `context` is zeroed memory of the right type; no configuration means defaults.
            unsafe {
                let interface = if codec == Codec::Vp9 {
                    vpx::vpx_codec_vp9_dx()
                } else {
                    vpx::vpx_codec_vp8_dx()
                };
                let version = vpx::VPX_DECODER_ABI_VERSION as c_int;
                vpx::vpx_codec_dec_init_ver(context, interface, ptr::null(), 0, version)
            }
        })?;
        Ok(Self { context })
    }

    /// Decodes one frame, which is not empty: that would mean "lost" to libvpx. A frame that is not to be shown gives no picture.
    ///
    /// # Errors
    ///
    /// Fails on a malformed frame, or one that needs another which was not decoded.
    pub(crate) fn decode(&mut self, encoded: &[u8]) -> Result<Option<Picture>, MediaError> {
        let length = u32::try_from(encoded.len())
            .map_err(|_| refused(self.context.codec, "a frame over 4 GB"))?;
        // SAFETY: the context is initialised; the bytes are read during the call alone.
        let code = unsafe {
            vpx::vpx_codec_decode(
                &mut *self.context.raw,
                encoded.as_ptr(),
                length,
                ptr::null_mut(),
                0,
            )
        };
        self.context.check(code)?;
        let mut iterator: vpx::vpx_codec_iter_t = ptr::null();
        let mut picture = None;
        loop {
            // SAFETY: the context is initialised; an image lives until the next call of decode.
            let image =
                unsafe { vpx::vpx_codec_get_frame(&mut *self.context.raw, &mut iterator).as_ref() };
            let Some(image) = image else {
                return Ok(picture);
            };
            let copied = copy(image)
                .ok_or_else(|| refused(self.context.codec, "pictures that are not 8-bit 4:2:0"))?;
            picture = Some(copied);
        }
    }
}

/// Copies a decoded image.
fn copy(image: &vpx::vpx_image_t) -> Option<Picture> {
    if image.fmt != vpx::vpx_img_fmt::VPX_IMG_FMT_I420 {
        return None;
    }
    let (width, height) = (image.d_w as usize, image.d_h as usize);
    let plane = |at: usize, width: usize, height: usize| {
        let stride = usize::try_from(image.stride[at]).unwrap_or(0).max(width);
        let mut bytes = Vec::with_capacity(width * height);
        for row in 0..height {
            // SAFETY: libvpx's plane holds `height` rows of `stride` bytes, at least `width` of
            // which are pixels; the image is borrowed until after the copy.
            let row =
                unsafe { std::slice::from_raw_parts(image.planes[at].add(row * stride), width) };
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

/// libvpx's fixed speed; higher is faster and coarser (VP8 goes to 16, VP9 to 9).
fn speed(codec: Codec) -> c_int {
    // Negative for VP8: the speed is then kept whatever the time a picture takes.
    if codec == Codec::Vp9 { 8 } else { -6 }
}

fn refused(codec: Codec, reason: &str) -> MediaError {
    MediaError::Coder {
        codec,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
