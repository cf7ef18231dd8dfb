//! A door for `tests/fuzz`: what the bytes of a master reach, without the connection that comes before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::class::Means;
use super::message::FromMaster;
use super::worker::{Input, Output, Worker};
use super::zmtp::{self, Incoming, Reader};

/// How many outputs a worker may have for one message.
const MOST_OUTPUTS: usize = 100;

/// Takes bytes for all that a master says, `piece` by piece, and does what a worker does of it.
pub fn master_says(bytes: &[u8], piece: usize, now: Instant) {
    let bytes = match bytes.split_first_chunk() {
        Some((greeting, rest)) if zmtp::check_greeting(greeting).is_ok() => rest,
        _ => bytes,
    };
    let means = Means {
        video: true,
        most_callers: 50,
    };
    let mut worker = Worker::new(now, means);
    handle(&mut worker, now, Input::Up);
    let mut reader = Reader::default();
    for piece in bytes.chunks(piece.max(1)) {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(Incoming::Message(message))) => {
                    if let Ok(message) = FromMaster::decode(&message) {
                        handle(&mut worker, now, Input::Message(message));
                    }
                }
                Ok(Some(Incoming::Ready)) => {}
                Ok(None) => break,
                Err(error) => {
                    handle(&mut worker, now, Input::Down(error.to_string()));
                    return;
                }
            }
        }
    }
    if let Some(due) = worker.poll_timeout() {
        handle(&mut worker, due + Duration::from_millis(1), Input::Timer);
    }
}

/// Lets a worker handle what happens, and everyone leave who shall.
fn handle(worker: &mut Worker, now: Instant, input: Input) {
    let mut inputs = VecDeque::from([input]);
    let mut outputs = 0;
    while let Some(input) = inputs.pop_front() {
        worker.handle(now, input);
        while let Some(output) = worker.poll_output() {
            outputs += 1;
            assert!(outputs < MOST_OUTPUTS, "it never ends");
            match output {
                Output::Send(message) => assert!(message.encode("worker").is_ok()),
                Output::Leave => inputs.push_back(Input::AllGone),
                Output::Heartbeat(_)
                | Output::Report
                | Output::Begin(_)
                | Output::Callers(_)
                | Output::Connect { .. }
                | Output::Tell(_)
                | Output::End(_) => {}
            }
        }
    }
}
