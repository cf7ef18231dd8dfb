//! Single requests by the handles of `driver::api`, as others in the conference see them.

use std::time::Duration;

use driver::api::{ApiError, Conference, Entrance, EventStream, PictureRequest, TokenPlace};
use driver::{HttpClient, Login, Tls};
use infinity::{
    Command, Dial, DialRole, Event, MessageText, ParticipantRow, Pin, Protocol, Refusal, Role,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::scene::{PATIENCE, Scene, is_in};

async fn enter(scene: &Scene, name: &str) -> Conference {
    let node = scene.node.http_url.as_deref().unwrap().parse().unwrap();
    let conference = Conference::at(scene.client.clone(), node, "meet".parse().unwrap());
    let entrance = Entrance::named(name);
    conference.request_token(&entrance).await.unwrap();
    conference
}

/// Waits for an event that `wanted` answers.
async fn until<T>(events: &mut EventStream, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let found = async {
        loop {
            let heard = events.next().await.unwrap();
            if let Some(found) = heard.event.ok().as_ref().and_then(&wanted) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

/// Waits until the roster, as `witness` sees it, has `count` rows.
async fn until_rows(witness: &Conference, count: usize) {
    let as_many = async {
        while witness.participants().await.unwrap().len() != count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, as_many).await.unwrap();
}

#[tokio::test]
async fn what_is_asked_for_is_seen_by_somebody_else() {
    let scene = Scene::open().await;
    let (host, witness) = (enter(&scene, "host").await, enter(&scene, "witness").await);
    let mut events = witness.events().await.unwrap();
    until(&mut events, |event| {
        matches!(event, Event::ParticipantSyncEnd).then_some(())
    })
    .await;
    let kept = enter(&scene, "Bea").await;
    let bea = host.participant(kept.own_uuid().await.unwrap());

    bea.mute().await.unwrap();
    bea.role(Role::Guest).await.unwrap();
    bea.overlay_text("Bea, minutes").await.unwrap();
    bea.spotlight_on().await.unwrap();
    bea.deny_rx_presentation().await.unwrap();
    kept.participant(bea.uuid().clone()).buzz().await.unwrap();
    let wanted = |row: &ParticipantRow| {
        row.uuid == *bea.uuid()
            && row.is_muted
            && row.role == Role::Guest
            && row.overlay_text == "Bea, minutes"
            && row.spotlight > 0.0
            && row.rx_presentation_policy == "DENY"
            && row.buzz_time > 0.0
    };
    until(&mut events, |event| match event {
        Event::ParticipantUpdate(row) => wanted(row).then_some(()),
        _ => None,
    })
    .await;

    host.lock().await.unwrap();
    assert!(witness.conference_status().await.unwrap().locked);
    host.unlock().await.unwrap();
    assert!(!witness.conference_status().await.unwrap().locked);
    host.mute_guests().await.unwrap();
    assert!(witness.conference_status().await.unwrap().guests_muted);

    let message = MessageText {
        media_type: "text/plain".into(),
        payload: "hello".into(),
    };
    host.message(message).await.unwrap();
    until(&mut events, |event| match event {
        Event::MessageReceived(message) => (message.payload == "hello").then_some(()),
        _ => None,
    })
    .await;

    let dialled = host
        .dial(Dial {
            role: DialRole::Guest,
            destination: "carl@example.com".into(),
            protocol: Protocol::Sip,
            presentation_url: None,
            streaming: false,
        })
        .await
        .unwrap();
    let rows = witness.participants().await.unwrap();
    assert!(rows.iter().any(|row| row.uuid == dialled[0]), "{rows:#?}");

    bea.disconnect().await.unwrap();
    until(&mut events, |event| match event {
        Event::ParticipantDelete(uuid) => (uuid == bea.uuid()).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn a_guest_is_refused_what_is_for_hosts() {
    let scene = Scene::with(|node| node.conferences = vec![with_pin()]).await;
    let node: Url = scene.node.http_url.as_deref().unwrap().parse().unwrap();
    let alias: infinity::ConferenceAlias = "meet".parse().unwrap();
    let at = || Conference::at(scene.client.clone(), node.clone(), alias.clone());
    let refusal = |error: ApiError| error.refusal().cloned();

    let entrance = Entrance::named("x");
    let error = at().request_token(&entrance).await.unwrap_err();
    assert!(matches!(refusal(error), Some(Refusal::PinWanted(_))));
    let wrong = entrance.clone().with_pin(Pin::new("9999"));
    let error = at().request_token(&wrong).await.unwrap_err();
    assert_eq!(refusal(error), Some(Refusal::InvalidPin));

    let addresses = [node.clone().into()];
    let enter = |entrance: Entrance| {
        let (client, addresses, alias) = (scene.client.clone(), addresses.clone(), alias.clone());
        async move {
            Conference::enter(client, &addresses, &alias, &entrance)
                .await
                .unwrap()
        }
    };
    // Guests need none, and are let in without one.
    let (guest, granted) = enter(entrance.clone()).await;
    assert_eq!(granted.role, Role::Guest);
    let error = guest.lock().await.unwrap_err();
    assert!(error.to_string().starts_with("lock: "), "{error}");
    assert!(matches!(refusal(error), Some(Refusal::Denied(_))));
    let (host, granted) = enter(entrance.with_pin(Pin::new("1234"))).await;
    assert_eq!(granted.role, Role::Host);
    host.lock().await.unwrap();
}

fn with_pin() -> node::ConferenceSettings {
    node::ConferenceSettings {
        host_pin: Some(Pin::new("1234")),
        guests: node::Guests::WithoutPin,
        ..node::ConferenceSettings::open("meet".parse().unwrap())
    }
}

#[tokio::test]
async fn a_token_is_replaced_lent_given_back_and_never_left_behind() {
    let scene = Scene::open().await;
    let witness = enter(&scene, "witness").await;

    let dropped = enter(&scene, "dropped").await;
    until_rows(&witness, 2).await;
    drop(dropped);
    until_rows(&witness, 1).await;

    let lender = enter(&scene, "lent").await;
    let first = lender.lend_token().unwrap();
    let refreshed = lender.refresh_token().await.unwrap();
    assert_ne!(first.token, refreshed.token);
    let lent = lender.membership().unwrap();
    assert_eq!(lent.token, refreshed.token);
    assert!(!format!("{lent:?}").contains(lent.token.expose()));
    drop(lender);

    // Whoever has it goes on with it: the drop has released nothing.
    let borrower = Conference::resume(scene.client.clone(), lent);
    assert_eq!(borrower.participants().await.unwrap().len(), 2);
    borrower.release_token(Some("done")).await.unwrap();
    until_rows(&witness, 1).await;
    assert!(matches!(
        borrower.participants().await,
        Err(ApiError::NoToken { .. })
    ));
    let late = Conference::resume(scene.client.clone(), first);
    let error = late.participants().await.unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::InvalidToken));
    // There is nothing to give back, which is no error.
    late.release_token(None).await.unwrap();
}

#[tokio::test]
async fn a_running_caller_lends_its_name_and_keeps_its_token() {
    let scene = Scene::open().await;
    let witness = enter(&scene, "witness").await;
    let mut settings = scene.settings("bot");
    settings.media = false;
    let mut bot = scene.start(settings);
    let early = bot.caller.conference();
    bot.until(is_in).await;

    let conference = bot.caller.conference();
    let own = conference.own_uuid().await.unwrap();
    conference.participant(own.clone()).buzz().await.unwrap();
    conference.lock().await.unwrap();
    let rows = witness.participants().await.unwrap();
    let row = rows.iter().find(|row| row.uuid == own).unwrap();
    assert!(row.buzz_time > 0.0, "{row:?}");
    assert!(witness.conference_status().await.unwrap().locked);
    let mut events = conference.events().await.unwrap();
    until(&mut events, |event| {
        matches!(event, Event::ParticipantSyncEnd).then_some(())
    })
    .await;

    for error in [
        conference.refresh_token().await.unwrap_err(),
        conference.release_token(None).await.unwrap_err(),
        conference.ask(Command::RefreshToken).await.unwrap_err(),
    ] {
        assert!(matches!(error, ApiError::NotOurs { .. }), "{error}");
    }
    bot.leave().await;
    let error = early.unlock().await.unwrap_err();
    assert!(matches!(error, ApiError::NotIn { .. }), "{error}");
    until_rows(&witness, 1).await;
}

#[tokio::test]
async fn http_basic_is_answered_and_its_password_never_shown() {
    let scene = Scene::with(|node| {
        node.http_credentials = Some(node::HttpCredentials {
            user: "alice".into(),
            password: infinity::Credential::new("s3cret"),
        });
    })
    .await;
    let node: Url = scene.node.http_url.as_deref().unwrap().parse().unwrap();
    let at = |client: &HttpClient, node: &Url| {
        Conference::at(client.clone(), node.clone(), "meet".parse().unwrap())
    };
    let entrance = Entrance::named("x");
    let error = at(&scene.client, &node).request_token(&entrance).await;
    let error = error.unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::BadHttpCredentials));

    let mut with_login = node.clone();
    with_login.set_username("alice").unwrap();
    with_login.set_password(Some("s3cret")).unwrap();
    let by_address = at(&scene.client, &with_login);
    by_address.request_token(&entrance).await.unwrap();
    let mut events = by_address.events().await.unwrap();
    events.next().await.unwrap();
    let client = scene
        .client
        .clone()
        .with_login(Login::new("alice", "s3cret"));
    let by_login = at(&client, &node);
    by_login.request_token(&entrance).await.unwrap();
    by_login.lock().await.unwrap();

    // Nothing listens there: the error names the node, and no more of its address.
    with_login.set_port(Some(1)).unwrap();
    let gone = at(&scene.client, &with_login);
    let error = gone.request_token(&entrance).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    for shown in [
        error,
        format!("{by_address:?} {client:?}"),
        driver::NodeAddress::from(with_login).to_string(),
    ] {
        assert!(
            !shown.contains("s3cret") && !shown.contains("alice"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn the_wrong_one_of_http_and_https_says_which_is_right() {
    let scene = Scene::with(|node| node.https = Some(([127, 0, 0, 1], 0).into())).await;
    let client = HttpClient::new(&Tls::Insecure).unwrap();
    let ask = |url: &str, scheme: &str| {
        let mut url: Url = url.parse().unwrap();
        let address = format!("{scheme}://127.0.0.1:{}", url.port().unwrap());
        url = address.parse().unwrap();
        let client = client.clone();
        async move { driver::api::status(&client, &url).await }
    };
    let (http, https) = (&scene.node.http_url, &scene.node.https_url);
    let (http, https) = (http.as_deref().unwrap(), https.as_deref().unwrap());
    let error = ask(http, "https").await.unwrap_err().to_string();
    assert!(error.contains("write http://"), "{error}");
    let error = ask(https, "http").await.unwrap_err().to_string();
    assert!(error.contains("https://"), "{error}");
    ask(http, "http").await.unwrap();
    ask(https, "https").await.unwrap();
}

/// Serves one picture over and over to whoever shows the token where `by_query` says.
async fn pictures(by_query: bool) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(connection.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            let shown = if by_query {
                head.contains("token=t0k%3d") && !head.contains("\ntoken:")
            } else {
                head.contains("\r\ntoken: t0k=") && !head.contains("token=t0k")
            };
            let body: &[u8] = match (shown, head.contains("presentation_high.jpeg")) {
                (true, false) => b"\xff\xd8small\xff\xd9",
                (true, true) => b"no picture at all",
                (false, _) => b"{\"status\":\"failed\",\"result\":\"Invalid token\"}",
            };
            let code = if shown { 200 } else { 403 };
            let answer = format!(
                "HTTP/1.1 {code} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.write_all(body).await.unwrap();
        }
    });
    url.parse().unwrap()
}

#[tokio::test]
async fn a_picture_of_the_presentation_comes_by_header_and_by_query() {
    let client = HttpClient::new(&Tls::SystemRoots).unwrap();
    for by_query in [false, true] {
        let conference = Conference::resume(
            client.clone(),
            driver::api::Membership {
                node: pictures(by_query).await,
                conference: "meet".parse().unwrap(),
                participant: "p".into(),
                token: infinity::Token::new("t0k="),
                expires_at: std::time::SystemTime::now() + PATIENCE,
            },
        );
        let mut request = PictureRequest {
            id: Some("7".into()),
            token: if by_query {
                TokenPlace::Query
            } else {
                TokenPlace::Header
            },
            high: false,
        };
        let picture = conference.presentation_jpeg(&request).await.unwrap();
        assert_eq!(picture, b"\xff\xd8small\xff\xd9");
        // The controls: something that is no picture, and the token in the other place.
        request.high = true;
        let error = conference.presentation_jpeg(&request).await.unwrap_err();
        assert!(matches!(error, ApiError::Malformed(_)), "{error}");
        request.token = if by_query {
            TokenPlace::Header
        } else {
            TokenPlace::Query
        };
        let error = conference.presentation_jpeg(&request).await.unwrap_err();
        assert_eq!(error.refusal(), Some(&Refusal::InvalidToken));
    }
}
