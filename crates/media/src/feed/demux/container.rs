//! What symphonia reads as it comes: Ogg, Matroska, WAV, FLAC, MP3. Opus and pictures are taken as they
//! are, other sound is decoded.

use std::io;
use std::time::Duration;

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::video::well_known::{CODEC_ID_AV1, CODEC_ID_VP8, CODEC_ID_VP9};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{TimeBase, Timestamp};

use super::{Bytes, Demux};
use crate::codec::Codec;
use crate::feed::unit::{Form, Item, PictureForm, Unit};

pub(super) struct Container {
    format: Box<dyn FormatReader>,
    sound: Option<Sound>,
    picture: Option<Pictures>,
    name: &'static str,
}

struct Sound {
    id: u32,
    base: Option<TimeBase>,
    /// `None` where packets are Opus, and taken as they are.
    decoder: Option<Box<dyn AudioDecoder>>,
}

struct Pictures {
    id: u32,
    base: Option<TimeBase>,
    codec: Codec,
    size: Option<(usize, usize)>,
}

impl Container {
    pub(super) fn open(bytes: Bytes) -> Result<Self, String> {
        let stream =
            MediaSourceStream::new(Box::new(ReadOnlySource::new(bytes)), Default::default());
        let format = symphonia::default::get_probe()
            .probe(
                &Hint::new(),
                stream,
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(|error| said(&error))?;
        let sound = format
            .default_track(TrackType::Audio)
            .map(Sound::new)
            .transpose()?;
        let picture = format
            .default_track(TrackType::Video)
            .map(Pictures::new)
            .transpose()?;
        let name = format.format_info().long_name;
        if sound.is_none() && picture.is_none() {
            return Err(format!("writes {name} without sound or picture"));
        }
        Ok(Self {
            format,
            sound,
            picture,
            name,
        })
    }

    /// Makes a unit of a packet; nothing of one that is not ours or cannot be decoded.
    fn unit(&mut self, packet: Packet) -> Result<Option<Item>, String> {
        if let Some(picture) = self.picture.as_ref().filter(|p| p.id == packet.track_id) {
            let unit = Unit::Encoded {
                codec: picture.codec,
                bytes: packet.data.into_vec().into(),
            };
            return Ok(item(picture.base, packet.pts, unit));
        }
        let Some(sound) = self.sound.as_mut().filter(|s| s.id == packet.track_id) else {
            return Ok(None);
        };
        let Some(decoder) = &mut sound.decoder else {
            let unit = Unit::Opus(packet.data.into_vec().into());
            return Ok(item(sound.base, packet.pts, unit));
        };
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(Error::DecodeError(_)) => return Ok(None),
            Err(error) => return Err(said(&error)),
        };
        let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
        let mut interleaved = Vec::new();
        decoded.copy_to_vec_interleaved(&mut interleaved);
        let unit = Unit::Samples {
            rate,
            channels,
            interleaved,
        };
        Ok(item(sound.base, packet.pts, unit))
    }
}

impl Sound {
    fn new(track: &Track) -> Result<Self, String> {
        let parameters = track.codec_params.as_ref().and_then(|all| all.audio());
        let parameters = parameters.ok_or("writes sound of an unknown kind")?;
        let decoder = if parameters.codec == CODEC_ID_OPUS {
            None
        } else {
            let decoder = symphonia::default::get_codecs()
                .make_audio_decoder(parameters, &AudioDecoderOptions::default())
                .map_err(|error| said(&error))?;
            Some(decoder)
        };
        Ok(Self {
            id: track.id,
            base: track.time_base,
            decoder,
        })
    }
}

impl Pictures {
    fn new(track: &Track) -> Result<Self, String> {
        let parameters = track.codec_params.as_ref().and_then(|all| all.video());
        let parameters = parameters.ok_or("writes pictures of an unknown kind")?;
        let codec = match parameters.codec {
            CODEC_ID_VP8 => Codec::Vp8,
            CODEC_ID_VP9 => Codec::Vp9,
            CODEC_ID_AV1 => Codec::Av1,
            other => {
                return Err(format!(
                    "writes pictures in a codec that is not known here ({other})"
                ));
            }
        };
        let size = parameters.width.zip(parameters.height);
        Ok(Self {
            id: track.id,
            base: track.time_base,
            codec,
            size: size.map(|(width, height)| (width.into(), height.into())),
        })
    }
}

impl Demux for Container {
    fn form(&self) -> Form {
        let picture = self.picture.as_ref();
        let sound = self.sound.as_ref().map(|sound| match sound.decoder {
            Some(_) => "sound".to_owned(),
            None => Codec::Opus.to_string(),
        });
        let parts: Vec<String> = sound
            .into_iter()
            .chain(picture.map(|picture| picture.codec.to_string()))
            .collect();
        Form {
            name: format!("{} with {}", self.name, parts.join(" and ")),
            sound: self.sound.is_some(),
            picture: picture.map(|picture| PictureForm {
                codec: Some(picture.codec),
                size: picture.size,
                rate: None,
            }),
        }
    }

    fn next(&mut self) -> Result<Option<Item>, String> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(None),
                // A stream without a stated length ends where its writer ends.
                Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(None);
                }
                Err(error) => return Err(said(&error)),
            };
            if let Some(item) = self.unit(packet)? {
                return Ok(Some(item));
            }
        }
    }
}

fn item(base: Option<TimeBase>, at: Timestamp, unit: Unit) -> Option<Item> {
    let time = base?.calc_time(at)?;
    // What lies before zero is there for a decoder to settle.
    let time = Duration::try_from_secs_f64(time.as_secs_f64()).ok()?;
    Some(Item { time, unit })
}

fn said(error: &Error) -> String {
    match error {
        Error::Unsupported(what) => format!("writes what cannot be decoded here ({what})"),
        Error::ResetRequired => "changed the kind of its sound on the way".into(),
        Error::LimitError(what) => format!("asks for too much ({what})"),
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "ended too early".into()
        }
        other => format!("wrote what makes no sense: {other}"),
    }
}
