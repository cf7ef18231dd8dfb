//! Paths, both ways, and the near misses.

use infinity::{CallPath, ConferencePath, Method, ParticipantPath, Path, Token, token_in_query};

fn in_meet(path: ConferencePath) -> Path {
    in_conference("meet", path)
}

fn in_conference(alias: &str, path: ConferencePath) -> Path {
    Path::Conference(alias.parse().expect("a good alias"), path)
}

fn of_p(path: ParticipantPath) -> Path {
    in_meet(ConferencePath::Participant("p-1".into(), path))
}

#[test]
fn paths_both_ways() {
    use {CallPath as C, ConferencePath as F, ParticipantPath as P};
    let of_c = |path| of_p(P::Call("c-1".into(), path));
    for (text, path, method) in [
        ("status", Path::Status, Method::Get),
        (
            "conferences/meet/request_token",
            in_meet(F::RequestToken),
            Method::Post,
        ),
        (
            "conferences/meet/refresh_token",
            in_meet(F::RefreshToken),
            Method::Post,
        ),
        (
            "conferences/meet/release_token",
            in_meet(F::ReleaseToken),
            Method::Post,
        ),
        ("conferences/meet/events", in_meet(F::Events), Method::Get),
        (
            "conferences/meet/participants",
            in_meet(F::Participants),
            Method::Get,
        ),
        (
            "conferences/meet/conference_status",
            in_meet(F::ConferenceStatus),
            Method::Get,
        ),
        (
            "conferences/meet/muteguests",
            in_meet(F::MuteGuests),
            Method::Post,
        ),
        (
            "conferences/meet/disconnect",
            in_meet(F::Disconnect),
            Method::Post,
        ),
        ("conferences/meet/theme/", in_meet(F::Theme), Method::Get),
        (
            "conferences/meet/presentation.jpeg",
            in_meet(F::PresentationJpeg),
            Method::Get,
        ),
        (
            "conferences/meet/presentation_high.jpeg",
            in_meet(F::PresentationHighJpeg),
            Method::Get,
        ),
        (
            "conferences/meet/participants/p-1/transfer",
            of_p(P::Transfer),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/dtmf",
            of_p(P::Dtmf),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/calls/c-1/dtmf",
            of_c(C::Dtmf),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/calls/c-1/statistics",
            of_c(C::Statistics),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/mute",
            of_p(P::Mute),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/disconnect",
            of_p(P::Disconnect),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/calls",
            of_p(P::Calls),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/calls/c-1/ack",
            of_c(C::Ack),
            Method::Post,
        ),
        (
            "conferences/meet/participants/p-1/calls/c-1/update",
            of_c(C::Update),
            Method::Post,
        ),
        (
            "conferences/alice%40example.com/events",
            in_conference("alice@example.com", F::Events),
            Method::Get,
        ),
        (
            "conferences/a%2Fb%20c%25%3F%23/events",
            in_conference("a/b c%?#", F::Events),
            Method::Get,
        ),
        (
            "conferences/Gr%C3%B6%C3%9Fe%20%E4%BC%9A%E8%AD%B0/events",
            in_conference("Größe 会議", F::Events),
            Method::Get,
        ),
    ] {
        let text = format!("/api/client/v2/{text}");
        assert_eq!(Path::decode(&text).as_ref(), Some(&path), "{text}");
        assert_eq!(path.encode(), text);
        assert_eq!(path.method(), method, "{text}");
    }
}

#[test]
fn an_alias_that_came_unescaped_is_understood() {
    // okhttp and URLSession leave `@` as it is.
    assert_eq!(
        Path::decode("/api/client/v2/conferences/alice@example.com/events"),
        Some(in_conference("alice@example.com", ConferencePath::Events))
    );
}

#[test]
fn near_misses_are_no_paths() {
    for text in [
        "",
        "/",
        "status",
        "/api/client/v2",
        "/api/client/v2/",
        "/api/client/v1/status",
        "/api/client/v2/status/",
        "/api/client/v2/conferences/meet",
        "/api/client/v2/conferences//events",
        "/api/client/v2/conferences/%2E%2E/events",
        "/api/client/v2/conferences/%FF/events",
        "/api/client/v2/conferences/meet/events/",
        "/api/client/v2/conferences/meet/Events",
        "/api/client/v2/conferences/meet/participants/",
        "/api/client/v2/conferences/meet/participants//calls",
        "/api/client/v2/conferences/meet/participants/p/calls/",
        "/api/client/v2/conferences/meet/participants/p/calls/c",
        "/api/client/v2/conferences/meet/participants/p/calls/c/ack/x",
    ] {
        assert_eq!(Path::decode(text), None, "{text}");
    }
}

#[test]
fn the_token_of_a_query_is_decoded() {
    assert_eq!(
        token_in_query("id=7&token=a%3D%3D"),
        Some(Token::new("a=="))
    );
    assert_eq!(token_in_query("token="), None);
    assert_eq!(token_in_query("tokens=a"), None);
}
