//! Stories over the real binary, the real library and a real browser; every module is one, and each has its negative control.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod announcers_truth; // an announcement that was not heard says so: muted, alone, wrong PIN, cut short, waiting
mod api; // single requests for scripts: seen by others, nothing left behind, nothing shown
mod bad_input; // what people and nodes get wrong: one line, the right exit code, no token left behind
mod browser; // headless Chromium joins through the node's page, hears and sees
mod composed; // text is spoken and shown, playlists have no gaps, and what cannot be is told before joining
mod control_fuzzed; // requests made up from the description of the control: none finds a fault
mod described; // what a file holds, what will become of it, and why
mod devices; // a camera and a sound card in a virtual machine: used, unplugged and used again
mod doctor; // what works and what does not on the way into a conference, a line each
mod faults; // a silent, black or wrong node makes the very check fail that stories of hearing pass
mod full_disk; // a disk that is full ends a file and not the call
mod heard_and_seen; // a clip is announced, and another participant hears all of it and sees it move
mod hooks; // programs are run and web servers told when something happens, signed and again where they were away
mod hundred; // many participants cost the same all the time
mod kinds_of_node; // DTLS at once and late, v10 and modern, HTTPS with its own certificate
mod kubernetes; // manifests: valid, consistent, and one test when done by hand
mod live_inputs; // what other programs write and devices give
mod load; // callers by the dozen: nothing left behind, faults named, a starved generator admits it
mod load_files; // result.json, series and JUnit follow their schemas; two results are judged side by side
mod load_marks; // what was set comes back: delay, skew, jitter, loss; silence and black are told from packets
mod load_shapes; // ramps, the knee, and a node that is wrong in four ways at once
mod load_terminal; // progress on a real terminal: one line that never wraps, gone when the report comes
mod locust; // a Locust master spawns, moves and stops callers, loses its place to another, and writes what they lived through
mod loudspeaker; // a clip is heard from one that went and came back; one that is not there is told before joining
mod many; // participants in one service: apart from each other, controlled, read again, taking their leave
mod measured; // what is received, as figures while it goes by
mod parts; // the parts of a load test are the test, planned and merged
mod proxy; // a node behind a proxy of HTTPS
mod receptions; // Virtual Receptions, and where they are told to connect to
mod recording; // every kind of file, killed, in parts; programs that get what is heard
mod relay; // no way to the node but through a TURN server; needs root, for network namespaces
mod secrets_in_logs; // what the most talkative log does not say
mod service; // `standin run` comes back after the node was away, and leaves on SIGTERM
mod slurm; // parts of a load test as a Slurm array, merged and judged
mod sources; // WAV, tone and bars, encoded here; AV1 where the node wants it
mod support; // processes, the API as others see it, the judge
mod switching; // two senders: who speaks is seen
mod told_to_play; // a running service plays, queues, says, skips and stops, and tells who speaks and what is written
mod transfers; // sent to another conference, oneself or with the token that another was given
mod waiting_room; // who sits there says so, and is heard once a host has let it in
