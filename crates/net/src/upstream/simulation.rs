//! The life of an upstream in virtual time: random outages, callers, slow calls, probes, checks and shortages of this
//! machine, with the real state machine and the real choice. Every schedule follows from its seed.
//! Start reading at `no_schedule_costs_anybody_more_than_the_outage_itself`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::choice::{View, prefer};
use super::condition::{Condition, Event, Outcome};

const MS: u64 = 1_000;
/// Virtual length of one schedule.
const LENGTH: u64 = 8_000 * MS;
/// A target that is back is used again within this time, while calls arrive.
const BACK_WITHIN: u64 = 1_000 * MS;
const CONNECT_TIMEOUT: u64 = 2_000 * MS;
const CONNECT_TAKES: u64 = 200;

/// A small generator: good enough to vary schedules, the same everywhere.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from)
    }
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    from: u64,
    until: u64,
    /// Packets vanish, instead of being refused.
    is_silent: bool,
}

#[derive(Default)]
struct Simulated {
    condition: Condition,
    outages: Vec<Outage>,
    /// When a connection was made last.
    connected: u64,
}

impl Simulated {
    fn outage(&self, at: u64) -> Option<Outage> {
        let is_now = |outage: &&Outage| (outage.from..outage.until).contains(&at);
        self.outages.iter().find(is_now).copied()
    }

    /// Up, and for so long already.
    fn is_up_since(&self, at: u64, span: u64) -> bool {
        let from = at.saturating_sub(span);
        !self.outages.iter().any(|o| o.from <= at && o.until >= from)
    }
}

#[derive(Clone, Debug)]
struct Call {
    is_slow: bool,
    begun: u64,
    deadline: u64,
    tried: Vec<usize>,
}

#[derive(Debug)]
enum Step {
    Begin,
    Dialled {
        call: Call,
        target: usize,
        began: u64,
        outcome: Outcome,
    },
    Ended,
    Probed {
        target: usize,
        began: u64,
        outcome: Outcome,
    },
    Check {
        target: usize,
        every: u64,
    },
}

struct World {
    seed: u64,
    dice: SplitMix64,
    targets: Vec<Simulated>,
    shortages: Vec<(u64, u64)>,
    steps: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: std::collections::HashMap<u64, Step>,
    number: u64,
    turn: usize,
    calls: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = SplitMix64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let targets = (0..dice.between(1, 6))
            .map(|_| Simulated {
                outages: outages(&mut dice),
                ..Simulated::default()
            })
            .collect();
        let shortages = (0..dice.below(3))
            .map(|_| dice.below(LENGTH))
            .map(|from| (from, from + 300 * MS))
            .collect();
        let mut world = World {
            seed,
            dice,
            targets,
            shortages,
            steps: BinaryHeap::new(),
            waiting: Default::default(),
            number: 0,
            turn: 0,
            calls: 0,
        };
        world.at(1, Step::Begin);
        if world.dice.below(2) == 0 {
            for target in 0..world.targets.len() {
                let every = world.dice.between(100 * MS, 400 * MS);
                world.at(2, Step::Check { target, every });
            }
        }
        world
    }

    fn at(&mut self, moment: u64, step: Step) {
        self.number += 1;
        self.steps.push(Reverse((moment, self.number)));
        self.waiting.insert(self.number, step);
    }

    fn run(mut self) -> u64 {
        while let Some(Reverse((now, number))) = self.steps.pop() {
            if now > LENGTH {
                break;
            }
            let step = self.waiting.remove(&number).unwrap();
            self.take(now, step);
            self.assert_nobody_is_wronged(now);
        }
        self.calls
    }

    fn take(&mut self, now: u64, step: Step) {
        match step {
            Step::Begin => {
                let is_slow = self.dice.below(3) == 0;
                let patience = if is_slow { 50 * MS } else { 10_000 * MS };
                self.ask(
                    now,
                    Call {
                        is_slow,
                        begun: now,
                        deadline: now + patience,
                        tried: Vec::new(),
                    },
                );
                let next = now + self.dice.between(MS, 20 * MS);
                self.at(next, Step::Begin);
            }
            Step::Dialled {
                call,
                target,
                began,
                outcome,
            } => {
                self.learn(now, target, began, outcome);
                self.go_on(now, call, target, outcome);
            }
            Step::Probed {
                target,
                began,
                outcome,
            } => self.learn(now, target, began, outcome),
            Step::Check { target, every } => self.check(now, target, every),
            // However a call that was sent ends, nothing is learned from it.
            Step::Ended => assert_eq!(Outcome::CallFailed.event(now), None),
        }
    }

    fn ask(&mut self, now: u64, call: Call) {
        self.calls += 1;
        for index in 0..self.targets.len() {
            let condition = self.targets[index].condition;
            if self.targets.len() > 1 && condition.is_probe_due(now) {
                self.targets[index].condition = condition.after(Event::Probed, now);
                let (done, outcome) = self.dial(now, index, u64::MAX);
                self.at(
                    done,
                    Step::Probed {
                        target: index,
                        began: now,
                        outcome,
                    },
                );
            }
        }
        self.attempt(now, call);
    }

    fn attempt(&mut self, now: u64, call: Call) {
        self.turn += 1;
        let views = self.targets.iter().map(|target| View {
            is_resting: target.condition.is_resting(),
            is_out: target.condition.is_out(),
            load: 0,
        });
        let Some(target) = prefer(views, |index| call.tried.contains(&index), self.turn) else {
            let asked = call.tried.len();
            assert_eq!(
                asked,
                self.targets.len(),
                "seed {}: a target was not asked",
                self.seed
            );
            return;
        };
        let (done, outcome) = self.dial(now, target, call.deadline);
        self.at(
            done,
            Step::Dialled {
                call,
                target,
                began: now,
                outcome,
            },
        );
    }

    fn dial(&self, now: u64, target: usize, deadline: u64) -> (u64, Outcome) {
        if self
            .shortages
            .iter()
            .any(|(from, to)| (*from..*to).contains(&now))
        {
            return (now + 10, Outcome::OutOfResources);
        }
        match self.targets[target].outage(now) {
            None => (now + CONNECT_TAKES, Outcome::Connected),
            Some(outage) if !outage.is_silent => (now + 50, Outcome::TargetFailed),
            Some(_) if deadline < now + CONNECT_TIMEOUT => (deadline, Outcome::CallTimedOut),
            Some(_) => (now + CONNECT_TIMEOUT, Outcome::TargetFailed),
        }
    }

    fn learn(&mut self, now: u64, target: usize, began: u64, outcome: Outcome) {
        let target = &mut self.targets[target];
        if let Some(event) = outcome.event(began) {
            target.condition = target.condition.after(event, now);
        }
        if outcome == Outcome::Connected {
            target.connected = now;
        }
    }

    fn go_on(&mut self, now: u64, mut call: Call, target: usize, outcome: Outcome) {
        match outcome {
            Outcome::Connected => {
                if self
                    .targets
                    .iter()
                    .all(|t| t.is_up_since(now, BACK_WITHIN + CONNECT_TIMEOUT))
                {
                    let took = now - call.begun;
                    assert_eq!(
                        took, CONNECT_TAKES,
                        "seed {}: a call waited for others",
                        self.seed
                    );
                }
                if call.is_slow {
                    self.at(call.deadline, Step::Ended);
                }
            }
            Outcome::TargetFailed => {
                call.tried.push(target);
                if now < call.deadline {
                    self.attempt(now, call);
                }
            }
            Outcome::CallTimedOut | Outcome::OutOfResources | Outcome::CallFailed => {}
        }
    }

    fn check(&mut self, now: u64, target: usize, every: u64) {
        let is_good = self.targets[target].outage(now).is_none();
        let event = Event::Checked {
            is_good,
            unhealthy_after: 3,
            healthy_after: 2,
        };
        let checked = &mut self.targets[target];
        if !is_good {
            let event = Event::NotConnected { began_us: now };
            checked.condition = checked.condition.after(event, now);
        }
        checked.condition = checked.condition.after(event, now);
        self.at(now + every, Step::Check { target, every });
    }

    fn assert_nobody_is_wronged(&self, now: u64) {
        let seed = self.seed;
        for (index, target) in self.targets.iter().enumerate() {
            if target.is_up_since(now, now) {
                let condition = target.condition;
                assert!(
                    !condition.is_resting() && !condition.is_out(),
                    "seed {seed}: {index} never failed"
                );
            }
            let is_short = |(from, to): &(u64, u64)| *to + BACK_WITHIN >= now && *from <= now;
            // Calls arrive all the time; what checks took out is brought back by checks.
            let is_due = target.is_up_since(now, BACK_WITHIN)
                && now > BACK_WITHIN
                && !target.condition.is_out()
                && !self.shortages.iter().any(is_short);
            if is_due {
                let idle = now - target.connected;
                assert!(
                    idle <= BACK_WITHIN,
                    "seed {seed}: {index} is up and was not used for {idle} us at {now}"
                );
            }
        }
    }
}

fn outages(dice: &mut SplitMix64) -> Vec<Outage> {
    let mut from = 0;
    (0..dice.below(4))
        .map(|_| {
            from += dice.between(100 * MS, 3_000 * MS);
            let until = from + dice.between(5 * MS, 2_500 * MS);
            let outage = Outage {
                from,
                until,
                is_silent: dice.below(3) == 0,
            };
            from = until + MS;
            outage
        })
        .collect()
}

#[test]
fn no_schedule_costs_anybody_more_than_the_outage_itself() {
    let calls: u64 = (1..=400).map(|seed| World::new(seed).run()).sum();
    assert!(calls > 100_000, "{calls} calls");
}
