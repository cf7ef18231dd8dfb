use super::entry::ENTRIES;
use super::*;

fn journal() -> (Journal, ParticipantUuid) {
    let (journal, who) = (Journal::default(), ParticipantUuid::from("p1".to_owned()));
    journal.joined("meet", &who, "Anna", &Token::new("t0p-secret"));
    (journal, who)
}

fn asked<'a>(who: &ParticipantUuid, path: &'a str, body: &'a [u8]) -> Answered<'a> {
    Answered {
        who: Some(who.clone()),
        method: "POST",
        path,
        status: 200,
        took: Duration::from_millis(3),
        body,
        body_out: Some(10),
        refusal: None,
    }
}

#[test]
fn a_token_leads_to_its_participant_even_after_it_has_left() {
    let (journal, who) = journal();
    journal.renewed(&who, &Token::new("second"));
    journal.left(&who);
    assert_eq!(journal.whose(&Token::new("t0p-secret")), Some(who.clone()));
    assert_eq!(journal.whose(&Token::new("second")), Some(who));
    assert_eq!(journal.whose(&Token::new("guessed")), None);
}

#[test]
fn digits_and_statistics_are_picked_up_and_nothing_else_of_bodies() {
    let (journal, who) = journal();
    journal.request(asked(
        &who,
        "/api/client/v2/conferences/meet/participants/p1/dtmf",
        br#"{"digits": "12#"}"#,
    ));
    journal.request(asked(
        &who,
        "/api/client/v2/conferences/meet/participants/p1/calls/c/dtmf",
        br#"{"digits": "*"}"#,
    ));
    journal.request(asked(
        &who,
        "/api/client/v2/conferences/meet/participants/p1/calls/c/statistics",
        br#"{"audio": {}}"#,
    ));
    journal.request(asked(
        &who,
        "/api/client/v2/conferences/meet/message",
        br#"{"payload": "t0p-secret"}"#,
    ));
    let record = journal.record(&who).expect("known");
    assert_eq!((record.digits.as_str(), record.requests), ("12#*", 4));
    assert!(record.statistics.is_some());
    let log = serde_json::to_string(&record.entries).expect("JSON");
    assert!(!log.contains("t0p-secret"), "{log}");
}

#[test]
fn logs_and_departed_participants_are_bounded() {
    let (journal, who) = journal();
    for _ in 0..=ENTRIES {
        journal.event(&who, "stage", 2);
    }
    assert_eq!(journal.record(&who).expect("known").entries.len(), ENTRIES);
    journal.left(&who);
    for n in 0..DEPARTED {
        let other = ParticipantUuid::from(format!("other-{n}"));
        journal.joined("meet", &other, "Other", &Token::new(format!("token-{n}")));
        journal.left(&other);
    }
    assert!(journal.record(&who).is_none());
    assert_eq!(journal.whose(&Token::new("t0p-secret")), None);
    assert_eq!(journal.departed("meet").len(), DEPARTED);
}
