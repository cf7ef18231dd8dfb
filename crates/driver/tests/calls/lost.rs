//! Tokens that live briefly or die, nodes that go away.

use std::time::Duration;

use driver::{EndReason, NoticeKind, Rejoin, State, StopReason};
use node::{Fault, Faults};

use crate::scene::{PATIENCE, Scene, is_in};

const SOON: Rejoin = Rejoin::Always {
    first: Duration::from_millis(100),
    longest: Duration::from_millis(500),
};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refreshed_for_as_long_as_the_caller_stays() {
    let scene = Scene::with(|node| node.token_life = Duration::from_secs(2)).await;
    let mut caller = scene.listener("stayer").await;
    // Three lives of the token; whatever else happens would be told.
    let left = tokio::time::timeout(Duration::from_secs(6), async {
        loop {
            let notice = caller.caller.notice().await.unwrap();
            if let NoticeKind::State(state) = notice.kind {
                return state;
            }
        }
    });
    assert!(left.await.is_err(), "it stays in the conference");
    let outcome = caller.leave().await;
    assert_eq!(outcome.joins, 1);
    assert!(outcome.token_released);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_forgets_our_token_ends_a_caller_that_does_not_rejoin() {
    let scene = Scene::with(|node| {
        node.token_life = Duration::from_secs(2);
        node.faults = Faults::from_iter([Fault::Refresh403]);
    })
    .await;
    let outcome = scene.listener("unlucky").await.end().await;
    // Nobody said that a host removed us, so nothing claims it.
    let EndReason::TokenLost(why) = &outcome.reason else {
        panic!("{:?}", outcome.reason)
    };
    assert!(why.contains("does not know our token"), "{why}");
    assert!(outcome.was_in);
    assert!(outcome.token_released, "there is nothing left to release");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_goes_to_the_next_node_when_its_own_goes_away() {
    let short = Duration::from_secs(4);
    let first = Scene::with(|node| node.token_life = short).await;
    let second = Scene::with(|node| node.token_life = short).await;
    let mut settings = first.settings("bot");
    settings.nodes.extend(second.settings("").nodes);
    settings.rejoin = SOON;
    let other: url::Url = second.node.http_url.as_deref().unwrap().parse().unwrap();
    let mut bot = first.start(settings);
    bot.until(is_in).await;

    first.node.shutdown().await;
    bot.until(|kind| matches!(kind, NoticeKind::State(State::Joining(node)) if *node == other))
        .await;
    bot.until(is_in).await;

    bot.caller.stop(StopReason::Terminated);
    let outcome = bot.end().await;
    assert_eq!(outcome.reason, EndReason::Stopped(StopReason::Terminated));
    assert!(outcome.joins >= 2 && outcome.token_released, "{outcome:?}");
    assert_eq!(second.others().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_twice_to_stop_it_still_releases_its_token() {
    let scene = Scene::open().await;
    let caller = scene.listener("hasty").await;
    assert_eq!(scene.others().await, 1);
    caller.caller.stop(StopReason::Interrupted);
    caller.caller.stop(StopReason::Interrupted);
    let outcome = caller.end().await;
    assert_eq!(outcome.reason, EndReason::Stopped(StopReason::Interrupted));
    assert!(outcome.token_released);
    assert_eq!(scene.others().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_nobody_holds_any_more_leaves() {
    let scene = Scene::open().await;
    let caller = scene.listener("orphan").await;
    let mut witness = scene.listener("witness").await;
    drop(caller);
    let left = |kind: &NoticeKind| matches!(kind, NoticeKind::Roster(facts) if facts.rows == 1);
    witness.within(PATIENCE, left).await;
}
