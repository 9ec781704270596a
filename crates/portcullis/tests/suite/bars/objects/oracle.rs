//! What a caller may learn, worked out from the objects and the grants as they were drawn.
//! Start reading at `Expected::of`.

use std::collections::BTreeSet;

use super::Outcome;
use super::drawn::{
    CONDITIONS, Grant, JOBS, Job, Op, Sent, Sort, Variant, World, job_of, reads_jobs, site_of,
};

/// What has to be true of an outcome.
pub struct Expected {
    /// The request is refused, and reads as for an object that is not there.
    is_refused: bool,
    /// It has to be answered.
    is_answered: bool,
    /// The request alone says that it is refused: the code, whatever the object is.
    code: Option<&'static str>,
    /// What may be seen: titles and traces.
    may: BTreeSet<String>,
    /// What has to be seen.
    must: BTreeSet<String>,
}

impl Expected {
    pub fn of(world: &World, op: &Op, id: &str, variant: Variant) -> Expected {
        let grants: Vec<&Grant> = world.grants.iter().filter(|g| g.op == op.name).collect();
        if let Some(code) = refused_by_itself(world, op, id, &grants) {
            return Expected {
                code: Some(code),
                ..Expected::refused()
            };
        }
        let named = if op.is_on_a_job() {
            match job_of(id) {
                Some(job) => Some(job),
                None => return Expected::refused(),
            }
        } else {
            None
        };
        if let Some(job) = named
            && !may_enter(world, op, job)
        {
            return Expected::refused();
        }
        // The grants that hold for the object the path names.
        let held: Vec<&Grant> = match named {
            Some(job) => grants
                .iter()
                .copied()
                .filter(|g| holds(world, g, job))
                .collect(),
            None => grants.clone(),
        };
        if held.is_empty() || !may_write(world, op, named, &held) {
            return Expected::refused();
        }
        // What a write answers with is shown by any grant for it.
        let held = if op.sort == Sort::Hand { grants } else { held };
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
            code: None,
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
            code: None,
            may: BTreeSet::new(),
            must: BTreeSet::new(),
        }
    }

    /// What the caller learned and may not.
    pub fn leak(&self, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Refused(code, _) if self.code == Some(code) => None,
            _ if self.code.is_some() => Some(format!("not refused with {:?}", self.code)),
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
    let is_all_seen = held.iter().any(|grant| grant.condition == 0) && world.policy.is_none();
    let is_seen = |job: &&'static Job| held.iter().any(|grant| holds(world, grant, job));
    let has_own = is_normal && shown.iter().any(is_seen);
    // Where objects may be hidden and none is shown, nothing stands beside them.
    if (op.sort.is_many() || op.sort == Sort::Hand) && !is_all_seen && !has_own {
        return may;
    }
    if op.sort == Sort::Assign {
        let job = job_of(id).filter(|_| is_normal);
        let is_limited = held.iter().all(|grant| grant.condition > 0);
        let site = job
            .map(site_of)
            .filter(|site| !is_limited || world.crew_grant != Some(true) || *site == "home");
        let has_title = held.iter().any(|grant| grant.has_title);
        return site
            .filter(|_| has_title)
            .map(|site| format!("title-crew-{site}"))
            .into_iter()
            .collect();
    }
    let whose = if op.is_on_a_job() { id } else { "all" };
    may.extend(by_trace.then(|| format!("trace-{whose}")));
    may
}

/// Whether the one object of the answer could be another than the one the path names: the path does not end with it.
fn may_show_another(op: &Op) -> bool {
    matches!(op.sort, Sort::Parent | Sort::View | Sort::Site)
}

/// Whether a caller who may have the object has to be answered.
fn is_answered(world: &World, op: &Op, variant: Variant) -> bool {
    let is_list = op.sort.is_many() || matches!(op.sort, Sort::Parts | Sort::Items);
    match (op.is_on_a_job(), world.is_resolved, variant) {
        (false, ..) => true,
        _ if op.sort.answers_other() => true,
        // Another object could stand there, and none must not read otherwise than one that is hidden (`tells_none`).
        (true, ..) if may_show_another(op) && variant != Variant::Normal => false,
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
        Sort::Items | Sort::Assign => {
            let mut readers = world.grants.iter().filter(|g| reads_jobs(g)).peekable();
            readers.peek().is_none() || readers.any(|grant| holds(world, grant, job))
        }
        Sort::Site => world.site_grant != Some(true) || site_of(job) == "home",
        _ => true,
    }
}

/// What the request alone shows: another id than the path's, or a new object that no grant lets be made.
fn refused_by_itself(world: &World, op: &Op, id: &str, grants: &[&Grant]) -> Option<&'static str> {
    // Where nothing is asked of any job, none is judged.
    let is_judged = world.policy.is_some() || grants.iter().any(|grant| grant.condition > 0);
    match op.sort {
        Sort::Change | Sort::Put => {
            let is_other = op.sent.id.is_some_and(|own| own != id);
            is_other.then_some("object.id_differs")
        }
        Sort::Kids if is_judged => {
            let mut kids = op.sent.items.iter().map(kid);
            let is_wrong = kids.any(|kid| !grants.iter().any(|g| holds(world, g, &kid)));
            is_wrong.then_some("object.create_denied")
        }
        _ => None,
    }
}

fn kid((partner, status, is_locked): &(&'static str, &'static str, bool)) -> Job {
    Job {
        id: "kid",
        partner,
        status,
        is_locked: *is_locked,
        parent: "own",
    }
}

/// Whether what is sent may be sent: by grants that hold for the object as it is and as it will be.
fn may_write(world: &World, op: &Op, named: Option<&'static Job>, held: &[&Grant]) -> bool {
    let Some(job) = named else {
        return true;
    };
    match op.sort {
        Sort::Change | Sort::Put => {
            let is_put = op.sort == Sort::Put;
            let after = Job {
                partner: op
                    .sent
                    .partner
                    .unwrap_or(if is_put { "" } else { job.partner }),
                status: op
                    .sent
                    .status
                    .unwrap_or(if is_put { "" } else { job.status }),
                ..*job
            };
            let asks_missing = |grant: &Grant| is_put && asks_missing(grant, &op.sent);
            let mut both = held
                .iter()
                .filter(|grant| !asks_missing(grant) && holds(world, grant, &after))
                .peekable();
            let is_held = both.peek().is_some();
            let writes: BTreeSet<&str> = match op.sort {
                Sort::Put => ["title", "partner", "status"].into(),
                _ => both
                    .flat_map(|grant| grant.writes.iter().copied())
                    .collect(),
            };
            is_held && op.sent.fields().iter().all(|field| writes.contains(field))
        }
        Sort::Kids => held.iter().any(|grant| {
            let mut kids = op.sent.items.iter().map(kid);
            kids.all(|kid| holds(world, grant, &kid))
        }),
        Sort::Link => {
            let other = job_of(op.sent.other).unwrap();
            let mut readers = world.grants.iter().filter(|g| reads_jobs(g));
            readers.any(|grant| holds(world, grant, other))
        }
        _ => true,
    }
}

/// Whether a condition asks for what the replacement left out. Asked first for something that is there and decides, it
/// never comes to that.
fn asks_missing(grant: &Grant, sent: &Sent) -> bool {
    let (no_partner, no_status) = (sent.partner.is_none(), sent.status.is_none());
    match grant.condition {
        1 | 4 | 6 => no_partner,
        2 => no_status,
        3 => no_partner || (no_status && sent.partner == Some("north")),
        // `partner || status`: the partner is asked first.
        5 => no_partner || (no_status && sent.partner != Some("north")),
        _ => false,
    }
}

/// The jobs in the upstream's answer.
fn shown(op: &Op, named: Option<&'static Job>) -> Vec<&'static Job> {
    match (op.sort, named) {
        (sort, _) if sort.is_many() => JOBS.iter().collect(),
        (Sort::Assign, _) => Vec::new(),
        (Sort::Parent | Sort::Hand, Some(job)) => job_of(job.parent).into_iter().collect(),
        (Sort::Head | Sort::Delete | Sort::Lines | Sort::Kids | Sort::Link, _) => Vec::new(),
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
