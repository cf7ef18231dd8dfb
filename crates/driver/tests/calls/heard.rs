//! The main path: one plays, another receives.

use std::sync::Arc;
use std::time::Duration;

use driver::{EndReason, JoinStep, Material, NoticeKind, Program, StopReason, Warning};
use media::{Codec, Kind, RecordSettings};

use crate::scene::{Scene, data, is_in, material, once};

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_receives_the_clip_another_plays() {
    let scene = Scene::open().await;
    let listener = scene.listener("listener").await;
    let mut settings = scene.settings("speaker");
    settings.program = once("speech.opus", Some("bunny.ivf"));
    let mut speaker = scene.start(settings);
    speaker
        .until(|kind| matches!(kind, NoticeKind::ClipStarted { reported: true, .. }))
        .await;
    let finished = speaker
        .until(|kind| matches!(kind, NoticeKind::ClipFinished { .. }))
        .await;
    let NoticeKind::ClipFinished {
        audio_packets,
        video_packets,
        ..
    } = finished.kind
    else {
        unreachable!("waited for it")
    };
    assert!(
        (400..430).contains(&audio_packets),
        "8.25 s in packets of 20 ms: {audio_packets}"
    );
    assert!(video_packets >= 132, "132 pictures: {video_packets}");
    speaker
        .until(|kind| {
            matches!(kind, NoticeKind::Report(r)
                if r.kind == Kind::Audio && r.clip_packets_reached == audio_packets)
        })
        .await;

    assert_eq!(scene.others().await, 2, "both are in the roster");

    let spoke = speaker.leave().await;
    assert_eq!(spoke.reason, EndReason::Stopped(StopReason::Finished));
    assert!(spoke.was_in && spoke.token_released);
    // How it connected is told where figures are asked for.
    let connecting = [JoinStep::Dns, JoinStep::Connected];
    for step in JoinStep::ALL {
        if connecting.contains(&step) {
            continue;
        }
        assert!(
            spoke.times.get(step).is_some(),
            "{step} is missing in {:?}",
            spoke.times
        );
    }

    let heard = listener.leave().await;
    assert!(heard.received.audio.packets > 400, "{:?}", heard.received);
    assert!(heard.received.video.packets > 100, "{:?}", heard.received);
    assert_eq!(heard.received.audio.lost, 0);
    assert_eq!(scene.others().await, 0, "both are gone from the roster");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_starts_when_it_is_let_go() {
    let scene = Scene::open().await;
    let mut settings = scene.settings("speaker");
    settings.program = once("other-speech.wav", None);
    settings.hold = true;
    let mut speaker = scene.start(settings);
    speaker.until(is_in).await;
    let started = |kind: &NoticeKind| matches!(kind, NoticeKind::ClipStarted { .. });
    assert!(
        speaker
            .within_or_none(Duration::from_secs(3), started)
            .await
            .is_none()
    );
    speaker.caller.play();
    speaker.until(started).await;
    speaker.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_sound_and_picture_are_received_and_recorded() {
    let scene = Scene::with(|node| node.video_codecs = vec![Codec::Av1]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("heard.webm");
    let mut settings = scene.settings("listener");
    settings.record = Some(RecordSettings::new(&file));
    let mut listener = scene.start(settings);
    listener.until(is_in).await;

    let (tone, bars) = ("tone".parse().unwrap(), "bars:320x180".parse().unwrap());
    let material = Arc::new(Material::open(Some(&tone), Some(&bars)).unwrap());
    let mut settings = scene.settings("generator");
    settings.program = Program::Loop(material);
    let mut generator = scene.start(settings);
    generator
        .until(|kind| {
            matches!(
                kind,
                NoticeKind::Negotiated {
                    audio: Some(_),
                    video: Some(Codec::Av1)
                }
            )
        })
        .await;
    generator
        .until(|kind| matches!(kind, NoticeKind::ClipStarted { reported: true, .. }))
        .await;
    // Three seconds of it.
    generator
        .within_or_none(Duration::from_secs(3), |_| false)
        .await;
    generator.leave().await;
    let heard = listener.leave().await;
    assert_eq!(
        (heard.received.audio.lost, heard.received.video.lost),
        (0, 0)
    );

    let sound = media::read_audio(&file).unwrap();
    let picture = media::read_video(&file).unwrap();
    assert!(
        sound.duration > Duration::from_secs(3),
        "{:?}",
        sound.duration
    );
    assert_eq!(picture.codec, Codec::Av1);
    assert!(
        picture.frames.len() > 40,
        "{} pictures",
        picture.frames.len()
    );
    assert!(sound.duration.abs_diff(picture.duration) < Duration::from_millis(700));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_in_a_codec_the_node_does_not_take_stays_away_and_the_sound_goes_alone() {
    let scene = Scene::with(|node| node.video_codecs = vec![Codec::Av1]).await;
    let mut settings = scene.settings("speaker");
    // A clip is sent as it is; a source that is named would be transcoded.
    let (speech, film) = (data("other-speech.wav"), data("bunny.ivf"));
    let clip = media::load_clip(Some(&speech), Some(&film)).unwrap();
    settings.program = Program::Once(Arc::new(Material::from_clip(clip)));
    let mut speaker = scene.start(settings);
    speaker
        .until(|kind| matches!(kind, NoticeKind::Warning(Warning::NoVideoForCodec { .. })))
        .await;
    speaker
        .until(|kind| {
            matches!(
                kind,
                NoticeKind::ClipFinished {
                    audio_packets: 100..,
                    ..
                }
            )
        })
        .await;
    speaker.leave().await;

    let mut settings = scene.settings("vp8 alone");
    settings.program = once("other-speech.wav", Some("bunny.ivf"));
    settings.video_codecs = vec![Codec::Vp8];
    let mut speaker = scene.start(settings);
    speaker
        .until(|kind| matches!(kind, NoticeKind::Warning(Warning::VideoRejected)))
        .await;
    speaker
        .until(|kind| matches!(kind, NoticeKind::ClipFinished { .. }))
        .await;
    speaker.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_change_during_a_call_and_one_without_anything_to_send_is_over_at_once() {
    let scene = Scene::open().await;
    let mut settings = scene.settings("sound alone");
    settings.video = false;
    settings.program = Program::Loop(material("other-speech.wav", None));
    let mut speaker = scene.start(settings);
    let started = |wanted: u32| move |kind: &NoticeKind| matches!(kind, NoticeKind::ClipStarted { program, .. } if *program == wanted);
    let finished = |wanted: u32| move |kind: &NoticeKind| matches!(kind, NoticeKind::ClipFinished { program, .. } if *program == wanted);
    speaker.until(started(0)).await;
    // A picture, in a call without: nobody would wait for its end otherwise.
    let bars = "bars#t=0,1".parse().unwrap();
    let picture = Arc::new(Material::open(None, Some(&bars)).unwrap());
    speaker.caller.change_program(1, Program::Once(picture));
    speaker.until(finished(1)).await;
    let speech = Program::Once(material("speech.opus", None));
    speaker.caller.change_program(2, speech);
    speaker.until(started(2)).await;
    speaker.until(finished(2)).await;
    // The control: what goes on for ever has no end.
    let endless = Program::Loop(material("other-speech.wav", None));
    speaker.caller.change_program(3, endless);
    speaker.until(started(3)).await;
    assert!(
        speaker
            .within_or_none(Duration::from_secs(1), finished(3))
            .await
            .is_none()
    );
    speaker.leave().await;
}
