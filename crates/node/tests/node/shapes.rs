//! The shapes that current official clients check, or die of.

use serde_json::{Map, Value, json};

use crate::support::{open_node, settings, start};

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

#[tokio::test]
async fn request_token_answers_what_official_clients_demand() {
    let node = open_node().await;

    let granted = node.join("Alice").await.granted;

    assert!(
        granted["expires"].is_string(),
        "a number fails their validators"
    );
    assert!(
        !object(&granted).contains_key("stun"),
        "an empty list kills the call of the web client"
    );
    assert_eq!(
        granted["version"],
        json!({ "version_id": "39", "pseudo_version": "77524.0.0" })
    );
    for (field, value) in [
        ("role", json!("HOST")),
        ("service_type", json!("conference")),
        ("current_service_type", json!("conference")),
        ("conference_name", json!("meet")),
        ("chat_enabled", json!(true)),
        ("call_type", json!("video")),
        ("direct_media", json!(false)),
        ("trickle_ice_enabled", json!(true)),
    ] {
        assert_eq!(granted[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_row_has_every_field_that_is_demanded_and_each_of_its_type() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    let row = &alice.get("participants").await.ok()[0];

    let is_yes_or_no = |value: &Value| ["YES", "NO"].map(|word| json!(word)).contains(value);
    for field in [
        "is_muted",
        "is_presenting",
        "is_video_call",
        "is_audio_only_call",
        "fecc_supported",
        "transfer_supported",
        "disconnect_supported",
        "mute_supported",
    ] {
        assert!(is_yes_or_no(&row[field]), "{field}: {}", row[field]);
    }
    for field in [
        "has_media",
        "is_external",
        "is_streaming_conference",
        "is_video_muted",
        "is_video_silent",
        "supports_direct_chat",
        "can_receive_personal_mix",
    ] {
        assert!(row[field].is_boolean(), "{field}: {}", row[field]);
    }
    for field in ["buzz_time", "spotlight", "start_time"] {
        assert!(row[field].is_number(), "{field}: {}", row[field]);
    }
    for (field, value) in [
        ("call_direction", json!("in")),
        ("display_name", json!("Alice")),
        ("overlay_text", json!("Alice")),
        ("external_node_uuid", json!("")),
        ("local_alias", json!("meet")),
        ("protocol", json!("api")),
        ("role", json!("chair")),
        ("rx_presentation_policy", json!("ALLOW")),
        ("service_type", json!("conference")),
        ("uuid", json!(alice.uuid)),
        ("api_url", json!(format!("/participants/{}", alice.uuid))),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert!(
        ["On", "Off"]
            .map(|word| json!(word))
            .contains(&row["encryption"])
    );
    assert!(row["receive_from_video_mix"]["mix_name"].is_string());
    assert!(row["receive_from_video_mix"]["timestamp"].is_number());
    assert!(
        row["start_time"].as_f64().is_some_and(|time| time > 1.7e9),
        "Unix time: {}",
        row["start_time"]
    );
}

#[tokio::test]
async fn a_guest_is_guest_in_the_roster_and_upper_case_in_the_token() {
    let node = start(settings(&["meet,pin=1,guest_pin=2"])).await;
    let guest = node.join_with("Guest", Some("2")).await;

    assert_eq!(guest.granted["role"], "GUEST");
    assert_eq!(guest.get("participants").await.ok()[0]["role"], "guest");
}

#[tokio::test]
async fn the_state_of_the_conference_says_whether_it_has_started() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    let status = alice.get("conference_status").await.ok();

    for (field, value) in [
        ("locked", false),
        ("guests_muted", false),
        ("started", true),
        ("direct_media", false),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
    assert_eq!(
        alice.fresh_events().await.until("conference_update").await,
        status
    );
}

#[tokio::test]
async fn vendor_is_the_user_agent() {
    let node = open_node().await;
    let url = format!("{}/request_token", node.conference("meet"));
    node.client
        .post(url)
        .header("user-agent", "Practice/1.0")
        .send()
        .await
        .expect("an answer");
    let alice = node.join("Alice").await;

    assert_eq!(
        alice.get("participants").await.ok()[0]["vendor"],
        "Practice/1.0"
    );
}
