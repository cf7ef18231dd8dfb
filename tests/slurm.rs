//! A load test in parts, run by Slurm as the README says, is the same test.

use std::path::Path;

use serde_json::Value;

use crate::support::slurm::Cluster;
use crate::support::{
    A_CLIP, Observer, PracticeNode, Process, SOON, material, readme, turn, wait_for,
};

/// What the README tells people to type.
fn commands() -> String {
    readme("sbatch --parsable")
}

/// Puts the script and a scenario for `node` where jobs are submitted from.
fn prepare(cluster: &Cluster, node: &PracticeNode, keys: &str) {
    let script = material("../../config/load.sbatch");
    std::fs::copy(script, cluster.directory().join("load.sbatch")).unwrap();
    let text = format!(
        "nodes = [{:?}]\ngenerator_cpu_percent = 100\ngenerator_late_ms = 60000\ngenerator_timer_ms = 60000\n\
         generator_drops_percent = 100\n{keys}\n",
        node.http
    );
    std::fs::write(cluster.directory().join("town-hall.toml"), text).unwrap();
}

async fn plan(cluster: &Cluster, arguments: &[&str]) -> Vec<Value> {
    let scenario = cluster.directory().join("town-hall.toml");
    let all = [&["load", scenario.to_str().unwrap(), "--plan"], arguments].concat();
    let ended = Process::start(&all).ended(SOON).await;
    ended.expect(0, "");
    let read = |line: &String| serde_json::from_str(line).unwrap();
    ended.out.iter().map(read).collect()
}

fn result(directory: &Path) -> Value {
    let text = std::fs::read(directory.join("result.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Returns the numbers of the callers that a result is about.
fn callers(result: &Value) -> Vec<u64> {
    let rows = result["measurements"]["callers"].as_object().unwrap();
    let mut numbers: Vec<u64> = rows.keys().map(|number| number.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn planned(plan: &[Value]) -> Vec<u64> {
    let number = |caller: &Value| caller["caller"].as_u64().unwrap();
    plan.iter().map(number).collect()
}

#[tokio::test]
async fn four_tasks_of_an_array_are_one_test() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let cluster = Cluster::start().await;
    let keys = "participants = 9\nhold_seconds = 4\nthresholds = [\"failures == 0\", \"joins.ok == 9\", \
                \"tokens.kept == 0\", \"join.first_audio.count == 9\"]";
    prepare(&cluster, &node, keys);
    let line = format!("export STANDIN_LEAD=4\n{}", commands());
    let code = cluster.verdict(&line, A_CLIP).await;
    assert_eq!(code, 0, "{}", cluster.logs());
    assert!(cluster.logs().contains("PASS: all 4 thresholds hold"));

    // Every task ran its part of the plan and no more, from the same moment on; together they are the plan.
    let whole = cluster.directory().join("load-1");
    let merged = result(&whole);
    let all = plan(&cluster, &[]).await;
    assert_eq!(callers(&merged), planned(&all));
    let mut union = Vec::new();
    for index in 0..4 {
        let part = result(&whole.join(format!("part-{index}")));
        let its = plan(&cluster, &["--shard", &format!("{index}/4")]).await;
        assert_eq!(callers(&part), planned(&its));
        assert_eq!(part["run"]["started_ms"], merged["run"]["started_ms"]);
        union.extend(its);
    }
    union.sort_by_key(|caller| caller["caller"].as_u64());
    assert_eq!(union, all);
    union.remove(5);
    assert_ne!(union, all, "the comparison can fail");
    Observer::join(&node, "load-1", None)
        .await
        .expect_alone()
        .await;

    // Without one of them nothing is said about the whole.
    std::fs::remove_dir_all(whole.join("part-2")).unwrap();
    let merge = commands().lines().nth(1).unwrap().to_owned();
    let code = cluster.verdict(&format!("job=1\n{merge}"), SOON).await;
    assert_eq!(code, 2, "{}", cluster.logs());
    assert!(cluster.logs().contains("part 2 of 4 is missing"));
}

#[tokio::test]
async fn arrays_begin_anywhere_and_their_verdict_is_the_exit_code() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let cluster = Cluster::start().await;
    let keys =
        "participants = 6\nhold_seconds = 3\nthresholds = [\"joins.ok == 7\", \"failures == 0\"]";
    prepare(&cluster, &node, keys);
    let line = format!("export STANDIN_LEAD=4\n{}", commands()).replace("0-3", "2-8:2");
    let code = cluster.verdict(&line, A_CLIP).await;
    assert_eq!(code, 1, "{}", cluster.logs());
    assert!(cluster.logs().contains("FAIL: 1 of 2 thresholds missed"));
    let whole = cluster.directory().join("load-1");
    for (index, task) in [2, 4, 6, 8].into_iter().enumerate() {
        let part = result(&whole.join(format!("part-{task}")));
        let its = plan(&cluster, &["--shard", &format!("{index}/4")]).await;
        assert_eq!(callers(&part), planned(&its));
    }

    // Tasks that cannot all run at once do not begin at all.
    let line = format!("export STANDIN_PATIENCE=2\n{}", commands()).replace("0-3", "0-3%2");
    let code = cluster.verdict(&line, A_CLIP).await;
    assert_eq!(code, 2, "{}", cluster.logs());
    let logs = cluster.logs();
    assert!(logs.contains("of 4 tasks these came: "), "{logs}");
    Observer::join(&node, "load-1", None)
        .await
        .expect_alone()
        .await;
}

#[tokio::test]
async fn a_cancelled_array_leaves_nothing_behind() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let cluster = Cluster::start().await;
    prepare(
        &cluster,
        &node,
        "participants = 6\nhold_seconds = 300\nrate = 20",
    );
    let submit = commands().lines().next().unwrap().to_owned();
    let line = format!("export STANDIN_LEAD=4\n{submit}");
    cluster.shell(&line).await;
    let observer = Observer::join(&node, "load-1", None).await;
    observer.until_others(6).await;
    cluster.shell("scancel 1").await;
    observer.expect_alone().await;
    wait_for("what was measured until then", SOON, async || {
        let result = |task| {
            cluster
                .directory()
                .join(format!("load-1/part-{task}/result.json"))
        };
        (0..4).all(|task| result(task).exists()).then_some(())
    })
    .await;
}
