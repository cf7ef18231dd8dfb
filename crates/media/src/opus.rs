//! Opus: 48 kHz samples to packets of 20 ms and back.

use bytes::Bytes;
use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder, Signal};

use crate::codec::Codec;
use crate::error::MediaError;

/// Samples a second, on each channel.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one 20 ms packet, on each channel.
pub const SAMPLES_PER_PACKET: usize = 960;

/// Packets of this many bytes are never made: they must fit one RTP payload.
const MAX_PACKET: usize = 1150;
/// Samples of the longest packet there is, 120 ms, on each channel.
const LONGEST: usize = 5760;

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpusSettings {
    /// One channel or two.
    pub channels: u8,
    /// Bits a second.
    pub bit_rate: u32,
    /// Whether packets carry a coarse copy of the one before (RFC 6716 §2.1.7).
    pub fec: bool,
    /// Whether packets of silence are left out, all but one in twenty (RFC 7587 §3.1.3).
    pub dtx: bool,
    /// The highest rate at which the receiver plays, in samples a second: half of it is the highest
    /// tone worth encoding.
    pub playback_rate: u32,
    /// The most bits a second that the receiver takes: what was encoded elsewhere with more is encoded
    /// anew. Any number where nothing is said.
    pub limit: Option<u32>,
}

impl Default for OpusSettings {
    fn default() -> Self {
        Self {
            channels: 1,
            bit_rate: 48_000,
            fec: true,
            dtx: false,
            playback_rate: SAMPLE_RATE,
            limit: None,
        }
    }
}

/// Encodes samples into packets of 20 ms.
#[derive(Debug)]
pub struct OpusEncoder {
    encoder: Encoder,
    channels: usize,
    lookahead: usize,
}

impl OpusEncoder {
    /// Makes an encoder.
    ///
    /// # Errors
    ///
    /// Fails if a setting is out of libopus's range.
    pub fn new(settings: OpusSettings) -> Result<Self, MediaError> {
        let channels = channels(settings.channels)?;
        let make = || -> opus::Result<(Encoder, usize)> {
            let mut encoder = Encoder::new(SAMPLE_RATE, channels, Application::Audio)?;
            let bit_rate = settings.bit_rate.min(settings.limit.unwrap_or(u32::MAX));
            encoder.set_bitrate(Bitrate::Bits(i32::try_from(bit_rate).unwrap_or(i32::MAX)))?;
            encoder.set_max_bandwidth(bandwidth(settings.playback_rate))?;
            encoder.set_dtx(settings.dtx)?;
            encoder.set_inband_fec(settings.fec)?;
            if settings.fec {
                // libopus spends bits on redundancy only if it expects loss, and only in the
                // modes it uses for voice.
                encoder.set_packet_loss_perc(10)?;
                encoder.set_signal(Signal::Voice)?;
            }
            let lookahead = encoder.get_lookahead()?;
            Ok((encoder, usize::try_from(lookahead).unwrap_or(0)))
        };
        let (encoder, lookahead) = make().map_err(refused)?;
        Ok(Self {
            encoder,
            channels: settings.channels.into(),
            lookahead,
        })
    }

    /// Returns by how many samples, on each channel, what is decoded lags behind what was encoded.
    pub fn lookahead(&self) -> usize {
        self.lookahead
    }

    /// Encodes exactly 20 ms: 960 samples for each channel, interleaved, within ±1.
    ///
    /// # Errors
    ///
    /// Fails on any other number of samples.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Bytes, MediaError> {
        if samples.len() != SAMPLES_PER_PACKET * self.channels {
            return Err(coder(format!(
                "a packet takes {} samples, not {}",
                SAMPLES_PER_PACKET * self.channels,
                samples.len()
            )));
        }
        self.encoder
            .encode_vec_float(samples, MAX_PACKET)
            .map(Bytes::from)
            .map_err(refused)
    }

    /// Encodes as [`OpusEncoder::encode`] does; nothing where DTX says that the packet need not be sent.
    ///
    /// # Errors
    ///
    /// Fails on any other number of samples.
    pub fn encode_unless_silent(&mut self, samples: &[f32]) -> Result<Option<Bytes>, MediaError> {
        // Two bytes or fewer are such a packet (opus.h, opus_encode).
        let packet = self.encode(samples)?;
        let is_wanted = packet.len() > 2 || !self.encoder.get_dtx().map_err(refused)?;
        Ok(Some(packet).filter(|_| is_wanted))
    }

    /// Sets the bit rate in bits a second.
    ///
    /// # Errors
    ///
    /// Fails if libopus finds it out of range.
    pub fn set_bit_rate(&mut self, bit_rate: u32) -> Result<(), MediaError> {
        let bits = i32::try_from(bit_rate).unwrap_or(i32::MAX);
        self.encoder
            .set_bitrate(Bitrate::Bits(bits))
            .map_err(refused)
    }
}

/// Decodes packets into samples, and makes up for missing ones.
#[derive(Debug)]
pub struct OpusDecoder {
    decoder: Decoder,
    channels: usize,
    buffer: Vec<f32>,
    /// Samples of the last packet, on each channel: how long a missing one is taken to have been.
    last: usize,
}

impl OpusDecoder {
    /// Makes a decoder to one or two channels, whatever packets hold.
    ///
    /// # Errors
    ///
    /// Fails on another number of channels.
    pub fn new(channels: u8) -> Result<Self, MediaError> {
        Self::at_rate(SAMPLE_RATE, channels)
    }

    /// Makes a decoder that gives `rate` samples a second: 8, 12, 16, 24 or 48 thousand.
    ///
    /// # Errors
    ///
    /// Fails on another rate or number of channels.
    pub fn at_rate(rate: u32, channels: u8) -> Result<Self, MediaError> {
        let decoder = Decoder::new(rate, self::channels(channels)?).map_err(refused)?;
        let channels = usize::from(channels);
        Ok(Self {
            decoder,
            channels,
            buffer: vec![0.0; LONGEST * channels],
            last: rate as usize / 50,
        })
    }

    /// Decodes a packet; returns interleaved samples.
    ///
    /// # Errors
    ///
    /// Fails if it is malformed.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[f32], MediaError> {
        if packet.is_empty() {
            return Err(coder("an empty packet".into()));
        }
        let count = self
            .decoder
            .decode_float(packet, &mut self.buffer, false)
            .map_err(refused)?;
        self.last = count;
        Ok(&self.buffer[..count * self.channels])
    }

    /// Returns how many samples the last packet had, on each channel: so long a missing one is taken
    /// to have been.
    pub fn last_samples(&self) -> usize {
        self.last
    }

    /// Makes up for one missing packet: from the redundancy in the packet after it, if that has
    /// come and has any, else from what was heard before. Call before decoding `next`.
    ///
    /// # Errors
    ///
    /// Fails if `next` is malformed.
    pub fn conceal(&mut self, next: Option<&[u8]>) -> Result<&[f32], MediaError> {
        let window = &mut self.buffer[..self.last * self.channels];
        let count = match next.filter(|packet| !packet.is_empty()) {
            Some(packet) => self.decoder.decode_float(packet, window, true),
            None => self.decoder.decode_float(&[], window, false),
        };
        let count = count.map_err(refused)?;
        Ok(&self.buffer[..count * self.channels])
    }
}

/// Returns the widest band that is heard at so many samples a second (RFC 7587 §3.1.1).
fn bandwidth(playback_rate: u32) -> Bandwidth {
    match playback_rate {
        0..=8_000 => Bandwidth::Narrowband,
        8_001..=12_000 => Bandwidth::Mediumband,
        12_001..=16_000 => Bandwidth::Wideband,
        16_001..=24_000 => Bandwidth::Superwideband,
        _ => Bandwidth::Fullband,
    }
}

fn channels(count: u8) -> Result<Channels, MediaError> {
    match count {
        1 => Ok(Channels::Mono),
        2 => Ok(Channels::Stereo),
        other => Err(coder(format!("one channel or two, not {other}"))),
    }
}

fn refused(error: opus::Error) -> MediaError {
    coder(error.to_string())
}

fn coder(reason: String) -> MediaError {
    MediaError::Coder {
        codec: Codec::Opus,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something voice-like: a gliding tone with overtones, in and out.
    fn voice(packets: usize) -> Vec<f32> {
        let mut phase = 0.0f32;
        (0..packets * SAMPLES_PER_PACKET)
            .map(|n| {
                let t = n as f32 / SAMPLE_RATE as f32;
                phase += (140.0 + 40.0 * (3.0 * t).sin()) / SAMPLE_RATE as f32;
                let loudness = 0.3 * (0.5 + 0.5 * (9.0 * t).sin());
                let tone = |k: f32| (std::f32::consts::TAU * phase * k).sin() / k;
                loudness * (tone(1.0) + tone(2.0) + tone(3.0) + tone(5.0))
            })
            .collect()
    }

    fn correlation(a: &[f32], b: &[f32]) -> f32 {
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-9)
    }

    fn encode(samples: &[f32], settings: OpusSettings) -> (Vec<Bytes>, usize) {
        let mut encoder = OpusEncoder::new(settings).unwrap();
        let packets = samples
            .chunks_exact(SAMPLES_PER_PACKET)
            .map(|chunk| encoder.encode(chunk).unwrap())
            .collect();
        (packets, encoder.lookahead())
    }

    #[test]
    fn what_is_decoded_is_what_was_encoded() {
        let samples = voice(50);
        let (packets, lookahead) = encode(&samples, OpusSettings::default());
        let mut decoder = OpusDecoder::new(1).unwrap();
        let heard: Vec<f32> = packets
            .iter()
            .flat_map(|packet| decoder.decode(packet).unwrap().to_vec())
            .collect();
        let alike = correlation(&samples, &heard[lookahead..]);
        assert!(alike > 0.95, "{alike}");
        let shifted = correlation(&samples, &heard[lookahead + 5000..]);
        assert!(shifted < 0.6, "{shifted}");
    }

    /// Decodes with every sixth packet missing; `fec` says whether redundancy is used.
    fn with_loss(packets: &[Bytes], fec: bool) -> Vec<f32> {
        let mut decoder = OpusDecoder::new(1).unwrap();
        let mut heard = Vec::new();
        for (at, packet) in packets.iter().enumerate() {
            if at % 6 == 5 {
                let next = packets.get(at + 1).filter(|_| fec).map(|p| &p[..]);
                heard.extend_from_slice(decoder.conceal(next).unwrap());
            } else {
                heard.extend_from_slice(decoder.decode(packet).unwrap());
            }
        }
        heard
    }

    #[test]
    fn redundancy_helps() {
        let samples = voice(150);
        let (packets, lookahead) = encode(&samples, OpusSettings::default());
        let score = |heard: Vec<f32>| correlation(&samples, &heard[lookahead..]);
        let (with, without) = (
            score(with_loss(&packets, true)),
            score(with_loss(&packets, false)),
        );
        assert!(with > without + 0.01, "{with} against {without}");
        assert!(with > 0.9, "{with}");
    }

    #[test]
    fn rubbish_is_an_error() {
        let mut decoder = OpusDecoder::new(1).unwrap();
        assert!(decoder.decode(&[]).is_err());
        assert!(decoder.decode(&[0xff, 0xff, 0xff]).is_err());
        assert_eq!(decoder.conceal(None).unwrap().len(), SAMPLES_PER_PACKET);
        assert!(
            OpusEncoder::new(OpusSettings {
                channels: 3,
                ..Default::default()
            })
            .is_err()
        );
        let mut encoder = OpusEncoder::new(OpusSettings::default()).unwrap();
        assert!(encoder.encode(&[0.0; 959]).is_err());
    }
}
