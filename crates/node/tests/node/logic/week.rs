//! A virtual week of a conference: those who refresh stay, and nothing piles up.

use infinity::Command;

use super::meeting::{Meeting, secs};

#[test]
fn a_week_of_refreshes_at_half_life_and_nobody_is_lost() {
    let mut meeting = Meeting::new("m,pin=1,guest_pin=none", []);
    let mut tokens: Vec<_> = (0..10)
        .map(|n| {
            meeting
                .join("One of ten", Some(if n == 0 { "1" } else { "none" }))
                .token
        })
        .collect();
    let everyone = meeting.present();
    let stream = meeting.open_events(&tokens[0]);

    let mut pings = 0;
    for minute in 0..7 * 24 * 60 {
        meeting.wait(secs(60));
        for token in &mut tokens {
            *token = meeting.refresh(token).expect("refreshed in time");
        }
        if minute % 60 == 0 {
            // Somebody who comes once an hour and forgets to leave.
            meeting.join("Passer-by", Some("none"));
        }
        pings += meeting
            .sent(stream)
            .0
            .iter()
            .filter(|event| **event == infinity::Event::Ping)
            .count();
    }

    meeting.wait(secs(61));
    assert_eq!(pings, 7 * 24 * 60 * 6);
    assert_eq!(meeting.present(), everyone);
    for token in &tokens {
        assert!(meeting.answer(token, &Command::ConferenceStatus).is_ok());
    }
}
