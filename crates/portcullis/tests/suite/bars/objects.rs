//! Bar X2: random contracts, grants, conditions and policies in front of a careless system. Nobody learns of an object, or
//! of a field of it, that he may not see, and nobody is refused what he may have.
//! The oracle (`oracle`) knows the objects and the grants as they were drawn, and nothing of how they are enforced.
//! Start reading at `nobody_learns_of_an_object_he_may_not_see`.

mod drawn;
mod oracle;

use std::sync::Arc;

use config::{Compiled, Files, Options};
use model::json::{self, Bounds};
use model::{Json, Principal, Refusal, Timestamp};
use policy::{DenyAs, OperationRef, Permit, Question, RequestFacts};
use testkit::{Scale, bar};

use drawn::{Draw, JOBS, Op, Sort, Variant, World};
use oracle::Expected;

/// What a caller gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Code and status as he is told.
    Refused(String, u16),
    /// The body; empty where there is none.
    Answered(String),
}

/// One configuration with its system.
struct Stage<'w> {
    world: &'w World,
    compiled: &'w Compiled,
}

#[test]
fn nobody_learns_of_an_object_he_may_not_see() {
    let worlds = Scale::pick(40, 400, 10_000);
    let (mut leaks, mut denials, mut asked, mut blind) = (0u32, 0u32, 0u32, 0u32);
    for seed in 0..worlds {
        let world = World::draw(&mut Draw::new(seed));
        let compiled = match compiled(&world) {
            Ok(compiled) => compiled,
            // Without a look-up some grants cannot be judged, and `check` says so. With one, all can.
            Err(why) => {
                assert!(
                    !world.is_resolved,
                    "world {seed}: {why}\n{}",
                    world.contract()
                );
                blind += 1;
                continue;
            }
        };
        let stage = Stage {
            world: &world,
            compiled: &compiled,
        };
        for op in &world.ops {
            for id in JOBS.iter().map(|job| job.id).chain(["nowhere"]) {
                if let Some(leak) = stage.tells_none(op, id) {
                    leaks += 1;
                    eprintln!(
                        "LEAK {leak} in world {seed}: {op:?} {id}\n{:#?}",
                        world.grants
                    );
                }
                for variant in op.variants() {
                    let outcome = stage.ask(op, id, variant);
                    let Some(outcome) = outcome else { continue };
                    asked += 1;
                    let expected = Expected::of(&world, op, id, variant);
                    let said = || {
                        format!(
                            "world {seed}: {op:?} {id} {variant:?}: {outcome:?}\n{:#?}\n{:?} resolve {}",
                            world.grants, world.policy, world.is_resolved
                        )
                    };
                    if let Some(leak) = expected.leak(&outcome) {
                        leaks += 1;
                        eprintln!("LEAK {leak} in {}", said());
                    }
                    if let Some(denial) = expected.denial(&outcome) {
                        denials += 1;
                        eprintln!("DENIED {denial} in {}", said());
                    }
                }
            }
        }
    }
    let what = format!("leaks in {asked} answers of {worlds} random contracts with objects");
    bar("X2", &what, leaks, leaks == 0);
    let what =
        format!("wrong denials in {asked} answers of {worlds} random contracts with objects");
    bar("X2", &what, denials, denials == 0);
    assert_eq!((leaks, denials), (0, 0));
    assert!(
        asked > u32::try_from(worlds).unwrap() * 100,
        "{asked} {blind}"
    );
}

fn compiled(world: &World) -> Result<Compiled, String> {
    let mut files = Files::new();
    for (path, text) in world.files() {
        files.insert(path, text.into_bytes());
    }
    let options = Options {
        now: Timestamp::parse("2026-11-24T14:30:00Z").unwrap(),
    };
    config::compile_to_read(&files, options)
        .map(|(compiled, _)| compiled)
        .map_err(|mistakes| {
            mistakes
                .iter()
                .map(|m| format!("{}\n", m.message))
                .collect()
        })
}

impl Stage<'_> {
    /// Whether no object at all reads otherwise than one that is hidden, or a list without any otherwise than one of which all
    /// are hidden.
    fn tells_none(&self, op: &Op, id: &str) -> Option<String> {
        let (normal, is_hidden) = match op.sort {
            sort if sort.is_many() => {
                let is_hiding = JOBS.iter().any(|job| self.world.hides(op, job));
                (self.ask(op, id, Variant::Foreign)?, is_hiding)
            }
            Sort::Parent => {
                let outcome = self.ask(op, id, Variant::Normal)?;
                let is_absent = outcome == Outcome::Refused("object.absent".into(), 404);
                (outcome, is_absent)
            }
            sort if sort.answers_other() => {
                let outcome = self.ask(op, id, Variant::Normal)?;
                let is_withheld = outcome == Outcome::Answered(String::new());
                (outcome, is_withheld)
            }
            _ => return None,
        };
        let none = [
            Variant::Null,
            Variant::Missing,
            Variant::Empty,
            Variant::Odd,
            Variant::Bare,
        ];
        let asked = none
            .into_iter()
            .filter(|one| is_hidden && op.variants().contains(one));
        let mut told = asked.filter_map(|one| Some((one, self.ask(op, id, one)?)));
        let (variant, outcome) = told.find(|(_, outcome)| *outcome != normal)?;
        Some(format!(
            "{variant:?} reads {outcome:?}, and hidden {normal:?}"
        ))
    }

    /// The road of one request; `None` where no grant covers the operation.
    fn ask(&self, op: &Op, id: &str, variant: Variant) -> Option<Outcome> {
        let rules = &self.compiled.rules;
        let operation = rules.operation("jobs/v1", op.name).unwrap();
        let path: Vec<(Arc<str>, String)> = op
            .path(id)
            .into_iter()
            .map(|(name, value)| (Arc::from(name), value))
            .collect();
        let body = op.body().map(|text| parsed(&text));
        let facts = RequestFacts {
            path: &path,
            query: &[],
            body: body.as_ref(),
        };
        let principal = Principal {
            id: rules.integration_id("north").unwrap(),
            integration: "north".into(),
            ..Principal::default()
        };
        let question = Question {
            caller: &principal,
            operation,
            listener: "public",
            deny_as: DenyAs::NotFound,
            address: "192.0.2.7".parse().unwrap(),
            path: &path,
            query: &[],
            now: Timestamp::parse("2026-11-24T14:30:00Z").unwrap(),
        };
        let permit = match policy::decide(&question, rules) {
            Ok(permit) => permit,
            Err(refusal) if refusal.reason.code == "authz.operation_not_granted" => return None,
            Err(refusal) => return Some(told(&refusal)),
        };
        // Fields that no grant at all lets be sent never come this far.
        let mut is_outside = false;
        if let Some(body) = &body {
            let _ = permit.writes().outside(body, &mut |_| {
                is_outside = true;
                std::ops::ControlFlow::Break(())
            });
        }
        if is_outside {
            return None;
        }
        let road = self.road(op, id, variant, operation, permit, &facts);
        Some(road.unwrap_or_else(|refusal| told(&refusal)))
    }

    fn road(
        &self,
        op: &Op,
        id: &str,
        variant: Variant,
        operation: OperationRef,
        mut permit: Permit,
        facts: &RequestFacts<'_>,
    ) -> Result<Outcome, Box<Refusal>> {
        for lookup in permit.before(facts)? {
            self.look_up(&mut permit, &lookup, facts)?;
        }
        assert!(permit.is_cleared());
        let Some(response) = self.world.answer(op, id, variant) else {
            // As the gateway answers an upstream's 404.
            let absent = Outcome::Refused("object.absent".into(), 404);
            assert!(self.compiled.rules.is_guarded(operation));
            return Ok(absent);
        };
        let response = (!response.is_empty()).then(|| parsed(&response));
        for lookup in permit.after(facts, response.as_ref())? {
            self.look_up(&mut permit, &lookup, facts)?;
        }
        let is_write = permit.changes();
        let released = match permit.release(facts, response.as_ref()) {
            // What was carried out is answered without its body.
            Err(_) if is_write => return Ok(Outcome::Answered(String::new())),
            released => released?,
        };
        Ok(Outcome::Answered(String::from_utf8(released.body).unwrap()))
    }

    fn look_up(
        &self,
        permit: &mut Permit,
        lookup: &policy::Lookup,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let by = self.compiled.rules.operation_id(lookup.operation);
        let by = self.world.ops.iter().find(|op| op.name == by);
        let found = match by {
            Some(by) => self.world.answer(by, &lookup.id, Variant::Normal),
            None => Some(format!(r#"{{"id":"{0}","region":"{0}"}}"#, lookup.id)),
        };
        permit.judge(lookup, facts, found.map(|text| parsed(&text)).as_ref())
    }
}

fn told(refusal: &Refusal) -> Outcome {
    let reason = refusal.conceal.unwrap_or(refusal.reason);
    Outcome::Refused(reason.code.to_owned(), refusal.status)
}

fn parsed(text: &str) -> Json {
    json::parse(text.as_bytes(), Bounds::default()).unwrap()
}

impl Op {
    /// Whether the operation is about the one job its path names.
    pub fn is_on_a_job(&self) -> bool {
        !matches!(self.sort, Sort::List | Sort::Search | Sort::Grid)
    }
}
