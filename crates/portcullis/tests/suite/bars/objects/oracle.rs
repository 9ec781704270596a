//! What a caller may learn, worked out from the objects and the grants as they were drawn.
//! Start reading at `Expected::of`.

use std::collections::BTreeSet;

use super::Outcome;
use super::drawn::{CONDITIONS, Grant, JOBS, Job, Op, Sort, Variant, World, job_of, site_of};

/// What has to be true of an outcome.
pub struct Expected {
    /// The request is refused, and reads as for an object that is not there.
    is_refused: bool,
    /// It has to be answered.
    is_answered: bool,
    /// What may be seen: titles and traces.
    may: BTreeSet<String>,
    /// What has to be seen.
    must: BTreeSet<String>,
}

impl Expected {
    pub fn of(world: &World, op: &Op, id: &str, variant: Variant) -> Expected {
        let grants: Vec<&Grant> = world.grants.iter().filter(|g| g.op == op.name).collect();
        let named = match op.is_on_a_job() {
            true => match job_of(id) {
                Some(job) => Some(job),
                None => return Expected::refused(),
            },
            false => None,
        };
        if let Some(job) = named
            && !may_enter(world, op, job)
        {
            return Expected::refused();
        }
        // The grants that hold for the object the path names.
        let held: Vec<&Grant> = match named {
            Some(job) => grants
                .into_iter()
                .filter(|g| holds(world, g, job))
                .collect(),
            None => grants,
        };
        if held.is_empty() {
            return Expected::refused();
        }
        let shown = shown(op, named);
        let parent = shown.first().filter(|_| op.sort == Sort::Parent);
        if let Some(parent) = parent
            && variant == Variant::Normal
            && !held.iter().any(|g| holds(world, g, parent))
        {
            return Expected::refused();
        }
        let may = seen(world, op, (id, variant), &held, &shown);
        Expected {
            is_refused: false,
            is_answered: is_answered(world, op, variant),
            must: match variant {
                Variant::Normal => may.clone(),
                _ => BTreeSet::new(),
            },
            may,
        }
    }

    fn refused() -> Expected {
        Expected {
            is_refused: true,
            is_answered: false,
            may: BTreeSet::new(),
            must: BTreeSet::new(),
        }
    }

    /// What the caller learned and may not.
    pub fn leak(&self, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Refused(code, status) => {
                let is_absent = code == "object.absent" && *status == 404;
                (!is_absent).then(|| format!("{code} {status} tells that it is there"))
            }
            Outcome::Answered(body) if self.is_refused => Some(format!("an answer at all: {body}")),
            Outcome::Answered(body) => told(body).difference(&self.may).next().cloned(),
        }
    }

    /// What the caller should have had and did not get.
    pub fn denial(&self, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Refused(code, _) => self.is_answered.then(|| code.clone()),
            Outcome::Answered(body) => self.must.difference(&told(body)).next().cloned(),
        }
    }
}

/// Titles and traces that leave by these grants.
fn seen(
    world: &World,
    op: &Op,
    (id, variant): (&str, Variant),
    held: &[&Grant],
    shown: &[&'static Job],
) -> BTreeSet<String> {
    let is_normal = variant == Variant::Normal;
    // What stands beside objects of a known kind leaves with one of them, or where there is none.
    let is_beside =
        op.is_told() && op.sort != Sort::Items && (is_normal || variant == Variant::Odd);
    let (mut may, mut by_trace) = (BTreeSet::new(), false);
    for grant in held {
        let own = shown.iter().filter(|job| holds(world, grant, job));
        let own: Vec<&Job> = own.copied().filter(|_| is_normal).collect();
        by_trace |= grant.has_trace && (!is_beside || !own.is_empty() || grant.condition == 0);
        if grant.has_title {
            may.extend(own.iter().map(|job| title(op, job, id)));
        }
    }
    let whose = if op.is_on_a_job() { id } else { "all" };
    may.extend(by_trace.then(|| format!("trace-{whose}")));
    may
}

/// Whether a caller who may have the object has to be answered.
fn is_answered(world: &World, op: &Op, variant: Variant) -> bool {
    let is_list = matches!(op.sort, Sort::Parts | Sort::Items | Sort::Related);
    match (op.is_on_a_job(), world.is_resolved, variant) {
        (false, ..) => true,
        // Something stands where the object should, and it lacks what makes it the caller's.
        (true, _, Variant::Odd) if op.is_told() && !is_list => false,
        // An answer without its object is judged by looking it up, unless it is the look-up itself.
        (true, true, _) => variant == Variant::Normal || op.sort != Sort::Get,
        // Nothing but the answer can tell, and only where it shows the object.
        (true, false, _) => {
            let can_show = matches!(op.sort, Sort::Get | Sort::Show | Sort::View | Sort::Site);
            variant == Variant::Normal && can_show && op.is_told()
        }
    }
}

/// Every title and trace in an answer.
fn told(body: &str) -> BTreeSet<String> {
    let words = body.split('"');
    let canaries = words.filter(|word| word.starts_with("title-") || word.starts_with("trace-"));
    canaries.map(str::to_owned).collect()
}

fn is_forbidden(world: &World, job: &Job) -> bool {
    world.policy.is_some() && job.is_locked
}

fn holds(world: &World, grant: &Grant, job: &Job) -> bool {
    CONDITIONS[grant.condition].1(job) && !is_forbidden(world, job)
}

/// Whether what stands above or beside may be seen: items by whoever reads their job, jobs of a site by whoever reads
/// the site, where anything of that kind is read at all.
fn may_enter(world: &World, op: &Op, job: &Job) -> bool {
    match op.sort {
        Sort::Items => {
            let reads = |grant: &&Grant| {
                !["listItems", "addNote", "setTitle", "endJob"].contains(&grant.op)
            };
            let mut readers = world.grants.iter().filter(reads).peekable();
            readers.peek().is_none() || readers.any(|grant| holds(world, grant, job))
        }
        Sort::Site => world.site_grant != Some(true) || site_of(job) == "home",
        _ => true,
    }
}

/// The jobs in the upstream's answer.
fn shown(op: &Op, named: Option<&'static Job>) -> Vec<&'static Job> {
    match (op.sort, named) {
        (Sort::List | Sort::Search | Sort::Related, _) => JOBS.iter().collect(),
        (Sort::Parent, Some(job)) => job_of(job.parent).into_iter().collect(),
        (Sort::Head | Sort::Delete, _) => Vec::new(),
        (_, job) => job.into_iter().collect(),
    }
}

/// What is seen of a job in an answer.
fn title(op: &Op, job: &Job, id: &str) -> String {
    match op.sort {
        Sort::Parts | Sort::Items | Sort::Note => format!("title-{id}"),
        _ => format!("title-{}", job.id),
    }
}
