use std::time::Duration;

use super::*;

fn read(text: &str) -> SourceSpec {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    let error = text.parse::<SourceSpec>().unwrap_err().to_string();
    assert!(error.contains(&format!("`{text}`")), "{error}");
    error
}

#[test]
fn sources_are_read_as_written() {
    let origin = |text: &str| read(text).origin;
    assert_eq!(origin("tone"), Origin::Tone { hertz: 440 });
    assert_eq!(origin("tone:1000"), Origin::Tone { hertz: 1000 });
    assert_eq!(origin("silence"), Origin::Silence);
    assert_eq!(origin("babble"), Origin::Babble);
    let (width, height) = (320, 180);
    assert_eq!(origin("bars:320x180"), Origin::Bars { width, height });
    assert_eq!(
        origin("say:Mind the gap: 5 %"),
        Origin::Say("Mind the gap: 5 %".into())
    );
    assert_eq!(
        origin("card:Room %231%0Aopen"),
        Origin::Card("Room #1\nopen".into())
    );
    assert_eq!(origin("slides:pictures"), Origin::Slides("pictures".into()));
    assert_eq!(origin("playlist:a.m3u"), Origin::Playlist("a.m3u".into()));
}

#[test]
fn any_path_can_be_named() {
    let path = |text: &str| match read(text).origin {
        Origin::File(path) => path.to_string_lossy().into_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(path("a/tone.ogg"), "a/tone.ogg");
    assert_eq!(path("./bars"), "./bars");
    assert_eq!(path("100%25.ogg"), "100%25.ogg", "a bare path is no URI");
    assert_eq!(path("/srv/12:30.ogg"), "/srv/12:30.ogg");
    assert_eq!(path("file:a%23b:c.ogg#t=1"), "a#b:c.ogg");
    assert_eq!(path("file:tone"), "tone");
    for (file, written) in [
        ("x.ivf", "x.ivf"),
        ("tone", "file:tone"),
        ("a:b", "file:a:b"),
        ("a#b", "file:a%23b"),
        ("/a:b", "/a:b"),
        ("/a#b", "file:/a%23b"),
        ("file:x", "file:file:x"),
    ] {
        let spec = SourceSpec::file(file);
        assert_eq!(spec.to_string(), written);
        assert_eq!(read(written), spec);
    }
}

#[test]
fn options_are_read_as_written() {
    let ms = Duration::from_millis;
    let options = read("clip.mp4#t=10,20.5&loop=3&gap=2&gain=-6&fade=0.5").options;
    assert_eq!((options.start, options.end), (ms(10_000), Some(ms(20_500))));
    assert_eq!((options.rounds, options.gap), (Some(3), ms(2000)));
    assert_eq!(options.gain, Some(-6.0));
    assert_eq!((options.fade_in, options.fade_out), (ms(500), ms(500)));
    let t = |text: &str| {
        let options = read(&format!("x#t={text}")).options;
        (
            options.start.as_secs_f64(),
            options.end.map(|end| end.as_secs_f64()),
        )
    };
    assert_eq!(t("1:30"), (90.0, None));
    assert_eq!(t("npt:0:00:01.5,1:00:00"), (1.5, Some(3600.0)));
    assert_eq!(t(",4"), (0.0, Some(4.0)));
    assert_eq!(read("x#loudness").options.loudness, Some(-23.0));
    assert_eq!(read("x#fade=1,0").options.fade_out, Duration::ZERO);
    assert_eq!(
        read("say:Hallo#voice=de&speed=120")
            .options
            .voice
            .as_deref(),
        Some("de")
    );
}

#[test]
fn what_is_written_again_is_the_same() {
    for text in [
        "tone:440",
        "silence",
        "babble#t=0,10&seed=3",
        "bars:64x64",
        "x.ivf",
        "clip.mp4#t=10,20.5&loop=3&gap=2&gain=-6&loudness=-16&fade=0.5",
        "x.ogg#t=0.000001",
        "x.ogg#fade=0,1.25",
        "say:Grüezi%0A%23%2541 %#voice=de&speed=120",
        "card:A & B = C#t=0,5&size=640x360",
        "slides:p%23#each=2.5&crossfade=0.5",
        "playlist:a.m3u#gap=1",
    ] {
        assert_eq!(read(text).to_string(), text);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_can() {
    for (text, says) in [
        ("", "name a file, or one of tone"),
        ("tone:", "20 to 20000"),
        ("tone:5", "20 to 20000"),
        ("bars:1x1", "even size"),
        ("bars:33x32", "even size"),
        ("silence:1", "takes no value"),
        ("say:", "`say:TEXT`"),
        ("card: ", "`card:TEXT`"),
        ("slides", "`slides:DIRECTORY`"),
        ("playlist:", "`playlist:FILE`"),
        ("tome:440", "`./tome:440` or `file:tome:440`"),
        ("a#b.ogg", "`b.ogg` is no option here: there are t, loop"),
        ("a#b.ogg", "%23"),
        ("x#t=", "`t=10,20`"),
        ("x#t=5,", "`t=10,20`"),
        ("x#t=1:99", "`t=10,20`"),
        ("x#t=5,5", "ends before it begins"),
        ("x#t=1&t=2", "stands there twice"),
        ("x#loop=0", "`loop=3`"),
        ("x#gap=-1", "`gap=2`"),
        ("x#gain=loud", "`gain=-6`"),
        ("x#gain=inf", "`gain=-6`"),
        ("x#fade=1e1", "`fade=0.5`"),
        ("x#loudness=0", "`loudness=-16`"),
        ("x#voice=de", "`voice` is no option here"),
        ("say:x#voice=--stdin", "`voice=de`"),
        ("say:x#speed=9", "80 to 450"),
        ("card:x#size=5", "`size=1280x720`"),
        ("bars#gain=1", "`gain` is no option here"),
        ("tone#loop=3", "never ends"),
        ("card:x#t=3", "needs an end"),
        ("x#", "`` is no option here"),
    ] {
        let error = refused(text);
        assert!(error.contains(says), "{error}");
    }
}
