//! Requests about a call.

use driver::api::{ApiError, Conference, Entrance};
use infinity::{Digits, MediaStatistics, NewCandidate, Statistics, Update};

use super::participant::{KEY_1_HZ, KEYS, ack as send_ack, start_call};
use crate::caller::{Caller, text};
use crate::media_leg::{Leg, Sends};
use crate::row::{Stop, Told, rows};
use crate::scene::{Scene, within};
use crate::witness::{HEARD, Witness};

rows! { "call":
    ack.needs(&["calls/ack"]).fixtures(&["response/ack", "response/ack_empty"]).media();
    disconnect.needs(&["calls/disconnect"]).fixtures(&["response/call_disconnect"]).media();
    new_candidate.needs(&["calls/new_candidate"]).fixtures(&["request/new_candidate", "request/new_candidate_end", "response/new_candidate"]).later().media();
    update.needs(&["calls/update"]).fixtures(&["request/update", "response/update"]).later().media();
    statistics.needs(&["calls/statistics"]).fixtures(&["request/statistics", "response/statistics"]).later().media();
    dtmf.needs(&["calls/dtmf"]).fixtures(&["request/dtmf", "response/dtmf"]).conferences(&["meet,pin=1234,guest_pin=none", "bridge,gateway=bea@example.com"]).media();
}

/// The caller has a call with a tone in it; the other one listens.
async fn with_a_call(scene: &Scene) -> Result<(Caller, Witness, Leg, String), Stop> {
    let (caller, mut other) = (scene.host().await?, scene.other("Other").await?);
    other.calls(Sends::NOTHING).await?;
    let leg = Leg::offer(Sends::tone(1_000)).await;
    let (call, answer) = start_call(scene, &caller, &leg.offer).await?;
    leg.take_answer(&answer).await?;
    Ok((caller, other, leg, call))
}

/// The caller is not heard before, though its media could flow, and is heard afterwards.
async fn ack(scene: &mut Scene) -> Told {
    let (caller, other, leg, call) = with_a_call(scene).await?;
    leg.is_connected(scene.patience()).await?;
    other.hears(1_000, false).await?;

    send_ack(&caller, &call).await?;

    other.hears(1_000, true).await?;
    leg.hears_something(scene.patience()).await
}

/// The caller is heard no longer, and is still there.
async fn disconnect(scene: &mut Scene) -> Told {
    let (caller, mut other, _leg, call) = with_a_call(scene).await?;
    send_ack(&caller, &call).await?;
    other.hears(1_000, true).await?;
    other.forget();
    let me = caller.uuid.as_str();

    caller
        .asks(
            async |it: &Conference| {
                let call = it.participant(me).call(call.as_str());
                call.disconnect().await
            },
            &["disconnect", "--call", &call],
        )
        .await?;

    other.sees_row(me, "protocol", "api").await?;
    other.hears(1_000, false).await?;
    other.has_others(1).await
}

/// An offer without candidates; they follow one by one, and then the word that there are no more.
async fn new_candidate(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other("Other").await?);
    other.calls(Sends::NOTHING).await?;
    let leg = Leg::offer(Sends::tone(1_000)).await;
    let (bare, candidates): (Vec<&str>, Vec<&str>) = leg
        .offer
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("a=end-of-candidates"))
        .partition(|line| !line.starts_with("a=candidate:"));
    let (call, answer) = start_call(scene, &caller, &bare.concat()).await?;
    let me = caller.uuid.as_str();

    let candidates = candidates
        .iter()
        .map(|line| line.trim_start_matches("a=").trim());
    for candidate in candidates.map(Some).chain([None]) {
        let body = NewCandidate {
            candidate: candidate.unwrap_or_default().to_owned(),
            mid: "0".to_owned(),
            ufrag: None,
            pwd: None,
        };
        let what = candidate.unwrap_or("--end");
        caller
            .asks(
                async |it: &Conference| {
                    let call = it.participant(me).call(call.as_str());
                    call.new_candidate(body).await
                },
                &["new_candidate", what, "--mid", "0", "--call", &call],
            )
            .await?;
    }

    leg.take_answer(&answer).await?;
    send_ack(&caller, &call).await?;
    other.hears(1_000, true).await
}

/// ICE is restarted: another ufrag in the answer, and the caller is heard as before.
async fn update(scene: &mut Scene) -> Told {
    let (caller, other, leg, call) = with_a_call(scene).await?;
    send_ack(&caller, &call).await?;
    other.hears(1_000, true).await?;
    leg.peer.restart_ice();
    let offer = leg.peer.create_offer().await.expect("an offer");
    let file = scene.file("update.sdp", &offer);
    let me = caller.uuid.as_str();

    let answer = caller
        .asks_for(
            async |it: &Conference| {
                let call = it.participant(me).call(call.as_str());
                let update = Update { sdp: offer };
                Ok::<_, ApiError>(call.update(update).await?.sdp)
            },
            &["update", "--sdp", &file, "--call", &call],
            |answer| Some(text(&answer["sdp"])),
        )
        .await?;

    leg.take_answer(&answer).await?;
    leg.forget();
    leg.hears_something(scene.patience()).await?;
    other.forget_sound();
    other.hears(1_000, true).await
}

/// Whoever tells what it measured is heard as before.
async fn statistics(scene: &mut Scene) -> Told {
    let (caller, other, _leg, call) = with_a_call(scene).await?;
    send_ack(&caller, &call).await?;
    let me = caller.uuid.as_str();
    let measured = Statistics {
        audio: Some(MediaStatistics {
            rx_bitrate: Some(31.5),
            rx_codec: Some("opus".to_owned()),
            ..MediaStatistics::default()
        }),
        ..Statistics::default()
    };
    let arguments = [
        "statistics",
        "--audio",
        "rx_bitrate=31.5",
        "rx_codec=opus",
        "--call",
        &call,
    ];

    caller
        .asks(
            async |it: &Conference| {
                let call = it.participant(me).call(call.as_str());
                call.statistics(measured).await
            },
            &arguments,
        )
        .await?;

    other.hears(1_000, true).await
}

/// The far end of a gateway call plays the keys back to the caller: there is nobody else.
async fn dtmf(scene: &mut Scene) -> Told {
    let entrance = Entrance::named("Caller");
    let caller = Caller::outside_of(scene, "bridge")
        .enter(entrance, "Caller", None, &[])
        .await?;
    let leg = Leg::offer(Sends::NOTHING).await;
    let (call, answer) = start_call(scene, &caller, &leg.offer).await?;
    leg.take_answer(&answer).await?;
    send_ack(&caller, &call).await?;
    let me = caller.uuid.as_str();
    let answered = within(scene.patience(), async || {
        let services = services_of_others(&caller).await.ok()?;
        services.iter().any(|it| it == "gateway").then_some(())
    });
    answered
        .await
        .ok_or_else(|| Stop::Observed("the far end does not answer".to_owned()))?;
    let digits: Digits = KEYS.parse().expect("digits");

    caller
        .asks(
            async |it: &Conference| {
                let call = it.participant(me).call(call.as_str());
                call.dtmf(digits).await
            },
            &["dtmf", KEYS, "--call", &call],
        )
        .await?;

    let heard = within(scene.patience(), async || {
        (leg.hears(KEY_1_HZ)? > HEARD).then_some(())
    });
    heard
        .await
        .ok_or_else(|| Stop::Observed("the keys are not heard".to_owned()))
}

/// What the caller reads in the roster of the others.
async fn services_of_others(caller: &Caller) -> Result<Vec<String>, Stop> {
    let me = caller.uuid.as_str();
    caller
        .asks_for(
            async |it: &Conference| {
                let rows = it.participants().await?;
                let others = rows.iter().filter(|row| row.uuid.as_str() != me);
                Ok::<_, ApiError>(others.map(|row| row.service_type.to_string()).collect())
            },
            &["participants"],
            |rows| {
                let others = rows.as_array()?.iter().filter(|row| row["uuid"] != me);
                Some(others.map(|row| text(&row["service_type"])).collect())
            },
        )
        .await
}
