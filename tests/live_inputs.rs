//! What other programs write and devices give is heard and seen: commands, standard input, RTP, a microphone.

use std::path::Path;

use crate::support::{
    A_CLIP, OTHER_SPEECH, PICTURE, Process, PulseAudio, Recorded, SOON, SPEECH, Stage, material,
    start, turn, wait_for,
};

/// What a second participant does, who plays the sources that follow.
fn player<'a>(node: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let all = [
        "join",
        "--node",
        node,
        "--conference",
        "meet",
        "--name",
        "Player",
        "-v",
    ];
    [&all[..], more].concat()
}

/// Checks sound and picture, with the controls: they are not just any.
fn is_heard_and_seen(recorded: &Recorded) {
    let judgement = recorded.judged_by(SPEECH, PICTURE);
    assert!(judgement.is_heard_and_seen(), "{judgement:#?}");
    let control = recorded.judged_by(OTHER_SPEECH, "other-picture.ivf");
    assert!(
        !control.sound.is_heard() && !control.picture.is_seen(),
        "{control:#?}"
    );
}

#[tokio::test]
async fn standard_input_and_what_a_command_writes_are_passed_on_as_they_are() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let (speech, bunny) = (material(SPEECH), material(PICTURE));
    let reads = format!("exec \"$@\" < {}", speech.display());
    let picture = format!("exec:cat {}", bunny.display());
    let arguments = ["--for", "10", "--audio", "-", "--video", &picture];
    let ended = Process::start_under(
        &["sh", "-c", &reads, "sh"],
        &player(&stage.node.http, &arguments),
    )
    .ended(A_CLIP)
    .await;

    ended.expect(0, "silence and slate from here on");
    is_heard_and_seen(&stage.recorded().await);
}

#[tokio::test]
async fn raw_sound_and_raw_pictures_are_encoded_here() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let sound = format!(
        "exec:ffmpeg -v error -i {} -ar 44100 -ac 2 -f wav -",
        material(SPEECH).display()
    );
    let picture = format!(
        "exec:ffmpeg -v error -i {} -pix_fmt yuv420p -f yuv4mpegpipe -",
        material(PICTURE).display()
    );
    let arguments = ["--for", "10", "--audio", &sound, "--video", &picture];
    let ended = Process::start(&player(&stage.node.http, &arguments))
        .ended(A_CLIP)
        .await;

    ended.expect(0, "Y4M of");
    is_heard_and_seen(&stage.recorded().await);
}

#[tokio::test]
async fn a_command_that_fails_is_told_before_anyone_joins_and_shows_no_password() {
    let source = "exec:camera --key hunter2; exit 3";
    let arguments = player("http://127.0.0.1:1", &["--video", source]);
    let ended = Process::start(&arguments).ended(SOON).await;
    ended.expect_one_line(2, "`exec:camera` ended with status 3: ");
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
    let arguments = player("http://127.0.0.1:1", &["--audio", "camera"]);
    let ended = Process::start(&arguments).ended(SOON).await;
    ended.expect_one_line(2, "`camera` has no audio");

    let ended = Process::start(&[
        "announce",
        "--node",
        "http://127.0.0.1:1",
        "--conference",
        "meet",
        "mic",
    ])
    .ended(SOON)
    .await;
    ended.expect_one_line(2, "`standin join` plays it");
}

#[tokio::test]
async fn what_a_program_writes_is_named_without_joining() {
    let source = format!("exec:cat {}", material(PICTURE).display());
    let named = Process::start(&["media", &source]).ended(SOON).await;
    assert_eq!(named.code, Some(0), "{named:#?}");
    assert_eq!(named.out, ["exec:cat: live: IVF with VP8 of 640x360"]);
    let nothing = Process::start(&["media", "exec:true"]).ended(SOON).await;
    nothing.expect_one_line(2, "`exec:true` wrote nothing");
}

#[tokio::test]
async fn what_was_started_ends_with_us_even_if_we_are_killed() {
    let stage = Stage::set(&[]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let command = format!(
        "exec:sleep 1000 & echo $! > {}; cat {}; sleep 1000",
        file.display(),
        material(PICTURE).display()
    );
    for signal in ["KILL", "TERM"] {
        let _ = std::fs::remove_file(&file);
        let player = Process::start(&player(&stage.node.http, &["--video", &command]));
        let pid = wait_for("the command runs", SOON, async || {
            std::fs::read_to_string(&file)
                .ok()
                .filter(|pid| pid.ends_with('\n'))
        })
        .await;
        let process = Path::new("/proc").join(pid.trim());
        assert!(process.exists());
        player.signal(signal).await;
        wait_for("the command is gone", SOON, async || {
            let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
            // A zombie has ended, and waits for whoever adopted it.
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn rtp_of_another_program_is_heard_and_seen() {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let description = directory.path().join("session.sdp");
    let port = || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    };
    let (sound, picture) = (port(), port());
    let sdp = format!(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
         m=audio {sound} RTP/AVP 97\na=rtpmap:97 opus/48000/2\n\
         m=video {picture} RTP/AVP 96\na=rtpmap:96 VP8/90000\n"
    );
    std::fs::write(&description, sdp).unwrap();
    let stage = Stage::set(&[]).await;
    let source = format!("rtp:{}", description.display());
    let arguments = ["--json", "--audio", &source, "--video", &source];
    let mut player = Process::start(&player(&stage.node.http, &arguments));
    player.until_media().await;
    let to = [sound, picture].map(|port| format!("rtp://127.0.0.1:{port}"));
    let [speech, bunny] = [SPEECH, PICTURE].map(|file| material(file).display().to_string());
    let inputs = ["-v", "error", "-re", "-i", &speech, "-re", "-i", &bunny];
    let first = [
        "-map",
        "0:a",
        "-c",
        "copy",
        "-payload_type",
        "97",
        "-f",
        "rtp",
        &to[0],
    ];
    let second = [
        "-map",
        "1:v",
        "-c",
        "copy",
        "-payload_type",
        "96",
        "-f",
        "rtp",
        &to[1],
    ];
    let arguments = [&inputs[..], &first, &second].concat();
    let sent = start("ffmpeg", &arguments, &[]).wait().await.unwrap();
    assert!(sent.success());
    wait_for("the end is told of both", SOON, async || {
        (player.log().matches("no packets come").count() == 2).then_some(())
    })
    .await;
    player.terminated().await.expect(0, "packets come");

    is_heard_and_seen(&stage.recorded().await);
}

#[tokio::test]
async fn a_microphone_is_heard_goes_and_comes_back() {
    let _turn = turn().await;
    let pulse = PulseAudio::new();
    let mut server = pulse.serve().await;
    let variables = pulse.variables();

    let listed = Process::start_with(&["media", "devices"], &variables)
        .ended(SOON)
        .await;
    assert!(listed.out.join("\n").contains("mic:desk"), "{listed:#?}");

    let stage = Stage::set(&[]).await;
    let arguments = player(&stage.node.http, &["--json", "--audio", "mic:desk"]);
    let mut player = Process::start_with(&arguments, &variables);
    player.until_media().await;
    pulse.say().await;

    server.kill().await.unwrap();
    wait_for("the loss is told", SOON, async || {
        player.log().contains("until it is back").then_some(())
    })
    .await;
    let _server = pulse.serve().await;
    wait_for("the return is told", SOON, async || {
        (player.log().matches("The desk, 48000 Hz").count() == 2).then_some(())
    })
    .await;
    player.terminated().await.expect(0, "The desk");
    let recorded = stage.recorded().await;
    let judgement = recorded.judged_by(SPEECH, PICTURE);
    assert!(judgement.sound.is_heard(), "{judgement:#?}");
    let control = recorded.judged_by(OTHER_SPEECH, PICTURE);
    assert!(!control.sound.is_heard(), "{control:#?}");
}

#[tokio::test]
async fn a_machine_without_devices_says_so() {
    let missing = [("ALSA_CONFIG_PATH", "/dev/null")];
    let listed = Process::start_with(&["media", "devices"], &missing)
        .ended(SOON)
        .await;
    assert_eq!(listed.code, Some(0), "{listed:#?}");
    let said = listed.out.join("\n");
    assert!(said.contains("Microphones: none."), "{said}");

    let arguments = player("http://127.0.0.1:1", &["--audio", "mic"]);
    let ended = Process::start_with(&arguments, &missing).ended(SOON).await;
    ended.expect(2, "`mic`");
}
