//! Every shape of a refusal, what it means, what to do about it, and how little makes it another.

use std::{collections::BTreeSet, fs, path::Path};

use infinity::{
    Capacity, IdentityProvider, PinWanted, ReceptionKind, Refusal, Remedy,
    Remedy::{Ask, GiveUp, JoinAgain, NextNode, Retry},
};

const HOST: PinWanted = PinWanted {
    host_required: true,
    guest_required: false,
};
const BOTH: PinWanted = PinWanted {
    host_required: true,
    guest_required: true,
};

/// Returns each fixture with the refusal it means, what to do about it, and words that must be in
/// its sentence: what to give, or what to check.
fn table() -> Vec<(&'static str, Refusal, Remedy, &'static str)> {
    let reception = |kind, pin| Refusal::VirtualReception { kind, pin };
    let full = Refusal::CapacityReached;
    let foreign = |code| Refusal::NotOfANode { code };
    let provider = IdentityProvider {
        name: "Example ID".into(),
        uuid: "e2a6f3b8-0c7e-4b9d-9df1-1f4c9b7a0001".into(),
    };
    vec![
        (
            "301_moved_lenient.html",
            Refusal::Moved { code: 301 },
            NextNode,
            "https://",
        ),
        (
            "400_not_of_a_node_lenient.html",
            foreign(400),
            NextNode,
            "check the address",
        ),
        (
            "400_other.json",
            Refusal::Other {
                code: 400,
                text: "a field is missing".into(),
            },
            GiveUp,
            "a field is missing",
        ),
        (
            "400_tls_wanted_lenient.html",
            Refusal::TlsWanted,
            NextNode,
            "https://",
        ),
        (
            "401_bad_http_credentials.json",
            Refusal::BadHttpCredentials,
            GiveUp,
            "user name and password",
        ),
        (
            "401_bad_http_credentials_lenient.html",
            Refusal::BadHttpCredentials,
            GiveUp,
            "user name and password",
        ),
        (
            "403_denied.json",
            Refusal::Denied("Host privileges required".into()),
            GiveUp,
            "Host privileges",
        ),
        (
            "403_display_name_wanted_modern.json",
            Refusal::DisplayNameWanted,
            Ask,
            "display name",
        ),
        (
            "403_guest_pin_wanted_modern.json",
            Refusal::PinWanted(BOTH),
            Ask,
            "PIN",
        ),
        (
            "403_identity_wanted_modern.json",
            Refusal::IdentityWanted(vec![provider]),
            GiveUp,
            "Example ID",
        ),
        (
            "403_invalid_pin.json",
            Refusal::InvalidPin,
            Ask,
            "PIN is wrong",
        ),
        (
            "403_invalid_pin_lenient.json",
            Refusal::InvalidPin,
            Ask,
            "PIN is wrong",
        ),
        (
            "403_invalid_role.json",
            Refusal::InvalidRole,
            GiveUp,
            "role",
        ),
        (
            "403_invalid_token.json",
            Refusal::InvalidToken,
            JoinAgain,
            "join again",
        ),
        (
            "403_invalid_token_lenient.json",
            Refusal::InvalidToken,
            JoinAgain,
            "join again",
        ),
        (
            "403_licences_lenient.json",
            full(Capacity::Licences),
            NextNode,
            "another node",
        ),
        (
            "403_not_of_a_node_lenient.html",
            foreign(403),
            NextNode,
            "on the way",
        ),
        (
            "403_participant_limit_lenient.json",
            full(Capacity::Participants),
            NextNode,
            "another node",
        ),
        (
            "403_pin_wanted_modern.json",
            Refusal::PinWanted(HOST),
            Ask,
            "PIN of hosts",
        ),
        (
            "403_pin_wanted_v10.json",
            Refusal::PinWanted(HOST),
            Ask,
            "PIN of hosts",
        ),
        (
            "403_redirect_modern.json",
            Refusal::Redirect {
                url: "https://id.example.com/sign-in".into(),
            },
            GiveUp,
            "browser",
        ),
        (
            "403_sign_in_failed.json",
            Refusal::SignInFailed,
            GiveUp,
            "sign-in",
        ),
        (
            "403_virtual_reception_modern.json",
            reception(ReceptionKind::Standard, None),
            Ask,
            "which conference",
        ),
        (
            "403_virtual_reception_mssip_v10.json",
            reception(ReceptionKind::Mssip, None),
            Ask,
            "which conference",
        ),
        (
            "403_virtual_reception_pin_modern.json",
            reception(ReceptionKind::Mssip, Some(HOST)),
            Ask,
            "PIN",
        ),
        (
            "403_virtual_reception_pin_v10.json",
            reception(ReceptionKind::Standard, Some(BOTH)),
            Ask,
            "PIN",
        ),
        (
            "403_virtual_reception_v10.json",
            reception(ReceptionKind::Standard, None),
            Ask,
            "which conference",
        ),
        (
            "404_no_such_conference.json",
            Refusal::NoSuchConference,
            GiveUp,
            "alias",
        ),
        (
            "404_no_such_conference_lenient.json",
            Refusal::NoSuchConference,
            GiveUp,
            "alias",
        ),
        (
            "404_no_such_extension.json",
            Refusal::NoSuchExtension,
            Ask,
            "extension",
        ),
        (
            "404_no_such_node_lenient.html",
            Refusal::NoSuchNode,
            NextNode,
            "no Conferencing Node",
        ),
        (
            "404_not_found.json",
            Refusal::NotFound("No such call".into()),
            GiveUp,
            "No such call",
        ),
        (
            "405_not_of_a_node_lenient.html",
            foreign(405),
            NextNode,
            "check the address",
        ),
        (
            "415_maintenance_lenient.json",
            Refusal::Maintenance,
            NextNode,
            "maintenance",
        ),
        (
            "415_other_lenient.json",
            Refusal::Other {
                code: 415,
                text: "Unsupported media type".into(),
            },
            GiveUp,
            "415",
        ),
        (
            "500_unavailable_lenient.json",
            Refusal::Unavailable(500),
            Retry,
            "500",
        ),
        (
            "501_not_of_a_node_lenient.html",
            foreign(501),
            NextNode,
            "501",
        ),
        (
            "502_unavailable_lenient.html",
            Refusal::Unavailable(502),
            Retry,
            "try again",
        ),
        (
            "503_licences.json",
            full(Capacity::Licences),
            NextNode,
            "another node",
        ),
        (
            "503_maintenance.json",
            Refusal::Maintenance,
            NextNode,
            "maintenance",
        ),
        (
            "503_out_of_proxying_resource.json",
            full(Capacity::Proxying),
            NextNode,
            "another node",
        ),
        (
            "503_out_of_resource.json",
            full(Capacity::Resource),
            NextNode,
            "another node",
        ),
        (
            "503_out_of_transcoding_resource.json",
            full(Capacity::Transcoding),
            NextNode,
            "another node",
        ),
        (
            "503_participant_limit.json",
            full(Capacity::Participants),
            NextNode,
            "another node",
        ),
        (
            "504_unavailable_lenient.html",
            Refusal::Unavailable(504),
            Retry,
            "try again",
        ),
        (
            "529_out_of_resource_lenient.json",
            full(Capacity::Resource),
            NextNode,
            "another node",
        ),
    ]
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/response")
}

fn decode(name: &str) -> Refusal {
    let code = name[..3].parse().expect("a status code");
    let body = fs::read(folder().join(name)).expect("the fixture");
    Refusal::decode(code, &body)
}

#[test]
fn each_shape_is_understood_and_says_what_to_do() {
    for (name, refusal, remedy, words) in table() {
        let read = decode(name);
        assert_eq!(read, refusal, "{name}");
        assert_eq!(read.remedy(), remedy, "{name}");
        let sentence = read.to_string();
        assert!(sentence.contains(words), "{name}: {sentence}");
        assert!(!sentence.contains('\n'), "{name}: {sentence}");
        assert!(
            !sentence.contains("refused: the node refused"),
            "{sentence}"
        );
    }
}

#[test]
fn no_fixture_of_a_refusal_is_left_out() {
    let known: BTreeSet<String> = table().iter().map(|row| row.0.to_owned()).collect();
    let there: BTreeSet<String> = fs::read_dir(folder())
        .expect("the fixtures")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert_eq!(known, there);
}

#[test]
fn a_little_makes_it_another_refusal() {
    for (name, was, becomes) in [
        (
            "403_invalid_pin.json",
            ("Invalid PIN", "Invalid pint"),
            Refusal::Denied("Invalid pint".into()),
        ),
        (
            "403_pin_wanted_modern.json",
            ("\"pin\"", "\"pan\""),
            Refusal::PinWanted(PinWanted::default()),
        ),
        (
            "403_virtual_reception_modern.json",
            ("conference_extension", "extension"),
            Refusal::Denied("HTTP 403".into()),
        ),
        (
            "403_virtual_reception_pin_v10.json",
            ("pin", "pan"),
            Refusal::VirtualReception {
                kind: ReceptionKind::Standard,
                pin: None,
            },
        ),
        (
            "404_not_found.json",
            ("No such call", "Neither conference nor gateway found"),
            Refusal::NoSuchConference,
        ),
        ("404_not_found.json", ("{", "<"), Refusal::NoSuchNode),
        (
            "400_other.json",
            ("{", "<"),
            Refusal::NotOfANode { code: 400 },
        ),
        (
            "400_tls_wanted_lenient.html",
            ("HTTPS", "PAPER"),
            Refusal::NotOfANode { code: 400 },
        ),
        (
            "503_maintenance.json",
            ("System in maintenance mode", "Tea"),
            Refusal::Unavailable(503),
        ),
    ] {
        let body = fs::read_to_string(folder().join(name)).expect("the fixture");
        let spoilt = body.replace(was.0, was.1);
        assert_ne!(body, spoilt, "{name}");
        let code = name[..3].parse().expect("a status code");
        let refusal = Refusal::decode(code, spoilt.as_bytes());
        assert_eq!(refusal, becomes, "{name} with {was:?}");
        assert_ne!(refusal, decode(name), "{name}");
    }
}
