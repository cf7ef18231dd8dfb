//! The manifests for Kubernetes: valid, consistent, and doing here by hand what a cluster would do with them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::locust::{Master, free_port};
use crate::support::{
    A_CLIP, Observer, PracticeNode, Process, SOON, material, readme, turn, wait_for,
};

const LOAD: &str = "config/kubernetes/load.yaml";
const LOCUST: &str = "config/kubernetes/locust.yaml";

/// The oldest Kubernetes that has all that is asked for, and the newest that is known here.
const VERSIONS: [&str; 2] = ["1.28", "1.37"];

fn manifest(path: &str) -> String {
    std::fs::read_to_string(material("../..").join(path)).unwrap()
}

/// Runs a program of the environment that make lays out below target.
async fn python(program: &str, arguments: &[&str], input: &str) -> Output {
    let program = material("../../target/python/bin").join(program);
    assert!(program.exists(), "no {}: make deps-test", program.display());
    let directory = tempfile::tempdir().unwrap();
    let read = directory.path().join("input.yaml");
    std::fs::write(&read, input).unwrap();
    let ran = Command::new(program).args(arguments).arg(&read).output();
    ran.await.unwrap()
}

async fn validate(manifest: &str, version: &str) -> Output {
    python(
        "kubernetes-validate",
        &["--strict", "-k", version],
        manifest,
    )
    .await
}

async fn objects(manifest: &str) -> Vec<Value> {
    let script =
        "import json, sys, yaml\nprint(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let ran = python("python", &["-c", script], manifest).await;
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects
        .iter()
        .find(is)
        .unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn pod(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]
}

fn arguments(pod: &Value) -> Vec<String> {
    let all = pod["containers"][0]["args"].as_array().unwrap();
    all.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

/// Lays out what a pod's projected volume holds, and returns the arguments with its place in them.
fn mount(objects: &[Value], pod: &Value, into: &Path) -> Vec<String> {
    let at = pod["containers"][0]["volumeMounts"][0]["mountPath"]
        .as_str()
        .unwrap();
    for source in pod["volumes"][0]["projected"]["sources"]
        .as_array()
        .unwrap()
    {
        let of = |kind: &str, key: &str| {
            let name = source[key]["name"].as_str()?;
            Some(find(objects, kind, name))
        };
        let files = match (of("ConfigMap", "configMap"), of("Secret", "secret")) {
            (Some(map), _) => &map["data"],
            (_, Some(secret)) => &secret["stringData"],
            _ => panic!("neither a ConfigMap nor a Secret: {source}"),
        };
        for (name, text) in files.as_object().unwrap() {
            std::fs::write(into.join(name), text.as_str().unwrap()).unwrap();
        }
    }
    let place = into.to_str().unwrap();
    let moved = |argument: String| argument.replace(at, place);
    arguments(pod).into_iter().map(moved).collect()
}

#[tokio::test]
async fn manifests_are_valid_and_spoilt_ones_are_not() {
    for path in [LOAD, LOCUST] {
        for version in VERSIONS {
            let ran = validate(&manifest(path), version).await;
            assert!(ran.status.success(), "{path}: {ran:#?}");
        }
    }
    let spoilt = [
        (LOAD, "completions: 4", "completions: four"),
        (LOAD, "parallelism:", "paralelism:"),
        (LOAD, "completionMode: Indexed", "completionMode: [Indexed]"),
        (LOCUST, "containerPort: 5557", "containerPort: workers"),
        (LOCUST, "    spec:\n", "    specs:\n"),
    ];
    for (path, good, bad) in spoilt {
        let text = manifest(path);
        assert!(text.contains(good), "{path} does not say {good:?}");
        let ran = validate(&text.replacen(good, bad, 1), VERSIONS[1]).await;
        assert!(
            !ran.status.success(),
            "{path} is good with {bad:?}: {ran:#?}"
        );
    }
}

#[tokio::test]
async fn what_a_manifest_says_twice_is_the_same() {
    let load = objects(&manifest(LOAD)).await;
    let job = &find(&load, "Job", "standin-load")["spec"];
    let parts = job["completions"].as_u64().unwrap();
    assert_eq!(job["completionMode"], "Indexed");
    assert_eq!(job["parallelism"].as_u64(), Some(parts), "all at once");
    let count = format!("--shards={parts}");
    assert!(
        arguments(&job["template"]["spec"]).contains(&count),
        "{count}"
    );

    let locust = objects(&manifest(LOCUST)).await;
    let service = &find(&locust, "Service", "standin-locust")["spec"];
    let master = find(&locust, "Deployment", "standin-locust-master");
    let worker = find(&locust, "Deployment", "standin-locust-worker");
    let labels = |object: &Value| object["spec"]["template"]["metadata"]["labels"].clone();
    assert_eq!(service["selector"], labels(master));
    for deployment in [master, worker] {
        let wanted = &deployment["spec"]["selector"]["matchLabels"];
        assert_eq!(wanted, &labels(deployment));
    }
    let ports = pod(master)["containers"][0]["ports"].as_array().unwrap();
    for port in service["ports"].as_array().unwrap() {
        let is = |of: &&Value| of["name"] == port["targetPort"];
        let target = ports.iter().find(is).unwrap();
        assert_eq!(target["containerPort"], port["port"]);
    }
    let to = format!("--locust=standin-locust:{}", service["ports"][0]["port"]);
    assert!(arguments(pod(worker)).contains(&to), "{to}");
}

#[tokio::test]
async fn scenarios_in_manifests_are_right() {
    let objects = objects(&manifest(LOAD)).await;
    let directory = tempfile::tempdir().unwrap();
    let job = find(&objects, "Job", "standin-load");
    let all = mount(&objects, pod(job), directory.path());
    let checked = Process::start(&["check", &all[1]]).ended(SOON).await;
    checked.expect(0, "");
    assert_eq!(checked.out, ["ok: a load test with 200 callers"]);

    let mut planned = 0;
    for index in ["0", "1", "2", "3"] {
        let plan = [&all[..], &["--plan".to_owned()]].concat();
        let variables = [("JOB_COMPLETION_INDEX", index)];
        let ended = Process::start_with(&plan, &variables).ended(SOON).await;
        // Nobody has put a time for START_AT yet.
        ended.expect(2, "START_AT");
        let plan: Vec<_> = plan
            .iter()
            .map(|one| one.replace("START_AT", "1"))
            .collect();
        let ended = Process::start_with(&plan, &variables).ended(SOON).await;
        ended.expect(0, "");
        planned += ended.out.len();
    }
    assert_eq!(planned, 200);
}

#[tokio::test]
async fn a_worker_of_the_manifest_works_for_a_master_of_the_manifest() {
    let objects = objects(&manifest(LOCUST)).await;
    let master = find(&objects, "Deployment", "standin-locust-master");
    // Where the harness says where the locustfile is, and that it is a master, as it does for every one.
    let known = |one: &String| one == "--master" || one.starts_with("--locustfile=");
    let more = arguments(pod(master));
    assert_eq!(more.iter().filter(|one| known(one)).count(), 2, "{more:?}");
    let more: Vec<&str> = more
        .iter()
        .filter(|one| !known(one))
        .map(String::as_str)
        .collect();
    let master = Master::with_page(free_port(), &more).await;

    let directory = tempfile::tempdir().unwrap();
    let worker = find(&objects, "Deployment", "standin-locust-worker");
    let mut all = mount(&objects, pod(worker), directory.path());
    let checked = Process::start(&["check", &all[1]]).ended(SOON).await;
    checked.expect(0, "");
    for one in &mut all {
        *one = one.replace("standin-locust:5557", &master.address);
    }
    let worker = Process::start(&all);
    master.until_log("reported as ready").await;
    worker.signal("INT").await;
    worker.ended(SOON).await.expect(130, "");

    all.push("--replicas=4".to_owned());
    let spoilt = Process::start(&all).ended(SOON).await;
    spoilt.expect(2, "--replicas");
}

/// A scenario of a manifest with other values for some keys.
fn edited(text: &str, keys: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (key, value) in keys {
        let wanted = format!("    {key} = ");
        let line = lines.iter_mut().find(|line| line.starts_with(&wanted));
        *line.unwrap_or_else(|| panic!("no {key}")) = format!("{wanted}{value}");
    }
    lines.join("\n") + "\n"
}

/// What stands in for a cluster: `kubectl` that keeps what is applied, and gives out the logs that we write.
fn stand_in(manifest: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().to_owned();
    std::fs::write(here.join("load.yaml"), manifest).unwrap();
    let script = "#!/bin/sh\nset -eu\ncase \"$1 $*\" in\n\
        'apply apply -f -') cat > applied.part; mv applied.part applied.yaml ;;\n\
        'wait wait --for=condition=complete '*' job/standin-load') until [ -e complete ]; do sleep 0.1; done ;;\n\
        'logs logs '*'job-name=standin-load,'*'job-completion-index='?) cat \"log-${*##*=}\" ;;\n\
        *) echo \"no such kubectl: $*\" >&2; exit 1 ;;\nesac\n";
    let kubectl = here.join("kubectl");
    std::fs::write(&kubectl, script).unwrap();
    std::fs::set_permissions(&kubectl, Permissions::from_mode(0o755)).unwrap();
    (directory, here)
}

#[tokio::test]
async fn the_pods_of_a_job_are_one_test() {
    let _turn = turn().await;
    let conferences = ["load-1,pin=1234", "load-2,pin=1234"];
    let [one, two] = conferences;
    let node = PracticeNode::start(&["--conference", one, "--conference", two]).await;
    let nodes = format!(
        "[{:?}]\n    generator_late_ms = 60000\n    generator_timer_ms = 60000",
        node.http
    );
    let keys = [
        ("nodes", nodes.as_str()),
        ("conferences", "2"),
        ("participants", "4"),
        ("hold_seconds", "4.0"),
        (
            "thresholds",
            "[\"joins.ok == 8\", \"failures == 0\", \"tokens.kept == 0\"]",
        ),
    ];
    let (_directory, here) = stand_in(&edited(&manifest(LOAD), &keys));
    let commands = readme("kubectl logs").replace("+ 120", "+ 5");
    let binary = Path::new(env!("CARGO_BIN_EXE_standin")).parent().unwrap();
    let path = format!(
        "{}:{}:{}",
        here.display(),
        binary.display(),
        std::env::var("PATH").unwrap()
    );
    let user = Command::new("sh")
        .args(["-euc", &commands])
        .env("PATH", path)
        .current_dir(&here)
        .kill_on_drop(true)
        .output();
    let cluster = async {
        let applied = here.join("applied.yaml");
        let applied = wait_for("what is applied", SOON, async || {
            std::fs::read_to_string(&applied).ok()
        });
        let objects = objects(&applied.await).await;
        let job = find(&objects, "Job", "standin-load");
        let mounted = here.join("etc");
        std::fs::create_dir(&mounted).unwrap();
        let arguments = mount(&objects, pod(job), &mounted);
        let pods = ["0", "1", "2", "3"].map(|index| {
            let variables = [("JOB_COMPLETION_INDEX", index)];
            (index, Process::start_with(&arguments, &variables))
        });
        for (index, pod) in pods {
            let ended = pod.ended(A_CLIP).await;
            ended.expect(0, "");
            // A pod's log has both.
            let log = format!("{}\n{}\n", ended.err, ended.out.join("\n"));
            std::fs::write(here.join(format!("log-{index}")), log).unwrap();
        }
        std::fs::write(here.join("complete"), "").unwrap();
    };
    let (ran, ()) = tokio::join!(user, cluster);
    let ran = ran.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{ran:#?}");
    assert!(said.contains("PASS: all 3 thresholds hold"), "{ran:#?}");
    for conference in ["load-1", "load-2"] {
        Observer::join(&node, conference, Some("1234"))
            .await
            .expect_alone()
            .await;
    }
    // A pod whose log is lost is missed.
    let part = here.join("part-3.json");
    std::fs::remove_file(part).unwrap();
    let parts = [0, 1, 2].map(|part| here.join(format!("part-{part}.json")).display().to_string());
    let whole = here.join("report").display().to_string();
    let merge = [&["load".to_owned(), "merge".to_owned(), whole], &parts[..]].concat();
    let ended = Process::start(&merge).ended(SOON).await;
    ended.expect_one_line(2, "part 3 of 4 is missing");
}
