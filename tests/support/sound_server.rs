//! A sound server of its own for a story, whatever the machine has, and other programs beside it.

use std::process::Stdio;

use tokio::process::{Child, Command};

use super::{SOON, SPEECH, material, wait_for};

/// Starts another program, which ends with the story.
pub(crate) fn start(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}. `make test` installs it"))
}

/// PulseAudio with a sink that goes nowhere, which is a loudspeaker, and whose monitor is a microphone.
pub(crate) struct PulseAudio {
    directory: tempfile::TempDir,
    /// Where it is found, and by which way ALSA leads there.
    found: [(&'static str, String); 2],
}

impl PulseAudio {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let found = [
            ("PULSE_SERVER", format!("unix:{}", path("pulse.sock"))),
            ("ALSA_CONFIG_PATH", path("asound.conf")),
        ];
        let server = Self { directory, found };
        let modules = format!(
            "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
             load-module module-null-sink sink_name=desk rate=48000\n\
             set-default-source desk.monitor\n",
            server.path("pulse.sock")
        );
        std::fs::write(server.path("default.pa"), modules).unwrap();
        // Whatever sound system the machine has is left alone.
        let plugin = "</usr/share/alsa/alsa.conf>\n\
                      pcm.!default { type pulse }\nctl.!default { type pulse }\n\
                      pcm.desk { type pulse hint { show on description \"The desk\" } }\n";
        std::fs::write(server.path("asound.conf"), plugin).unwrap();
        server
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Lets it serve until it is dropped.
    pub(crate) async fn serve(&self) -> Child {
        let socket = self.directory.path().join("pulse.sock");
        let _ = std::fs::remove_file(&socket);
        let (home, script) = (self.path(""), self.path("default.pa"));
        let arguments = [
            "-n",
            "--exit-idle-time=-1",
            "--disable-shm=1",
            "-F",
            &script,
        ];
        let variables = [("HOME", &*home), ("XDG_RUNTIME_DIR", &home)];
        let server = start("pulseaudio", &arguments, &variables);
        wait_for("the sound server", SOON, async || {
            socket.exists().then_some(())
        })
        .await;
        server
    }

    /// The environment of whoever uses it.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 2] {
        self.found.each_ref().map(|(name, value)| (*name, &**value))
    }

    /// Plays the speech to its end, and a second of silence.
    pub(crate) async fn say(&self) {
        let (speech, wav) = (
            material(SPEECH).display().to_string(),
            self.path("speech.wav"),
        );
        let convert = [
            "-v",
            "error",
            "-y",
            "-i",
            &speech,
            "-af",
            "apad=pad_dur=1",
            &wav,
        ];
        let converted = start("ffmpeg", &convert, &[]).wait().await;
        assert!(converted.unwrap().success());
        let mut player = start("paplay", &["--device=desk", &wav], &self.variables());
        assert!(player.wait().await.unwrap().success());
    }
}
