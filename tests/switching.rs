//! Two senders: who speaks is seen.

use std::time::Duration;

use crate::support::{Process, SOON, Stage, material, turn, wait_for};

/// The silent one's whole picture.
const LENGTH: Duration = Duration::from_secs(4);

#[tokio::test]
async fn the_one_who_speaks_is_seen_and_the_other_before_and_after() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let other = material("other-picture.ivf");
    let mut silent = Process::start(&stage.node.join(&[
        "--name",
        "Silent",
        "--audio",
        "silence",
        "--video",
        other.to_str().unwrap(),
    ]));
    silent.until_notice("clip_started", SOON).await;
    // Its whole picture is to be in the recording first: the node has sent so many pictures of it.
    let pictures = 16 * LENGTH.as_secs();
    let shown = async || stage.node.pictures_shown("Listener", "Silent").await;
    let before = wait_for("the silent one is seen", SOON, shown).await;
    wait_for("its whole picture is seen", SOON + LENGTH, async || {
        (shown().await? >= before + pictures).then_some(())
    })
    .await;

    stage.announce().await.expect(0, "");
    let recorded = stage.recorded().await;

    let of_speaker = recorded.judged();
    assert!(of_speaker.sound.is_heard(), "{of_speaker:#?}");
    // Shown from the first key frame after it began to speak: all but a second or two.
    assert!(
        of_speaker.picture.median >= 0.9 && of_speaker.picture.covered >= 0.7,
        "{of_speaker:#?}"
    );
    // The control: while nobody spoke, the other one's picture was shown.
    let of_silent = recorded
        .judged_by("speech.opus", "other-picture.ivf")
        .picture;
    assert!(of_silent.is_seen(), "{of_silent:#?}");
}
