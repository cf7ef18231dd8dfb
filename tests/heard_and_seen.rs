//! A clip is announced, and another participant hears all of it and sees it move.

use media::measure::sound::OTHER;

use crate::support::{OTHER_SPEECH, Observer, Stage, turn};

#[tokio::test]
async fn a_clip_is_heard_from_its_first_sound_to_its_last_word_and_seen_moving() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;

    let announced = stage.announce().await;
    announced.expect(0, "");
    let observer = Observer::join(&stage.node, "meet", None).await;
    observer.until_others(1).await;
    let recorded = stage.recorded().await;

    let judgement = recorded.judged();
    assert!(judgement.is_heard_and_seen(), "{judgement:#?}");
    // Lips: what is heard and what is seen lie at the same place in the recording.
    let apart = (judgement.sound.offset - judgement.picture.offset).abs();
    assert!(
        apart < 0.08,
        "sound and picture are {apart:.3} s apart: {judgement:#?}"
    );

    // The control: the very same recording is not like other words, nor like another picture.
    let control = recorded.judged_by(OTHER_SPEECH, "other-picture.ivf");
    assert!(control.sound.overall <= OTHER, "{control:#?}");
    assert!(!control.picture.is_seen(), "{control:#?}");
}
