//! A Slurm cluster of one machine, this one, with a directory and ports of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{SOON, wait_for};

/// A controller and one machine with room for many tasks; gone when this is dropped.
pub(crate) struct Cluster {
    directory: TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts it and waits until it takes jobs.
    pub(crate) async fn start() -> Self {
        let mut cluster = Self {
            directory: tempfile::tempdir().unwrap(),
            daemons: Vec::new(),
        };
        std::fs::write(cluster.conf(), cluster.settings()).unwrap();
        cluster.daemon("slurmctld", &[]);
        cluster.daemon("slurmd", &["-N", "one"]);
        wait_for("a Slurm node that takes jobs", SOON, async || {
            let mut ask = cluster.command("sinfo");
            let states = ask.args(["-h", "-o", "%T"]).output().await.unwrap();
            (states.stdout == b"idle\n").then_some(())
        })
        .await;
        cluster
    }

    /// Where jobs are submitted from.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a line of shell as a user of the cluster does, with `standin` in the PATH.
    pub(crate) async fn shell(&self, line: &str) -> Output {
        let run = self.command("sh").args(["-euc", line]).output();
        let ran = tokio::time::timeout(SOON, run).await;
        let Ok(ran) = ran.map(Result::unwrap) else {
            panic!("{line}: not within {SOON:?}\n{}", self.logs());
        };
        assert!(ran.status.success(), "{line}: {ran:?}\n{}", self.logs());
        ran
    }

    /// Runs lines whose last submits a job, and returns the exit code of that. `sbatch --wait` says it
    /// too, half a minute late: it is left out.
    pub(crate) async fn verdict(&self, lines: &str, limit: Duration) -> i32 {
        let ran = self.shell(&lines.replace("sbatch --wait", "sbatch")).await;
        let job = String::from_utf8(ran.stdout).unwrap();
        let job = job.trim().rsplit(' ').next().unwrap().to_owned();
        let what = format!("the end of job {job} of {lines}");
        let ended = wait_for(&what, limit, async || {
            let mut ask = self.command("scontrol");
            let shown = ask
                .args(["-o", "show", "job", &job])
                .output()
                .await
                .unwrap();
            let shown = String::from_utf8(shown.stdout).unwrap();
            let field = |name| shown.split(' ').find_map(|field| field.strip_prefix(name));
            let ended = matches!(field("JobState="), Some("COMPLETED" | "FAILED"));
            // The exit code, and the signal if there was one.
            ended.then(|| field("ExitCode=").unwrap().to_owned())
        });
        let ended = ended.await;
        ended.split(':').next().unwrap().parse().unwrap()
    }

    /// Returns what jobs wrote, and the daemons of the cluster.
    pub(crate) fn logs(&self) -> String {
        let files = std::fs::read_dir(self.directory.path()).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        let is_log = |path: &PathBuf| {
            path.extension()
                .is_some_and(|end| end == "log" || end == "out")
        };
        let read = |path: PathBuf| {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            format!("--- {}\n{text}\n", path.display())
        };
        files.into_iter().filter(is_log).map(read).collect()
    }

    fn conf(&self) -> PathBuf {
        self.directory.path().join("slurm.conf")
    }

    /// Authentication, cgroups and accounts are left out: none of it is what jobs notice.
    fn settings(&self) -> String {
        let directory = self.directory.path().display();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let host = host.trim().split('.').next().unwrap().to_owned();
        let user = Blocking::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let user = user.trim();
        // Both are taken at once, so that they differ.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, machine] = ports.map(|port| port.local_addr().unwrap().port());
        format!(
            "ClusterName=standin\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
             AuthType=auth/none\nCredType=cred/none\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SlurmctldPort={controller}\nSlurmdPort={machine}\n\
             StateSaveLocation={directory}/state\nSlurmdSpoolDir={directory}/spool\n\
             SlurmctldPidFile={directory}/slurmctld.pid\nSlurmdPidFile={directory}/slurmd.pid\n\
             SlurmctldLogFile={directory}/slurmctld.log\nSlurmdLogFile={directory}/slurmd.log\n\
             MailProg=/bin/true\nReturnToService=2\nSchedulerParameters=sched_interval=1,batch_sched_delay=0\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSlurmdParameters=config_overrides\n\
             NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={machine} CPUs=16 RealMemory=16000\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        )
    }

    fn daemon(&mut self, program: &str, arguments: &[&str]) {
        for directory in ["state", "spool"] {
            std::fs::create_dir_all(self.directory.path().join(directory)).unwrap();
        }
        let started = self
            .command(&format!("/usr/sbin/{program}"))
            .arg("-D")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let started =
            started.unwrap_or_else(|error| panic!("no {program} ({error}): make deps-test"));
        self.daemons.push(started);
    }

    fn command(&self, program: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_standin")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.directory.path())
            .env("SLURM_CONF", self.conf())
            .env("PATH", format!("{}:{path}", binary.display()))
            .env_remove("STANDIN_PIN")
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    /// Jobs of a story that failed would outlive the daemons.
    fn drop(&mut self) {
        let ask = |program: &str, arguments: &[&str]| {
            let mut command = Blocking::new(program);
            let asked = command.args(arguments).env("SLURM_CONF", self.conf());
            asked
                .output()
                .map(|answer| answer.stdout)
                .unwrap_or_default()
        };
        let begin = Instant::now();
        while begin.elapsed() < SOON && !ask("squeue", &["-h"]).is_empty() {
            ask("scancel", &["--partition=all"]);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
