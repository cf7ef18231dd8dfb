use std::collections::BTreeMap;

use super::*;
use crate::Role;

/// A worker in virtual time.
struct Tried {
    worker: Worker,
    now: Instant,
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn counts(talkers: u64) -> Counts {
    Counts::from([("Talker".to_owned(), talkers)])
}

fn spawn(timestamp: f64, talkers: u64) -> Input {
    Input::Message(FromMaster::Spawn(Spawn::new(timestamp, counts(talkers))))
}

fn callers(talkers: usize) -> Output {
    Output::Callers(BTreeMap::from([(Role::Talker, talkers)]))
}

impl Tried {
    fn new() -> Self {
        let now = Instant::now();
        let means = Means {
            video: false,
            most_callers: 10,
        };
        Self {
            worker: Worker::new(now, means),
            now,
        }
    }

    /// One that a master has taken.
    fn ready() -> Self {
        let mut tried = Self::new();
        tried.after(Input::Up);
        tried.after(Input::Message(FromMaster::Ack { index: Some(3) }));
        tried
    }

    /// One with two talkers.
    fn running() -> Self {
        let mut tried = Self::ready();
        tried.after(spawn(1.0, 2));
        tried
    }

    /// Returns what is to be done after something happened.
    fn after(&mut self, input: Input) -> Vec<Output> {
        self.worker.handle(self.now, input);
        std::iter::from_fn(|| self.worker.poll_output()).collect()
    }

    /// Lets time pass, with a master that answers heartbeats or not.
    fn pass(&mut self, time: Duration, answers: bool) -> Vec<Output> {
        let end = self.now + time;
        let mut all = Vec::new();
        for _ in 0..100_000 {
            let Some(due) = self.worker.poll_timeout().filter(|due| *due <= end) else {
                self.now = end;
                return all;
            };
            self.now = self.now.max(due);
            let outputs = self.after(Input::Timer);
            let beat = outputs
                .iter()
                .any(|one| matches!(one, Output::Heartbeat(_)));
            all.extend(outputs);
            if answers && beat {
                all.extend(self.after(Input::Message(FromMaster::Heartbeat)));
            }
        }
        panic!("it does not come to rest: {:?}", self.worker);
    }

    fn is_over(outputs: &[Output]) -> bool {
        outputs.iter().any(|one| matches!(one, Output::End(_)))
    }
}

fn count(outputs: &[Output], which: impl Fn(&Output) -> bool) -> usize {
    outputs.iter().filter(|one| which(one)).count()
}

#[test]
fn it_introduces_itself_and_beats_once_it_is_taken() {
    let mut tried = Tried::new();
    let outputs = tried.after(Input::Up);
    assert_eq!(outputs, [Output::Send(ToMaster::ClientReady)]);
    let outputs = tried.after(Input::Message(FromMaster::Ack { index: Some(3) }));
    assert_eq!(
        outputs,
        [
            Output::Tell(Event::Accepted(Some(3))),
            Output::Heartbeat("ready")
        ]
    );
    let outputs = tried.pass(seconds(60), true);
    assert_eq!(
        count(&outputs, |one| *one == Output::Heartbeat("ready")),
        60
    );
    assert_eq!(count(&outputs, |one| *one == Output::Report), 20);
}

#[test]
fn it_spawns_what_it_is_told_and_nothing_out_of_date() {
    let mut tried = Tried::ready();
    let outputs = tried.after(spawn(5.0, 2));
    let expected = [
        Output::Send(ToMaster::Spawning),
        Output::Begin(None),
        Output::Tell(Event::Wanted(counts(2))),
        callers(2),
        Output::Send(ToMaster::SpawningComplete(counts(2))),
    ];
    assert_eq!(outputs, expected);
    assert_eq!(tried.worker.counts(), &counts(2));
    for old in [5.0, 4.0, f64::NAN] {
        let outputs = tried.after(spawn(old, 9));
        assert_eq!(outputs, [Output::Send(ToMaster::Spawning)]);
    }
    let outputs = tried.after(spawn(6.0, 1));
    assert!(outputs.contains(&callers(1)), "{outputs:?}");
    assert!(!outputs.contains(&Output::Begin(None)), "the same test");
}

#[test]
fn what_it_cannot_do_is_told_once_in_a_test() {
    let mut tried = Tried::ready();
    let complaints = |outputs: &[Output]| {
        count(outputs, |one| {
            matches!(one, Output::Send(ToMaster::Exception(_)))
        })
    };
    let outputs = tried.after(spawn(1.0, 11));
    assert_eq!(complaints(&outputs), 1);
    assert!(outputs.contains(&callers(10)), "{outputs:?}");
    let outputs = tried.after(spawn(2.0, 11));
    assert_eq!(complaints(&outputs), 0);
}

#[test]
fn a_test_that_is_stopped_may_be_followed_by_another() {
    let mut tried = Tried::running();
    let outputs = tried.after(Input::Message(FromMaster::Stop));
    assert_eq!(outputs, [Output::Tell(Event::Stopped), Output::Leave]);
    let outputs = tried.pass(seconds(2), true);
    assert!(outputs.contains(&Output::Heartbeat("running")));
    let outputs = tried.after(Input::AllGone);
    let expected = [
        Output::Report,
        Output::Send(ToMaster::ClientStopped),
        Output::Send(ToMaster::ClientReady),
    ];
    assert_eq!(outputs, expected);
    assert!(tried.worker.counts().is_empty());
    tried.after(Input::Message(FromMaster::Ack { index: Some(3) }));
    let outputs = tried.after(spawn(2.0, 1));
    assert!(outputs.contains(&Output::Begin(None)), "{outputs:?}");
}

#[test]
fn a_master_that_quits_gets_the_last_figures_within_half_a_second() {
    let mut tried = Tried::running();
    let outputs = tried.after(Input::Message(FromMaster::Quit));
    let expected = [Output::Tell(Event::Quit), Output::Report, Output::Leave];
    assert_eq!(outputs, expected);
    let outputs = tried.pass(Duration::from_millis(500), false);
    assert!(count(&outputs, |one| *one == Output::Report) >= 3);
    tried.after(Input::Down("it closed the connection".to_owned()));
    let outputs = tried.pass(seconds(300), false);
    assert_eq!(outputs, [], "it waits for its callers alone");
    let outputs = tried.after(Input::AllGone);
    assert_eq!(outputs, [Output::Report, Output::End(End::Quit)]);
    assert_eq!(tried.worker.poll_timeout(), None);
}

#[test]
fn whoever_runs_it_may_end_it() {
    let why = StopReason::Interrupted;
    let outputs = Tried::new().after(Input::Stop(why));
    assert_eq!(outputs, [Output::End(End::Stopped(why))]);
    let outputs = Tried::ready().after(Input::Stop(why));
    let expected = [Output::Send(ToMaster::Quit), Output::End(End::Stopped(why))];
    assert_eq!(outputs, expected);
    let mut tried = Tried::running();
    assert_eq!(tried.after(Input::Stop(why)), [Output::Leave]);
    let outputs = tried.after(Input::AllGone);
    assert_eq!(outputs[0], Output::Report);
    assert_eq!(outputs[1..], expected);
}

#[test]
fn a_short_break_of_the_connection_changes_nothing() {
    let mut tried = Tried::running();
    tried.after(Input::Down("it closed the connection".to_owned()));
    let outputs = tried.pass(seconds(4), false);
    assert_eq!(outputs, []);
    let outputs = tried.after(Input::Up);
    assert_eq!(outputs, [Output::Heartbeat("running")]);
    tried.after(Input::Message(FromMaster::Heartbeat));
    let outputs = tried.pass(seconds(60), true);
    assert!(!outputs.contains(&Output::Leave), "{outputs:?}");
    assert_eq!(tried.worker.counts(), &counts(2));
}

#[test]
fn without_a_master_everyone_leaves_and_another_is_looked_for() {
    let mut tried = Tried::running();
    tried.after(Input::Down("it closed the connection".to_owned()));
    let outputs = tried.pass(seconds(6), false);
    assert_eq!(outputs, [Output::Tell(Event::Silent), Output::Leave]);
    let outputs = tried.after(Input::AllGone);
    assert_eq!(outputs, [Output::Connect { anew: true }]);
    assert!(tried.worker.counts().is_empty());

    let outputs = tried.pass(seconds(59), false);
    assert!(!Tried::is_over(&outputs), "{outputs:?}");
    let mut other = tried.after(Input::Up);
    assert_eq!(other, [Output::Send(ToMaster::ClientReady)]);
    other = tried.after(Input::Message(FromMaster::Ack { index: Some(0) }));
    assert_eq!(other[0], Output::Tell(Event::Accepted(Some(0))));
    // Its clock may be behind that of the one before.
    let outputs = tried.after(spawn(0.5, 1));
    assert!(outputs.contains(&callers(1)), "{outputs:?}");
}

#[test]
fn another_master_in_the_place_of_ours_does_not_know_us() {
    let mut tried = Tried::running();
    tried.after(Input::Down("it closed the connection".to_owned()));
    tried.pass(seconds(1), false);
    tried.after(Input::Up);
    let outputs = tried.pass(seconds(4), false);
    assert!(outputs.contains(&Output::Leave), "{outputs:?}");
    let outputs = tried.after(Input::AllGone);
    assert_eq!(outputs, [Output::Connect { anew: true }]);
}

#[test]
fn a_master_that_falls_silent_is_no_master() {
    let mut tried = Tried::running();
    let outputs = tried.pass(seconds(9), false);
    assert!(!outputs.contains(&Output::Leave), "it may be busy");
    let outputs = tried.pass(seconds(2), false);
    assert!(outputs.contains(&Output::Leave), "{outputs:?}");
}

#[test]
fn a_minute_without_a_master_is_enough() {
    let mut tried = Tried::new();
    tried.after(Input::Down("connection refused".to_owned()));
    let outputs = tried.pass(seconds(59), false);
    assert_eq!(outputs, []);
    let outputs = tried.pass(seconds(2), false);
    let end = End::NoMaster("connection refused".to_owned());
    assert_eq!(outputs, [Output::End(end)]);

    // Something that takes connections and says nothing is none, too.
    let mut tried = Tried::new();
    for _ in 0..20 {
        tried.after(Input::Up);
        let outputs = tried.pass(seconds(5), false);
        if Tried::is_over(&outputs) {
            return;
        }
        assert!(outputs.contains(&Output::Connect { anew: false }));
    }
    panic!("it never gives up");
}

#[test]
fn a_connection_is_made_anew_when_the_master_asks() {
    let mut tried = Tried::running();
    let outputs = tried.after(Input::Message(FromMaster::Reconnect));
    assert_eq!(outputs, [Output::Connect { anew: false }]);
    let outputs = tried.after(Input::Up);
    assert_eq!(outputs, [Output::Heartbeat("running")]);
}

#[test]
fn whatever_happens_callers_are_never_without_a_master_for_long() {
    for seed in 0..3000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tried = Tried::new();
        let mut there = 0;
        let mut leaving = false;
        let mut heard = tried.now;
        for step in 0..60 {
            let input = match random.u8(0..13) {
                0 | 1 => Input::Up,
                2 => Input::Down("gone".to_owned()),
                3 | 4 => Input::Message(FromMaster::Ack { index: Some(0) }),
                5 | 6 => spawn(f64::from(step), random.u64(..14)),
                7 => Input::Message(FromMaster::Stop),
                8 => Input::Message(FromMaster::Reconnect),
                9 => Input::Message(FromMaster::Heartbeat),
                10 if leaving => Input::AllGone,
                11 if random.u8(..) < 20 => Input::Stop(StopReason::Terminated),
                12 if random.u8(..) < 20 => Input::Message(FromMaster::Quit),
                _ => Input::Timer,
            };
            if let Input::Message(
                FromMaster::Ack { .. } | FromMaster::Heartbeat | FromMaster::Spawn(_),
            ) = input
            {
                heard = tried.now;
            }
            let is_gone = matches!(input, Input::AllGone);
            let mut outputs = tried.after(input);
            if is_gone {
                (there, leaving) = (0, false);
            }
            outputs.extend(tried.pass(Duration::from_millis(random.u64(..4000)), false));
            for output in outputs {
                match output {
                    Output::Callers(roles) => {
                        assert!(!leaving, "seed {seed}: none come while all leave");
                        there = roles.values().sum();
                        assert!(there <= 10, "seed {seed}: no more than allowed");
                    }
                    Output::Leave => leaving = true,
                    Output::End(_) => {
                        assert_eq!(there, 0, "seed {seed}: it ends with nobody there");
                    }
                    Output::Begin(_) => assert_eq!(there, 0, "seed {seed}: one test at a time"),
                    _ => {}
                }
            }
            let silence = tried.now.saturating_duration_since(heard);
            assert!(
                there == 0 || leaving || silence <= SILENCE + AWAY + RECOGNITION,
                "seed {seed}: callers for {silence:?} without a master"
            );
        }
    }
}
