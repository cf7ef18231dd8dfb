//! Aliases that a URL has to spell: written by us, read by the node, over real HTTP and both ways.

use driver::api::{Conference, Entrance};
use infinity::ConferenceAlias;
use node::ConferenceSettings;

use crate::scene::Scene;

const ALIASES: [&str; 12] = [
    "alice@example.com",
    "sales/emea",
    "board room",
    "50% off?",
    "a+b&c=d;e",
    "#1",
    "%2F",
    "Gr\u{fc}\u{df}e aus K\u{f6}ln",
    "\u{4f1a}\u{8b70}\u{5ba4}",
    "\u{1f600}",
    "...",
    "\"quoted\" <angled>",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_alias_is_reached_and_comes_back_as_it_was_written() {
    let aliases = ALIASES.map(|text| text.parse::<ConferenceAlias>().unwrap());
    let scene = Scene::with(|node| {
        node.conferences = aliases.clone().map(ConferenceSettings::open).into();
    })
    .await;
    let node: url::Url = scene.node.http_url.as_deref().unwrap().parse().unwrap();
    for alias in aliases {
        let conference = Conference::at(scene.client.clone(), node.clone(), alias.clone());
        let entrance = Entrance::named(format!("of {alias}"));
        conference
            .request_token(&entrance)
            .await
            .unwrap_or_else(|error| panic!("{alias}: {error}"));
        let rows = conference.participants().await.unwrap();
        // Nobody else is here: each alias has a conference of its own.
        let [row] = rows.as_slice() else {
            panic!("{alias}: {rows:?}")
        };
        assert_eq!(row.local_alias, alias.as_str());
        assert_eq!(row.display_name, format!("of {alias}"));
        // A participant's path, and the query with the token, are spelt as well.
        conference
            .participant(row.uuid.clone())
            .buzz()
            .await
            .unwrap();
        let mut events = conference.events().await.unwrap();
        events.next().await.unwrap();
        conference.release_token(None).await.unwrap();
    }
    // The control: what is not there is not found.
    let nowhere = Conference::at(scene.client.clone(), node, "sales".parse().unwrap());
    let refused = nowhere.request_token(&Entrance::named("x")).await;
    assert!(refused.is_err());
}
