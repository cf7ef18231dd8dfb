//! The scene most stories play in: a node, someone who listens and records, someone who announces.

use std::path::PathBuf;

use media::measure::sound::SoundSimilarity;

use super::{
    A_CLIP, Ended, Judgement, PICTURE, PracticeNode, Process, SPEECH, judge, judge_repeated,
    material,
};

/// A node with a listener who hears and sees what is in the conference `meet`, and records it.
pub(crate) struct Stage {
    pub(crate) node: PracticeNode,
    pub(crate) listener: Process,
    recording: PathBuf,
    directory: tempfile::TempDir,
}

impl Stage {
    /// Starts a node with these arguments and lets a listener in.
    pub(crate) async fn set(node: &[&str]) -> Self {
        Self::around(PracticeNode::start(node).await).await
    }

    /// Lets a listener into a node's conference `meet`.
    pub(crate) async fn around(node: PracticeNode) -> Self {
        Self::with_listener(node, &[]).await
    }

    /// Lets a listener into a node's conference `meet`, as a host with this PIN.
    pub(crate) async fn with_host(node: PracticeNode, pin: &str) -> Self {
        Self::with_listener(node, &[("STANDIN_PIN", pin)]).await
    }

    async fn with_listener(node: PracticeNode, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let recording = directory.path().join("heard.webm");
        let file = recording.to_str().unwrap();
        let arguments = node.join(&["--name", "Listener", "--record", file]);
        let mut listener = Process::start_with(&arguments, variables);
        listener.until_media().await;
        Self {
            node,
            listener,
            recording,
            directory,
        }
    }

    /// Announces the clip and waits for the end.
    pub(crate) async fn announce(&self) -> Ended {
        announce(&self.node.http, &[]).ended(A_CLIP).await
    }

    /// Lets the listener leave, and returns what it recorded.
    pub(crate) async fn recorded(self) -> Recorded {
        let ended = self.listener.terminated().await;
        ended.expect(0, "");
        Recorded {
            file: self.recording,
            _directory: self.directory,
        }
    }
}

/// What a listener recorded; gone when the story is over.
pub(crate) struct Recorded {
    pub(crate) file: PathBuf,
    _directory: tempfile::TempDir,
}

impl Recorded {
    /// Judges it by the clip that was announced.
    pub(crate) fn judged(&self) -> Judgement {
        judge(&self.file, SPEECH, PICTURE)
    }

    /// Judges it by another sound and another picture of tests/data.
    pub(crate) fn judged_by(&self, sound: &str, picture: &str) -> Judgement {
        judge(&self.file, sound, picture)
    }

    /// Judges it by a sound of tests/data that was played over and over.
    pub(crate) fn judged_by_repeated(&self, sound: &str) -> SoundSimilarity {
        judge_repeated(&self.file, sound)
    }
}

/// Starts `standin announce` of the clip into `meet`, with more arguments.
pub(crate) fn announce(node: &str, more: &[&str]) -> Process {
    let (speech, picture) = (material(SPEECH), material(PICTURE));
    let clip = [speech.to_str().unwrap(), picture.to_str().unwrap()];
    let arguments = [
        "announce",
        "--json",
        "--node",
        node,
        "--conference",
        "meet",
        "--name",
        "Announcer",
    ];
    Process::start(&[&arguments, more, &clip].concat())
}
