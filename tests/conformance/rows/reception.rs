//! Virtual Receptions: a second `request_token` says which conference is wanted.

use infinity::{ReceptionKind, Refusal};

use super::client_control::named;
use crate::caller::Caller;
use crate::row::{Told, rows};
use crate::scene::{HOST_PIN, NO_PIN, Scene};
use crate::witness::Witness;

rows! { "virtual_reception":
    standard.needs(&["request_token"]).fixtures(&["response/403_virtual_reception", "request/request_token_extension"]).conferences(&["desk,reception=standard", "meet"]);
    mssip.needs(&["request_token"]).fixtures(&["response/403_virtual_reception_mssip", "request/request_token_extension"]).conferences(&["desk,reception=mssip", "meet"]);
    with_a_pin.needs(&["request_token"]).fixtures(&["response/403_virtual_reception_pin", "request/request_token_extension"]).conferences(&["desk,reception=standard", "meet,pin=1234,guest_pin=none"]);
    that_wants_a_pin_too.needs(&["request_token"]).fixtures(&["response/403_virtual_reception_pin", "request/request_token_extension"]).conferences(&["desk,reception=standard,pin=1234", "meet,pin=1234,guest_pin=none"]);
}

async fn standard(scene: &mut Scene) -> Told {
    connects(scene, ReceptionKind::Standard, None).await
}

async fn mssip(scene: &mut Scene) -> Told {
    connects(scene, ReceptionKind::Mssip, None).await
}

async fn with_a_pin(scene: &mut Scene) -> Told {
    connects(scene, ReceptionKind::Standard, Some(HOST_PIN)).await
}

/// Asked without an extension, the caller learns the kind; with one, it is where the others are.
async fn connects(scene: &Scene, wanted: ReceptionKind, pin: Option<&str>) -> Told {
    let there = Witness::join_conference(scene, "meet", "Other", pin.unwrap_or(NO_PIN)).await?;
    let caller = Caller::outside(scene);
    let refused = caller
        .is_not_admitted(named("Caller", pin), pin, &[])
        .await?;
    let is_wanted = |refusal: &Refusal| matches!(refusal, Refusal::VirtualReception { kind, .. } if *kind == wanted);
    refused.says(is_wanted, 3, "--extension")?;
    there.saw_none("participant_create", |_| true).await?;

    let entrance = named("Caller", pin).with_extension("meet");
    let caller = Caller::outside(scene)
        .enter(entrance, "Caller", pin, &["--extension", "meet"])
        .await?;

    let who = caller.uuid.as_str();
    there
        .sees("participant_create", |row| row["uuid"] == who)
        .await?;
    Ok(())
}

/// Asked with nothing, it wants both in one answer; with the PIN alone, the conference.
async fn that_wants_a_pin_too(scene: &mut Scene) -> Told {
    let wants = |wanted: bool| move |refusal: &Refusal| matches!(refusal, Refusal::VirtualReception { pin, .. } if pin.is_some() == wanted);
    let caller = Caller::outside(scene);
    let refused = caller.is_not_admitted(named("Caller", None), None, &[]);
    refused.await?.says(wants(true), 3, "wants a PIN too")?;

    let pin = Some(HOST_PIN);
    let refused = caller.is_not_admitted(named("Caller", pin), pin, &[]);
    refused.await?.says(wants(false), 3, "--extension")?;

    connects(scene, ReceptionKind::Standard, pin).await
}
