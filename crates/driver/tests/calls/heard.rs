//! The main path: one plays, another hears.

use driver::{JoinStep, NoticeKind, StopReason, EndReason};

use crate::scene::{Scene, once};

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_receives_the_clip_another_plays() {
    let scene = Scene::open().await;
    let listener = scene.listener("listener").await;
    let mut settings = scene.settings("speaker");
    settings.program = once("speech.opus", Some("bunny.ivf"));
    let mut speaker = scene.start(settings);
    speaker.until(|kind| matches!(kind, NoticeKind::ClipStarted { reported: true })).await;
    let finished =
        speaker.until(|kind| matches!(kind, NoticeKind::ClipFinished { .. })).await;
    let NoticeKind::ClipFinished { audio_packets, video_packets } = finished.kind else {
        unreachable!("waited for it")
    };
    assert!((400..430).contains(&audio_packets), "8.25 s in packets of 20 ms: {audio_packets}");
    assert!(video_packets >= 132, "132 pictures: {video_packets}");
    speaker
        .until(|kind| {
            matches!(kind, NoticeKind::Report(r)
                if r.kind == media::Kind::Audio && r.clip_packets_reached == audio_packets)
        })
        .await;

    let spoke = speaker.leave().await;
    assert_eq!(spoke.reason, EndReason::Stopped(StopReason::Finished));
    assert!(spoke.was_in && spoke.token_released);
    for step in JoinStep::ALL {
        assert!(spoke.times.get(step).is_some(), "{step} is missing in {:?}", spoke.times);
    }

    let heard = listener.leave().await;
    assert!(heard.received.audio.packets > 400, "{:?}", heard.received);
    assert!(heard.received.video.packets > 100, "{:?}", heard.received);
    assert_eq!(heard.received.audio.lost, 0);
    assert_eq!(scene.others().await, 0, "both are gone from the roster");
}
