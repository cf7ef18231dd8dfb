//! What is fuzzed: a body takes bytes for one kind of input, and ends whatever they are. It panics where
//! what came of them is not what it promises.

mod conference;
mod encoded;
mod files;
mod load_test;
mod media_leg;
mod written;

/// One of them.
pub(crate) type Body = fn(&[u8]);

/// All of them, by the names of targets and corpora.
pub(crate) const BODIES: [(&str, Body); 23] = [
    // What a file holds, each kind by its first bytes.
    ("annex_b", files::pictures),
    ("ivf", files::pictures),
    ("matroska", files::sound_and_pictures),
    ("mp4", files::sound_and_pictures),
    ("ogg", files::sound),
    ("sound", files::sound),
    ("still", files::still),
    ("wav", files::sound),
    ("y4m", files::pictures),
    // What an operator writes.
    ("list", written::list),
    ("source", written::source),
    // What a far end sends.
    ("decode", encoded::decode),
    ("encoded", encoded::encoded),
    ("frames", encoded::frames),
    ("opus", encoded::opus),
    ("rtp", media_leg::rtp),
    ("sdp", media_leg::sdp),
    ("turn", media_leg::turn),
    // What a Conferencing Node says, and what is said to the practice node.
    ("answer", conference::answer),
    ("event", conference::event),
    ("request", conference::request),
    // What a Locust master says, and what another load test has written.
    ("locust", load_test::locust),
    ("result", load_test::result),
];

/// The body of this name.
pub(crate) fn body(name: &str) -> Body {
    let found = BODIES.iter().find(|(known, _)| *known == name);
    found.expect("every target has a body of its name").1
}
