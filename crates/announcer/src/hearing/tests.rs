use driver::{Other, OwnRow, Report, StopReason};

use super::*;

/// An announcement told about in seconds from its beginning.
struct Told {
    hearing: Hearing,
    start: Instant,
}

impl Told {
    fn begin() -> Self {
        let start = Instant::now();
        Self {
            hearing: Hearing::new(Limits::default(), Kind::Audio, start),
            start,
        }
    }

    fn at(&self, secs: f32) -> Instant {
        self.start + Duration::from_secs_f32(secs)
    }

    fn told(&mut self, secs: f32, kind: NoticeKind) -> Option<Step> {
        self.hearing.notice(&Notice::new(self.at(secs), kind))
    }

    fn roster(&mut self, secs: f32, muted: bool, others: &[&str]) -> Option<Step> {
        let own = Some(OwnRow {
            muted,
            waiting: false,
            has_media: true,
        });
        let others_with_media = others
            .iter()
            .map(|name| Other {
                uuid: (*name).into(),
                display_name: (*name).to_owned(),
            })
            .collect();
        let rows = others.len() + 1;
        self.told(
            secs,
            NoticeKind::Roster(RosterFacts {
                own,
                others_with_media,
                rows,
            }),
        )
    }

    fn is_in(&mut self, secs: f32) -> Option<Step> {
        self.told(secs, NoticeKind::State(State::InConference))
    }

    /// The clip's sound is over; it has nothing else.
    fn finished(&mut self, secs: f32) -> Option<Step> {
        self.finished_with_picture(secs, 0)
    }

    fn finished_with_picture(&mut self, secs: f32, video_packets: u64) -> Option<Step> {
        let audio_packets = 500;
        self.told(
            secs,
            NoticeKind::ClipFinished {
                program: 0,
                audio_packets,
                video_packets,
            },
        )
    }

    fn report(&mut self, secs: f32, kind: Kind, reached: u64, lost: u64) -> Option<Step> {
        self.told(
            secs,
            NoticeKind::Report(Report {
                kind,
                fraction_lost: 0.0,
                packets_lost: 0,
                highest_sequence_number: 0,
                jitter: Duration::ZERO,
                round_trip_time: None,
                clip_packets_reached: reached,
                clip_packets_lost: lost,
            }),
        )
    }

    /// An announcement whose clip plays since 1.0.
    fn playing() -> Self {
        let mut told = Self::begin();
        assert_eq!(told.roster(0.5, false, &["Alice"]), None, "not in yet");
        assert_eq!(told.is_in(1.0), Some(Step::Play));
        told.told(
            1.1,
            NoticeKind::ClipStarted {
                program: 0,
                reported: true,
            },
        );
        told
    }

    fn verdict(&self) -> &Verdict {
        self.hearing.verdict().expect("there is a verdict")
    }

    fn not_heard(&self) -> &NotHeard {
        match self.verdict() {
            Verdict::NotHeard(why) => why,
            Verdict::Heard => panic!("it counts as heard"),
        }
    }
}

#[test]
fn is_heard_when_reports_cover_its_last_packet() {
    let mut told = Told::playing();
    assert_eq!(told.report(5.0, Kind::Audio, 200, 0), None);
    assert_eq!(told.finished(11.0), None);
    assert_eq!(
        told.report(11.2, Kind::Audio, 499, 0),
        None,
        "one packet is not reported yet"
    );
    assert_eq!(told.report(12.0, Kind::Audio, 500, 0), Some(Step::Leave));
    assert_eq!(told.verdict(), &Verdict::Heard);
    assert_eq!(told.hearing.audience(), ["Alice"]);
}

#[test]
fn reports_on_the_picture_do_not_speak_for_the_sound() {
    let mut told = Told::playing();
    told.finished_with_picture(11.0, 300);
    assert_eq!(told.report(12.0, Kind::Video, 300, 0), None);
    assert_eq!(told.hearing.timeout(told.at(17.0)), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::NeverReported);
}

#[test]
fn what_is_lost_of_the_picture_is_known_and_does_not_judge_the_sound() {
    let mut told = Told::playing();
    told.finished_with_picture(11.0, 300);
    assert_eq!(told.report(12.0, Kind::Audio, 500, 0), None);
    assert_eq!(
        told.report(12.1, Kind::Video, 300, 120),
        Some(Step::Leave),
        "both are covered"
    );
    assert_eq!(told.verdict(), &Verdict::Heard);
    assert_eq!(told.hearing.tally(Kind::Video).lost(), 120);
    assert_eq!(told.hearing.tally(Kind::Audio).lost(), 0);
}

#[test]
fn a_picture_that_nobody_reports_on_is_waited_for_and_counts_as_lost() {
    let mut told = Told::playing();
    told.finished_with_picture(11.0, 300);
    assert_eq!(told.report(12.0, Kind::Audio, 500, 0), None);
    assert_eq!(told.hearing.timeout(told.at(17.0)), Some(Step::Leave));
    assert_eq!(told.verdict(), &Verdict::Heard);
    assert_eq!(told.hearing.tally(Kind::Video).lost(), 300);
}

#[test]
fn a_picture_that_cannot_be_sent_is_a_failure_where_it_is_all_there_is_and_told_otherwise() {
    let rejected = || {
        NoticeKind::Warning(Warning::NoVideoForCodec {
            reason: "it is VP8".into(),
        })
    };
    let mut told = Told::begin();
    assert_eq!(told.told(0.2, rejected()), None);
    assert_eq!(told.hearing.unseen(), Some("it is VP8"));

    let mut told = Told::begin();
    told.hearing = Hearing::new(Limits::default(), Kind::Video, told.start);
    assert_eq!(told.told(0.2, rejected()), Some(Step::Leave));
    assert_eq!(
        told.not_heard(),
        &NotHeard::WrongCodec("it is VP8".into()),
        "it would wait for the end of a clip that never begins"
    );
}

#[test]
fn a_little_loss_is_tolerated_and_more_is_not() {
    let mut told = Told::playing();
    told.finished(11.0);
    assert_eq!(told.report(12.0, Kind::Audio, 500, 15), Some(Step::Leave));
    assert_eq!(told.verdict(), &Verdict::Heard);

    let mut told = Told::playing();
    told.finished(11.0);
    assert_eq!(told.report(12.0, Kind::Audio, 500, 16), Some(Step::Leave));
    assert_eq!(
        told.not_heard(),
        &NotHeard::Missing {
            missing: 16,
            sent: 500
        }
    );
}

#[test]
fn a_node_that_stopped_receiving_makes_it_missing() {
    let mut told = Told::playing();
    told.report(5.0, Kind::Audio, 200, 0);
    told.finished(11.0);
    assert_eq!(
        told.hearing.timeout(told.at(16.9)),
        None,
        "reports may still come"
    );
    assert_eq!(told.hearing.timeout(told.at(17.0)), Some(Step::Leave));
    assert_eq!(
        told.not_heard(),
        &NotHeard::Missing {
            missing: 300,
            sent: 500
        }
    );
    assert_eq!(
        told.hearing.judged().lost(),
        300,
        "what nobody reported is lost too"
    );
}

#[test]
fn nothing_is_said_while_muted() {
    let mut told = Told::begin();
    told.roster(0.5, true, &["Alice"]);
    assert_eq!(told.is_in(1.0), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::Muted);
}

#[test]
fn being_muted_while_it_plays_is_a_failure() {
    let mut told = Told::playing();
    assert_eq!(told.roster(4.0, true, &["Alice"]), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::MutedWhilePlaying);
    assert_eq!(
        told.roster(4.5, false, &["Alice"]),
        None,
        "the verdict stands"
    );
    assert_eq!(told.not_heard(), &NotHeard::MutedWhilePlaying);
}

#[test]
fn being_muted_after_the_last_packet_is_none() {
    let mut told = Told::playing();
    told.finished(11.0);
    assert_eq!(told.roster(11.1, true, &["Alice"]), None);
    told.report(12.0, Kind::Audio, 500, 0);
    assert_eq!(told.verdict(), &Verdict::Heard);
}

#[test]
fn an_empty_room_is_waited_for_and_then_given_up() {
    let mut told = Told::begin();
    told.roster(0.5, false, &[]);
    assert_eq!(told.is_in(1.0), None);
    assert_eq!(told.hearing.timeout(told.at(5.9)), None);
    assert_eq!(told.hearing.timeout(told.at(6.0)), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::NobodyThere);
}

#[test]
fn somebody_who_comes_in_time_starts_the_clip() {
    let mut told = Told::begin();
    told.roster(0.5, false, &[]);
    told.is_in(1.0);
    assert_eq!(told.roster(3.0, false, &["Bob"]), Some(Step::Play));
}

#[test]
fn an_audience_that_leaves_has_not_heard_the_end() {
    let mut told = Told::playing();
    assert_eq!(told.roster(4.0, false, &["Alice", "Bob"]), None);
    assert_eq!(told.roster(5.0, false, &["Bob"]), None);
    assert_eq!(told.roster(6.0, false, &[]), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::AudienceLeft);
}

#[test]
fn the_waiting_room_has_a_limit_of_its_own() {
    let mut told = Told::begin();
    told.told(0.5, NoticeKind::State(State::WaitingRoom));
    assert_eq!(
        told.hearing.timeout(told.at(31.0)),
        None,
        "the join limit does not count there"
    );
    assert_eq!(told.hearing.timeout(told.at(60.5)), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::WaitingRoom);

    let mut told = Told::begin();
    told.told(0.5, NoticeKind::State(State::WaitingRoom));
    told.roster(50.0, false, &["Alice"]);
    assert_eq!(told.is_in(50.0), Some(Step::Play), "a host let us in");
}

#[test]
fn a_join_that_leads_nowhere_ends() {
    let mut told = Told::begin();
    assert_eq!(told.hearing.timeout(told.at(29.9)), None);
    assert_eq!(told.hearing.timeout(told.at(30.0)), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::NeverIn);
}

#[test]
fn a_call_that_ends_early_cuts_it_short() {
    let mut told = Told::playing();
    told.hearing.ended(&EndReason::Removed("by a host".into()));
    assert_eq!(
        told.not_heard(),
        &NotHeard::CutShort(EndReason::Removed("by a host".into()))
    );
}

#[test]
fn a_caller_that_never_got_in_says_why() {
    let mut told = Told::begin();
    told.hearing.ended(&EndReason::PinWanted);
    assert_eq!(told.not_heard(), &NotHeard::Ended(EndReason::PinWanted));
}

#[test]
fn our_own_leaving_does_not_change_the_verdict() {
    let mut told = Told::playing();
    told.finished(11.0);
    told.report(12.0, Kind::Audio, 500, 0);
    told.hearing
        .ended(&EndReason::Stopped(StopReason::Finished));
    assert_eq!(told.verdict(), &Verdict::Heard);
}

#[test]
fn rejected_sound_is_told_at_once() {
    let mut told = Told::begin();
    let negotiated = NoticeKind::Negotiated {
        audio: None,
        video: Some(media::Codec::Vp8),
    };
    assert_eq!(told.told(0.3, negotiated), Some(Step::Leave));
    assert_eq!(told.not_heard(), &NotHeard::NotSent);
}
