//! What a load test measures by decoding and by marks, against what was set on purpose.

use serde_json::Value;

use crate::load::{figure, run};
use crate::support::PracticeNode;

/// One talker, one video sender and four listeners, two of whom decode.
const MARKED: &str = "participants = 6\ntalkers = 1\nvideo_senders = 1\nvideo = \"bars:320x180\"\nmarks = true\n\
                      decode_callers = 2\nrate = 50\nhold_seconds = 14\nthresholds = []";

fn counter(result: &Value, name: &str) -> u64 {
    result["measurements"]["counters"][name]
        .as_u64()
        .unwrap_or(0)
}

#[tokio::test]
async fn delay_and_skew_that_were_set_come_back() {
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let (_, plain) = run(&node, MARKED).await;
    let set = format!("{MARKED}\ndelay_ms = 100\nsound_late_ms = 80");
    let (_, late) = run(&node, &set).await;
    for result in [&plain, &late] {
        assert_eq!(counter(result, "decoded.errors"), 0, "{result:#}");
        // Two voices, two listeners, and a mark a second from each.
        let heard = counter(result, "marks.heard");
        assert!(heard > 15, "{heard} marks were heard");
        // What a busy machine delays beyond the time to the next mark is taken for nobody's.
        let stray = counter(result, "marks.stray");
        assert!(
            stray * 10 <= heard,
            "{stray} of {heard} marks were nobody's"
        );
        // Thirty a second come; a busy machine decodes fewer, and one that decodes nothing none.
        assert!(figure(result, "video.decoded_fps", "max") > 5.0);
        assert!(figure(result, "audio.silence", "min") < 0.2);
    }
    // The least of each: on a busy machine the rest is what that machine adds.
    let more = |name: &str| figure(&late, name, "min") - figure(&plain, name, "min");
    let (sound, picture) = (more("audio.delay"), more("video.delay"));
    let skew = more("av.sound_late");
    println!(
        "sound: 180 ms more were set, {:.0} measured; picture: 100 and {:.0}; skew: 80 and {:.0}",
        sound * 1e3,
        picture * 1e3,
        skew * 1e3
    );
    // The node mixes in steps of 20 ms, and holds back a step or two more where sound comes unevenly.
    assert!((0.140..0.240).contains(&sound), "{sound}");
    assert!((0.095..0.120).contains(&picture), "{picture}");
    assert!((0.040..0.140).contains(&skew), "{skew}");
}

#[tokio::test]
async fn jitter_that_was_set_comes_back() {
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let keys = "participants = 4\nhold_seconds = 12\nrate = 50\nthresholds = []";
    let (_, plain) = run(&node, keys).await;
    let set = format!("{keys}\ndelay_ms = 40\njitter_ms = 15");
    let (_, uneven) = run(&node, &set).await;
    let (before, after) = (
        figure(&plain, "sent.jitter", "p50"),
        figure(&uneven, "sent.jitter", "p50"),
    );
    println!(
        "jitter: 15 ms were set, 5 are to be told; {:.1} without, {:.1} with",
        before * 1e3,
        after * 1e3
    );
    // Delays spread evenly over 15 ms differ by 5 ms from packet to packet, on average; that is what
    // RFC 3550 calls jitter.
    // A busy machine has some of its own.
    let more = after - before;
    assert!((0.002..0.008).contains(&more), "{before}, then {after}");
    let rtt = figure(&uneven, "rtt", "p50");
    assert!(
        (0.040..0.100).contains(&rtt),
        "40 ms and up to 15 more: {rtt}"
    );
}

#[tokio::test]
async fn a_lossy_sender_sends_again_what_is_asked_for_and_answers_with_key_frames() {
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let lossless = MARKED.replace("hold_seconds = 14", "hold_seconds = 8");
    for loss in [0, 5] {
        let (_, result) = run(&node, &format!("{lossless}\nloss_percent = {loss}")).await;
        let again = counter(&result, "packets.resent");
        if loss == 0 {
            assert_eq!(again, 0, "nothing is lost, nothing is sent again");
        } else {
            assert!(again > 5, "{again} packets were sent again");
            assert!(figure(&result, "sent.loss", "mean") > 0.02);
        }
        // Who comes to see a picture is shown one that begins with a key frame, asked for or not.
        assert!(counter(&result, "key_frames.asked") > 0, "{result:#}");
        assert!(counter(&result, "key_frames.received") > 20, "{result:#}");
        assert_eq!(counter(&result, "decoded.errors"), 0, "{result:#}");
        assert!(figure(&result, "video.decoded_fps", "max") > 5.0);
    }
}

#[tokio::test]
async fn packets_of_nothing_are_told_by_those_who_decode() {
    let faults = [
        "--conference",
        "load-1",
        "--fault",
        "silent",
        "--fault",
        "black",
    ];
    let node = PracticeNode::start(&faults).await;
    let keys = MARKED.replace(
        "thresholds = []",
        "thresholds = [\"audio.loss.p50 < 1%\", \"audio.silence.p50 < 50%\", \"video.blank.p50 < 50%\"]",
    );
    let (ended, result) = run(&node, &keys).await;
    ended.expect(1, "");
    let judged = &result["verdict"]["thresholds"];
    let holds: Vec<_> = (0..3).map(|n| judged[n]["holds"].as_bool()).collect();
    assert_eq!(
        holds,
        [Some(true), Some(false), Some(false)],
        "packets come, and there is nothing in them: {judged:#}"
    );
    let delay = &result["measurements"]["histograms"]["audio.delay"];
    assert!(delay.is_null(), "no mark, no figure: {delay}");
}
