//! Refusals that a practice node has no reason for: it is told to give them (`--fault refuse=…`), or
//! something stands before it. The operator's view shows nobody.

use driver::Login;
use infinity::{Capacity, Credential, Refusal};
use node::{HttpCredentials, NodeSettings};

use super::client_control::named;
use crate::caller::{Caller, is_malformed};
use crate::row::{Stop, Told, rows};
use crate::scene::{HOST_PIN, Scene, library_client};

rows! { "refusals":
    identity_wanted.needs(&["request_token"]).fixtures(&["response/403_identity_wanted"]).fault("refuse=identity").unknown_to_v10();
    redirect.needs(&["request_token"]).fixtures(&["response/403_redirect"]).fault("refuse=redirect").unknown_to_v10();
    sign_in_failed.needs(&["request_token"]).fixtures(&["response/403_sign_in_failed"]).fault("refuse=sign-in-failed").unknown_to_v10();
    invalid_role.needs(&["request_token"]).fixtures(&["response/403_invalid_role"]).fault("refuse=invalid-role");
    display_name_wanted.needs(&["request_token"]).fixtures(&["response/403_display_name_wanted"]).fault("refuse=display-name").unknown_to_v10();
    bad_http_credentials.needs(&["request_token"]).fixtures(&["response/401_bad_http_credentials"]).node(with_login);
    no_such_node.needs(&["request_token"]).fixtures(&["response/404_not_found"]).fault("refuse=no-node");
    unsupported_media_type.needs(&["request_token"]).fixtures(&["response/415_other"]).fault("refuse=media-type");
    internal_error.needs(&["request_token"]).fixtures(&["response/500_unavailable"]).fault("refuse=internal");
    bad_gateway.needs(&["request_token"]).fixtures(&["response/503_out_of_resource"]).fault("refuse=bad-gateway");
    gateway_timeout.needs(&["request_token"]).fixtures(&["response/503_out_of_resource"]).fault("refuse=gateway-timeout");
    maintenance.needs(&["request_token"]).fixtures(&["response/503_maintenance", "response/415_maintenance"]).fault("maintenance");
    out_of_resource.needs(&["request_token"]).fixtures(&["response/503_out_of_resource", "response/529_out_of_resource"]).fault("refuse=out-of-resource");
    out_of_transcoding.needs(&["request_token"]).fixtures(&["response/503_out_of_transcoding_resource"]).fault("refuse=out-of-transcoding");
    out_of_proxying.needs(&["request_token"]).fixtures(&["response/503_out_of_proxying_resource"]).fault("refuse=out-of-proxying");
    licences.needs(&["request_token"]).fixtures(&["response/503_licences"]).fault("refuse=licences");
    licences_as_a_403.needs(&["request_token"]).fixtures(&["response/403_licences"]).fault("refuse=licences-403");
    participant_limit_as_a_403.needs(&["request_token"]).fixtures(&["response/403_participant_limit"]).fault("refuse=participant-limit-403");
    not_json.needs(&["request_token"]).fault("refuse=not-json");
}

/// The caller is told such a thing, and the node has nobody.
async fn refused(
    scene: &Scene,
    wanted: impl FnOnce(&Refusal) -> bool,
    code: i32,
    word: &str,
) -> Told {
    let caller = Caller::outside(scene);
    let pin = Some(HOST_PIN);
    let refused = caller.is_not_admitted(named("Caller", pin), pin, &[]);
    refused.await?.says(wanted, code, word)?;
    nobody_is_there(scene).await
}

async fn nobody_is_there(scene: &Scene) -> Told {
    let state = scene.state().await;
    let people = state["conferences"][0]["participants"].as_array().cloned();
    match people {
        Some(people) if people.is_empty() => Ok(()),
        people => Err(Stop::Observed(format!("the operator sees {people:?}"))),
    }
}

async fn identity_wanted(scene: &mut Scene) -> Told {
    let wanted =
        |refusal: &Refusal| matches!(refusal, Refusal::IdentityWanted(all) if all.len() == 1);
    refused(scene, wanted, 3, "sign-in at Example ID").await
}

async fn redirect(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| matches!(refusal, Refusal::Redirect { .. });
    refused(scene, wanted, 3, "sign-in with a browser").await
}

async fn sign_in_failed(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::SignInFailed;
    refused(scene, wanted, 3, "sign-in was refused").await
}

async fn invalid_role(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::InvalidRole;
    refused(scene, wanted, 3, "role").await
}

async fn display_name_wanted(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::DisplayNameWanted;
    refused(scene, wanted, 3, "display name").await
}

async fn no_such_node(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::NoSuchNode;
    refused(scene, wanted, 3, "no Conferencing Node").await
}

async fn unsupported_media_type(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| matches!(refusal, Refusal::Other { code: 415, .. });
    refused(scene, wanted, 3, "HTTP 415").await
}

async fn internal_error(scene: &mut Scene) -> Told {
    refused(scene, |it| *it == Refusal::Unavailable(500), 3, "HTTP 500").await
}

async fn bad_gateway(scene: &mut Scene) -> Told {
    refused(scene, |it| *it == Refusal::Unavailable(502), 3, "HTTP 502").await
}

async fn gateway_timeout(scene: &mut Scene) -> Told {
    refused(scene, |it| *it == Refusal::Unavailable(504), 3, "HTTP 504").await
}

async fn maintenance(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::Maintenance;
    refused(scene, wanted, 3, "maintenance").await
}

/// There is too little of something; the caller is told of what.
async fn too_little(scene: &Scene, of: Capacity) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::CapacityReached(of);
    refused(scene, wanted, 3, &of.to_string()).await
}

async fn out_of_resource(scene: &mut Scene) -> Told {
    too_little(scene, Capacity::Resource).await
}

async fn out_of_transcoding(scene: &mut Scene) -> Told {
    too_little(scene, Capacity::Transcoding).await
}

async fn out_of_proxying(scene: &mut Scene) -> Told {
    too_little(scene, Capacity::Proxying).await
}

async fn licences(scene: &mut Scene) -> Told {
    too_little(scene, Capacity::Licences).await
}

async fn licences_as_a_403(scene: &mut Scene) -> Told {
    too_little(scene, Capacity::Licences).await
}

async fn participant_limit_as_a_403(scene: &mut Scene) -> Told {
    too_little(scene, Capacity::Participants).await
}

/// A network that wants its users to sign in answers everything with a page.
async fn not_json(scene: &mut Scene) -> Told {
    let caller = Caller::outside(scene);
    let pin = Some(HOST_PIN);
    let refused = caller.is_not_admitted(named("Caller", pin), pin, &[]);
    is_malformed(&refused.await?)?;
    nobody_is_there(scene).await
}

const LOGIN: (&str, &str) = ("alice", "hunter:2");

fn with_login(settings: &mut NodeSettings) {
    settings.http_credentials = Some(HttpCredentials {
        user: LOGIN.0.to_owned(),
        password: Credential::new(LOGIN.1),
    });
}

/// Nobody without the user name and password of HTTP Basic, and whoever has them.
async fn bad_http_credentials(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::BadHttpCredentials;
    refused(scene, wanted, 3, "--login-file").await?;

    let file = scene.file("login", &format!("{}:{}", LOGIN.0, LOGIN.1));
    let client = library_client().with_login(Login::new(LOGIN.0, LOGIN.1));
    let pin = Some(HOST_PIN);
    let _caller = Caller::outside_with(scene, &scene.alias, client)
        .enter(
            named("Caller", pin),
            "Caller",
            pin,
            &["--login-file", &file],
        )
        .await?;

    let state = scene.state().await;
    let name = &state["conferences"][0]["participants"][0]["row"]["display_name"];
    if name == "Caller" {
        Ok(())
    } else {
        Err(Stop::Observed(format!("the operator sees {name}")))
    }
}
