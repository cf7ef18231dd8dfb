//! What a load test writes for programs is what it says it is, and two results are judged side by side.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::load::scenario;
use crate::support::{A_CLIP, Ended, PracticeNode, Process, SOON, material, turn};

/// The schema of a file, as the program prints it.
async fn schema(of: &str) -> jsonschema::Validator {
    let ended = Process::start(&["load", "--schema", of]).ended(SOON).await;
    ended.expect(0, "");
    let schema: Value = serde_json::from_str(&ended.out.join("\n")).unwrap();
    jsonschema::meta::validate(&schema).expect("a schema");
    jsonschema::validator_for(&schema).unwrap()
}

/// Has XML judged by a schema of XML, with a reader that is not ours.
async fn by_xsd(xml: &Path) -> Output {
    let script = "import sys, xmlschema\nxmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])";
    let ran = Command::new(material("../../target/python/bin/python"))
        .args(["-c", script])
        .arg(material("junit.xsd"))
        .arg(xml)
        .output();
    ran.await.expect("target/python is there: make deps-test")
}

#[tokio::test]
async fn the_files_of_a_report_are_what_their_schemas_say() {
    let _turn = turn().await;
    let conferences = ["--conference", "load-1", "--conference", "load-2,pin=1"];
    let node = PracticeNode::start(&conferences).await;
    let report = tempfile::tempdir().unwrap();
    let keys = format!(
        "conferences = 2\nparticipants = 3\nrate = 50\nhold_seconds = 3\nreport = {:?}\n\
         thresholds = [\"failures == 0\", \"joins.ok == 3\"]",
        report.path()
    );
    let (_directory, path) = scenario(&node, &keys);
    let load = Process::start(&["load", path.to_str().unwrap(), "--json"]);
    let ended = load.ended(A_CLIP).await;
    ended.expect(1, "");
    let file = |name: &str| std::fs::read_to_string(report.path().join(name)).unwrap();

    let schema_of_result = schema("result").await;
    let written: Value = serde_json::from_str(&file("result.json")).unwrap();
    for result in [&written, &ended.last_json()] {
        let wrong: Vec<String> = schema_of_result
            .iter_errors(result)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(wrong, [""; 0]);
    }
    let mut spoilt = written.clone();
    spoilt["measurements"]["failures"] = json!(["PIN wanted"]);
    assert!(!schema_of_result.is_valid(&spoilt));

    let schema_of_series = schema("series").await;
    let series = file("series.ndjson");
    assert!(series.lines().count() > 2, "{series}");
    for line in series.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        assert!(schema_of_series.is_valid(&line), "{line:#}");
        line["seconds"] = json!("1");
        assert!(!schema_of_series.is_valid(&line));
    }

    let judged = by_xsd(&report.path().join("junit.xml")).await;
    assert!(judged.status.success(), "{judged:#?}");
    let junit = file("junit.xml");
    for (good, bad) in [
        (" hostname=\"", " host=\""),
        ("tests=\"4\"", "tests=\"four\""),
        ("<system-err/>", ""),
        (" type=\"threshold\"", ""),
    ] {
        assert!(junit.contains(good), "{junit}");
        let spoilt = report.path().join("spoilt.xml");
        std::fs::write(&spoilt, junit.replace(good, bad)).unwrap();
        let judged = by_xsd(&spoilt).await;
        assert!(!judged.status.success(), "good without {good}: {judged:#?}");
    }
}

async fn diff(before: &Path, after: &Path, flags: &[&str]) -> Ended {
    let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
    let all = [&["load", "diff", before, after], flags].concat();
    Process::start(&all).ended(SOON).await
}

#[tokio::test]
async fn a_node_that_loses_packets_is_worse_than_one_that_does_not() {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let run = async |name: &str, faults: &[&str], more: &str| {
        let node = PracticeNode::start(&[&["--conference", "load-1"], faults].concat()).await;
        let report = here.join(name);
        let keys = format!(
            "participants = 10\nrate = 50\nhold_seconds = 8\nreport = {report:?}\nthresholds = [\"audio.loss.mean < 2%\"]\n{more}"
        );
        let (_directory, path) = scenario(&node, &keys);
        let load = Process::start(&["load", path.to_str().unwrap(), "--json"]);
        load.ended(A_CLIP).await;
        report.join("result.json")
    };
    // Side by side, so that a busy machine is the same for all of them.
    let (good, again, lossy, other) = tokio::join!(
        run("good", &[], ""),
        run("again", &[], ""),
        run("lossy", &["--fault", "loss=20"], ""),
        run("other", &[], "talkers = 2"),
    );
    let judged = |ended: &Ended, what: &str| {
        let told = ended.last_json();
        let mut figures = told["figures"].as_array().unwrap().iter();
        let figure = figures.find(|one| one["what"] == what);
        figure.unwrap_or_else(|| panic!("no {what} in {told:#}"))["judgement"].clone()
    };
    let of_sound = ["packets.lost / packets", "audio.loss.p50", "audio.mos.p50"];

    let same = diff(&good, &good, &["--tolerance", "0"]).await;
    same.expect(0, "");
    assert!(
        same.out.last().unwrap().starts_with("NO WORSE"),
        "{same:#?}"
    );
    let same = diff(&good, &again, &["--json"]).await;
    for what in of_sound {
        assert_eq!(judged(&same, what), "within_noise", "{what}");
    }

    let worse = diff(&good, &lossy, &["--json"]).await;
    worse.expect(1, "");
    for what in of_sound {
        assert_eq!(judged(&worse, what), "worse", "{what}");
    }
    let missed = &worse.last_json()["thresholds"][0];
    assert_eq!(missed["judgement"], "worse", "{missed:#}");
    let told = diff(&good, &lossy, &[]).await;
    told.expect(1, "");
    let text = told.out.join("\n");
    for said in [
        "WORSE     audio.loss.mean < 2%",
        "WORSE     packets.lost / packets",
        "Note: other nodes: ",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let better = diff(&lossy, &good, &["--json"]).await;
    for what in of_sound {
        assert_eq!(judged(&better, what), "better", "{what}");
    }

    let refused = diff(&good, &other, &[]).await;
    refused.expect_one_line(
        2,
        "the scenarios differ: before \"each with 10 participants: 1 talkers",
    );
    diff(&good, &other, &["--anyway", "--tolerance", "1000"])
        .await
        .expect(0, "");
    diff(&good, &here.join("nothing.json"), &[])
        .await
        .expect_one_line(2, "nothing.json: No such file");
}
