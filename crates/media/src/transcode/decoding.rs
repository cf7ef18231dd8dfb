//! The pictures of a film, one after the other in the order they are shown.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::raw;
use crate::codec::Codec;
use crate::decoder::VideoDecoder;
use crate::error::MediaError;
use crate::film::{Coding, Film};
use crate::picture::Picture;

/// Decodes a film from one of its key frames on.
pub(super) struct Decoding<'a> {
    film: &'a Film,
    decoder: Option<VideoDecoder>,
    /// The next frame to decode.
    next: usize,
    /// When the pictures are shown that are inside the decoder.
    inside: BinaryHeap<Reverse<Duration>>,
    /// Pictures that are decoded and not yet taken.
    ready: VecDeque<(Duration, Picture)>,
    /// What a decoder said last.
    trouble: Option<String>,
}

impl<'a> Decoding<'a> {
    /// Begins at the beginning.
    pub(super) fn new(film: &'a Film) -> Result<Self, MediaError> {
        Ok(Self {
            decoder: decoder(film)?,
            film,
            next: 0,
            inside: BinaryHeap::new(),
            ready: VecDeque::new(),
            trouble: None,
        })
    }

    /// Goes to the last key frame that is shown at `time` or before, unless what is decoded next
    /// leads there anyway.
    pub(super) fn go_to(&mut self, time: Duration) -> Result<(), MediaError> {
        let frames = self.film.frames();
        let shown = |at: usize| frames.get(at).map(|frame| frame.shown);
        let key = |from: usize| {
            (from..frames.len())
                .take_while(|at| {
                    shown(*at).is_some_and(|shown| shown <= time) || !frames[*at].is_key
                })
                .filter(|at| frames[*at].is_key && frames[*at].shown <= time)
                .last()
        };
        let passed = self.ready.front().map(|(shown, _)| *shown);
        let passed = passed.or(self.inside.peek().map(|Reverse(shown)| *shown));
        let passed = passed.or(shown(self.next));
        let (behind, ahead) = match passed {
            Some(passed) if passed <= time => (false, key(self.next)),
            _ => (true, key(0)),
        };
        // A key frame ahead saves decoding what lies before it.
        let Some(start) = ahead.or(behind.then_some(0)) else {
            return Ok(());
        };
        if start != self.next {
            self.decoder = decoder(self.film)?;
            self.inside.clear();
            self.ready.clear();
            self.next = start;
        }
        Ok(())
    }

    /// Returns the next picture and when it is shown; `None` at the end. A frame that cannot be decoded
    /// shows nothing.
    pub(super) fn next(&mut self) -> Option<(Duration, Picture)> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            let Some(frame) = self.film.frames().get(self.next) else {
                self.finish();
                return self.ready.pop_front();
            };
            self.next += 1;
            let Some(decoder) = &mut self.decoder else {
                let Coding::Raw(sampling) = self.film.coding else {
                    return None;
                };
                let size = (self.film.width as usize, self.film.height as usize);
                if let Some(picture) = raw::from_raw(&frame.bytes, size, sampling) {
                    return Some((frame.shown, picture));
                }
                continue;
            };
            match decoder.decode(&frame.bytes) {
                Ok(picture) if self.film.character.is_reordered => {
                    self.inside.push(Reverse(frame.shown));
                    if let Some(picture) = picture {
                        self.put(picture);
                    }
                }
                Ok(Some(picture)) => return Some((frame.shown, picture)),
                Ok(None) => {}
                Err(error) => self.trouble = Some(error.to_string()),
            }
        }
    }

    /// Returns what the decoder complained about last.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }

    fn finish(&mut self) {
        let Some(decoder) = self.decoder.take() else {
            return;
        };
        match decoder.finish() {
            Ok(rest) => rest.into_iter().for_each(|picture| self.put(picture)),
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }

    /// Takes a picture in the order they are shown: it is the earliest of those inside.
    fn put(&mut self, picture: Picture) {
        if let Some(Reverse(shown)) = self.inside.pop() {
            self.ready.push_back((shown, picture));
        }
    }
}

fn decoder(film: &Film) -> Result<Option<VideoDecoder>, MediaError> {
    match film.coding {
        Coding::Raw(_) => Ok(None),
        Coding::Coded(codec @ Codec::H264) if film.character.is_reordered => {
            VideoDecoder::reordering(codec).map(Some)
        }
        Coding::Coded(codec) => VideoDecoder::new(codec).map(Some),
    }
}
