//! What is drawn: a contract, who may do what in it, and the careless system behind it.
//! Start reading at `World::draw`.

/// Numbers from a seed, the same on every machine.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % bound
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// One object of the system.
#[derive(Debug)]
pub struct Job {
    pub id: &'static str,
    pub partner: &'static str,
    pub status: &'static str,
    pub is_locked: bool,
    /// The job above it.
    pub parent: &'static str,
}

const fn job(
    id: &'static str,
    partner: &'static str,
    status: &'static str,
    is_locked: bool,
    parent: &'static str,
) -> Job {
    Job {
        id,
        partner,
        status,
        is_locked,
        parent,
    }
}

pub const JOBS: [Job; 6] = [
    job("own", "north", "open", false, "done"),
    job("done", "north", "done", false, "foreign"),
    job("frozen", "north", "open", true, "own"),
    job("foreign", "south", "open", false, "own"),
    job("shut", "south", "done", true, "shut"),
    job("ended", "south", "done", false, "own"),
];

pub fn job_of(id: &str) -> Option<&'static Job> {
    JOBS.iter().find(|job| job.id == id)
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The object itself, as the look-up reads it.
    Get,
    /// The object, at a path that ends with it.
    Show,
    /// The object, at a path that goes on.
    View,
    /// Another object.
    Parent,
    /// A list below the object, of no kind.
    Parts,
    /// A list below the object, of a kind of its own.
    Items,
    /// A list of other objects.
    Related,
    /// No body at all.
    Head,
    List,
    /// A list that is asked for with a body.
    Search,
    /// Below another object that the path names.
    Site,
    Note,
    Patch,
    Delete,
    /// The object is changed: what is left out stays.
    Change,
    /// The object is replaced: what is left out is gone.
    Put,
    /// A list below the object, of no kind.
    Lines,
    /// A list of new objects below the object.
    Kids,
    /// Another object is named in the body.
    Link,
    /// A map of other objects.
    Map,
    /// A list of lists of objects.
    Grid,
    /// A write that answers with another object.
    Hand,
    /// A write that answers with an object of another kind.
    Assign,
}

/// What the body of a write says.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub has_title: bool,
    pub partner: Option<&'static str>,
    pub status: Option<&'static str>,
    /// The id in the body.
    pub id: Option<&'static str>,
    /// New objects: partner, status, locked.
    pub items: Vec<(&'static str, &'static str, bool)>,
    /// The object that is named.
    pub other: &'static str,
}

impl Sent {
    fn draw(draw: &mut Draw) -> Sent {
        let partners = [None, Some("north"), Some("south")];
        let states = [None, Some("open"), Some("done")];
        let items = (0..=draw.below(2)).map(|_| {
            let partner = ["north", "north", "south"][draw.below(3)];
            let status = ["open", "done"][draw.below(2)];
            (partner, status, draw.one_in(4))
        });
        Sent {
            items: items.collect(),
            has_title: draw.one_in(2),
            partner: partners[draw.below(3)],
            status: states[draw.below(3)],
            id: Some("own").filter(|_| draw.one_in(4)),
            other: JOBS[draw.below(JOBS.len())].id,
        }
    }

    /// The fields of a change.
    pub fn fields(&self) -> Vec<&'static str> {
        let title = self.has_title.then_some("title");
        let partner = self.partner.map(|_| "partner");
        let status = self.status.map(|_| "status");
        [title, partner, status].into_iter().flatten().collect()
    }

    fn change(&self) -> String {
        let mut members = Vec::new();
        members.extend(self.id.map(|id| format!(r#""id":"{id}""#)));
        members.extend(self.has_title.then(|| r#""title":"x""#.to_owned()));
        members.extend(self.partner.map(|v| format!(r#""partner":"{v}""#)));
        members.extend(self.status.map(|v| format!(r#""status":"{v}""#)));
        format!("{{{}}}", members.join(","))
    }

    fn list(&self) -> String {
        let items = self.items.iter().map(|(partner, status, is_locked)| {
            format!(
                r#"{{"title":"x","partner":"{partner}","status":"{status}","locked":{is_locked}}}"#
            )
        });
        format!("[{}]", items.collect::<Vec<_>>().join(","))
    }
}

/// How the object or list stands in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    Bare,
    Data,
    Deep,
    Nullable,
    Named,
}

/// What an answer that could hold something holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Normal,
    Null,
    Missing,
    Empty,
    Odd,
    /// Nothing in the list.
    Bare,
    /// Only what no grant shows, and nothing beside it.
    Foreign,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Op {
    pub name: &'static str,
    pub sort: Sort,
    pub wrap: Wrap,
    /// The schema is written where it stands, so that nothing says what kind of object it is.
    pub is_inline: bool,
    pub sent: Sent,
}

impl Sort {
    /// Whether the answer holds many jobs.
    pub fn is_many(self) -> bool {
        use Sort::{Grid, List, Map, Related, Search};
        matches!(self, List | Search | Related | Map | Grid)
    }

    /// Whether it is a write that answers with another object than the one its path names.
    pub fn answers_other(self) -> bool {
        matches!(self, Sort::Hand | Sort::Assign)
    }
}

impl Op {
    pub fn variants(&self) -> Vec<Variant> {
        use Variant::{Bare, Empty, Foreign, Missing, Normal, Null, Odd};
        match (self.sort, self.wrap) {
            (sort, Wrap::Bare) if sort.is_many() => vec![Normal, Null, Empty, Odd, Bare, Foreign],
            (sort, _) if sort.is_many() => {
                vec![Normal, Null, Missing, Empty, Odd, Bare, Foreign]
            }
            (Sort::Head | Sort::Delete | Sort::Note | Sort::Patch, _) => vec![Normal],
            (Sort::Change | Sort::Put | Sort::Lines | Sort::Kids | Sort::Link, _) => vec![Normal],
            (_, Wrap::Bare) => vec![Normal, Null, Empty, Odd],
            _ => vec![Normal, Null, Missing, Empty, Odd],
        }
    }

    pub fn path(&self, id: &str) -> Vec<(&'static str, String)> {
        match self.sort {
            Sort::List | Sort::Search | Sort::Grid => Vec::new(),
            // South's jobs are at the site of the south.
            Sort::Site => {
                let site = job_of(id).map_or("home", |job| site_of(job));
                vec![("siteId", site.to_owned()), ("jobId", id.to_owned())]
            }
            _ => vec![("jobId", id.to_owned())],
        }
    }

    pub fn body(&self) -> Option<String> {
        match self.sort {
            Sort::Search => Some(r#"{"text":"x"}"#.to_owned()),
            Sort::Note => Some(r#"{"text":"x"}"#.to_owned()),
            Sort::Patch => Some(r#"{"title":"x"}"#.to_owned()),
            Sort::Change | Sort::Put => Some(self.sent.change()),
            Sort::Lines => Some(r#"[{"text":"x","status":"y"},{"text":"z"}]"#.to_owned()),
            Sort::Kids => Some(self.sent.list()),
            Sort::Link => Some(format!(r#"{{"otherId":"{}"}}"#, self.sent.other)),
            _ => None,
        }
    }

    fn body_schema(&self) -> &'static str {
        match self.sort {
            Sort::Patch => "{ type: object, properties: { title: { type: string } } }",
            Sort::Change | Sort::Put => {
                "{ type: object, properties: { id: { type: string }, title: { type: string }, partner: { type: string }, status: { type: string } } }"
            }
            Sort::Lines => {
                "{ oneOf: [{ $ref: \"#/components/schemas/Line\" }, { type: array, items: { $ref: \"#/components/schemas/Line\" } }] }"
            }
            Sort::Kids => "{ type: array, items: { $ref: \"#/components/schemas/Job\" } }",
            Sort::Link => {
                "{ type: object, properties: { otherId: { type: string, x-portcullis-refers-to: Job } } }"
            }
            _ => {
                "{ type: object, properties: { text: { type: string, x-portcullis-filters: [] } } }"
            }
        }
    }

    /// Whether the answer has no body.
    fn is_silent(&self) -> bool {
        matches!(
            self.sort,
            Sort::Head | Sort::Delete | Sort::Lines | Sort::Kids | Sort::Link
        )
    }

    fn template(&self) -> (&'static str, &'static str) {
        match self.sort {
            Sort::Get => ("/jobs/{jobId}", "get"),
            Sort::Show => ("/shown/{jobId}", "get"),
            Sort::View => ("/jobs/{jobId}/view", "get"),
            Sort::Parent => ("/jobs/{jobId}/parent", "get"),
            Sort::Parts => ("/jobs/{jobId}/parts", "get"),
            Sort::Items => ("/jobs/{jobId}/items", "get"),
            Sort::Related => ("/jobs/{jobId}/related", "get"),
            Sort::Head => ("/jobs/{jobId}/state", "head"),
            Sort::List => ("/jobs", "get"),
            Sort::Search => ("/job-search", "post"),
            Sort::Site => ("/sites/{siteId}/jobs/{jobId}", "get"),
            Sort::Note => ("/jobs/{jobId}/notes", "post"),
            Sort::Patch => ("/jobs/{jobId}/title", "patch"),
            Sort::Delete => ("/jobs/{jobId}/end", "delete"),
            Sort::Change => ("/changed/{jobId}", "patch"),
            Sort::Put => ("/put/{jobId}", "put"),
            Sort::Lines => ("/jobs/{jobId}/lines", "post"),
            Sort::Kids => ("/jobs/{jobId}/kids", "post"),
            Sort::Link => ("/jobs/{jobId}/links", "post"),
            Sort::Map => ("/jobs/{jobId}/by-name", "get"),
            Sort::Grid => ("/job-grid", "get"),
            Sort::Hand => ("/jobs/{jobId}/hand", "post"),
            Sort::Assign => ("/jobs/{jobId}/crew", "post"),
        }
    }

    /// Whether the contract says of what kind the objects in the answer are.
    pub fn is_told(&self) -> bool {
        !self.is_inline && !self.is_silent() && !matches!(self.sort, Sort::Parts | Sort::Note)
    }

    /// The field of the title (or of the part) as a grant writes it, and that of the trace beside the object.
    pub fn fields(&self) -> (String, Option<String>) {
        let name = match self.sort {
            Sort::Parts | Sort::Items => "sku",
            Sort::Note => "text",
            _ => "title",
        };
        if self.is_silent() {
            return (String::new(), None);
        }
        let is_list = matches!(self.sort, Sort::Parts);
        let each = if is_list { "*." } else { "" };
        let title = match (self.is_told(), self.wrap) {
            // Lists at the root count from their items.
            (true, _) | (false, Wrap::Bare) => name.to_owned(),
            (false, Wrap::Deep) => format!("data.inner.{each}{name}"),
            (false, _) => format!("data.{each}{name}"),
        };
        let trace = match (self.wrap, self.is_told()) {
            (Wrap::Bare, _) => None,
            (_, true) => Some("$.trace".to_owned()),
            (_, false) => Some("trace".to_owned()),
        };
        (title, trace)
    }

    fn response_schema(&self) -> Option<String> {
        const INLINE: &str = "{ type: object, properties: { id: { type: string }, title: { type: string }, partner: { type: string }, status: { type: string }, locked: { type: boolean } } }";
        let one = |name: &str| format!("{{ $ref: \"#/components/schemas/{name}\" }}");
        let list = |item: &str| format!("{{ type: array, items: {item} }}");
        let inner = match self.sort {
            _ if self.is_silent() => return None,
            Sort::Note => {
                return Some("{ type: object, properties: { text: { type: string } } }".into());
            }
            Sort::Parts => list("{ type: object, properties: { sku: { type: string } } }"),
            Sort::Items => list(&one("Item")),
            Sort::Related | Sort::List | Sort::Search => list(&one("Job")),
            Sort::Map => format!("{{ type: object, additionalProperties: {} }}", one("Job")),
            Sort::Grid => list(&list(&one("Job"))),
            Sort::Assign => one("Crew"),
            _ if self.is_inline => INLINE.to_owned(),
            _ => one("Job"),
        };
        let trace = "trace: { type: string }";
        Some(match self.wrap {
            Wrap::Bare => inner,
            Wrap::Data => format!("{{ type: object, properties: {{ data: {inner}, {trace} }} }}"),
            Wrap::Deep => format!(
                "{{ type: object, properties: {{ data: {{ type: object, properties: {{ inner: {inner} }} }}, {trace} }} }}"
            ),
            Wrap::Nullable => format!(
                "{{ type: object, properties: {{ data: {{ nullable: true, allOf: [{inner}] }}, {trace} }} }}"
            ),
            Wrap::Named => one(&format!("{}Envelope", self.name)),
        })
    }

    fn envelope(&self) -> Option<String> {
        let plain = Op {
            wrap: Wrap::Data,
            ..self.clone()
        };
        (self.wrap == Wrap::Named).then(|| {
            format!(
                "    {}Envelope: {}\n",
                self.name,
                plain.response_schema().unwrap()
            )
        })
    }
}

/// The site a job stands at.
pub fn site_of(job: &Job) -> &'static str {
    if job.partner == "north" {
        "home"
    } else {
        "away"
    }
}

/// One grant for one operation.
#[derive(Clone, Debug)]
pub struct Grant {
    pub op: &'static str,
    /// Index into [`CONDITIONS`].
    pub condition: usize,
    pub has_title: bool,
    pub has_trace: bool,
    /// Fields of a change that may be sent.
    pub writes: Vec<&'static str>,
}

/// Whether a condition holds for a job.
type Meant = fn(&Job) -> bool;

/// Conditions on a job, as they are written and as they are meant.
pub const CONDITIONS: [(&str, Meant); 7] = [
    ("", |_| true),
    ("resource.partner == principal.partner", |job| {
        job.partner == "north"
    }),
    ("resource.status == \"open\"", |job| job.status == "open"),
    (
        "resource.partner == principal.partner && resource.status == \"done\"",
        |job| job.partner == "north" && job.status == "done",
    ),
    ("!(resource.partner == \"south\")", |job| {
        job.partner != "south"
    }),
    (
        "resource.partner == principal.partner || resource.status == \"done\"",
        |job| job.partner == "north" || job.status == "done",
    ),
    (
        "if resource.locked then resource.partner == \"south\" else resource.partner == \"north\"",
        |job| (job.partner == "south") == job.is_locked,
    ),
];

/// Policies that forbid locked jobs, in two ways of writing.
const POLICIES: [&str; 2] = [
    "forbid(principal, action, resource is jobs::v1::Job) when { resource.locked };\n",
    "forbid(principal, action, resource) when { resource is jobs::v1::Job && resource.locked };\n",
];

/// Operations that write, and one that reads no jobs.
const NO_READERS: [&str; 11] = [
    "listItems",
    "addNote",
    "setTitle",
    "endJob",
    "changeJob",
    "putJob",
    "addLines",
    "addKids",
    "linkJob",
    "handJob",
    "assignCrew",
];

/// Whether a grant is for reading jobs.
pub fn reads_jobs(grant: &Grant) -> bool {
    !NO_READERS.contains(&grant.op)
}

/// Everything of one case.
#[derive(Debug)]
pub struct World {
    pub ops: Vec<Op>,
    pub grants: Vec<Grant>,
    /// The condition on sites: none, or those at home.
    pub site_grant: Option<bool>,
    /// The same of crews.
    pub crew_grant: Option<bool>,
    pub policy: Option<&'static str>,
    pub is_resolved: bool,
}

impl World {
    // LONG: one table of operations, read from top to bottom.
    pub fn draw(draw: &mut Draw) -> World {
        use Sort::{
            Assign, Change, Delete, Get, Grid, Hand, Head, Items, Kids, Lines, Link, List, Map,
            Note, Parent, Parts, Patch, Put, Related, Search, Show, Site, View,
        };
        let names = [
            (Get, "getJob"),
            (Show, "showJob"),
            (View, "viewJob"),
            (Parent, "getParent"),
            (Parts, "listParts"),
            (Items, "listItems"),
            (Related, "listRelated"),
            (Head, "headJob"),
            (List, "listJobs"),
            (Search, "searchJobs"),
            (Site, "getSiteJob"),
            (Note, "addNote"),
            (Patch, "setTitle"),
            (Delete, "endJob"),
            (Change, "changeJob"),
            (Put, "putJob"),
            (Lines, "addLines"),
            (Kids, "addKids"),
            (Link, "linkJob"),
            (Map, "mapJobs"),
            (Grid, "gridJobs"),
            (Hand, "handJob"),
            (Assign, "assignCrew"),
        ];
        let ops: Vec<Op> = names
            .into_iter()
            .map(|(sort, name)| {
                let is_list = sort.is_many() || matches!(sort, Parts | Items);
                let wrap = [
                    Wrap::Bare,
                    Wrap::Data,
                    Wrap::Deep,
                    Wrap::Named,
                    Wrap::Nullable,
                ][draw.below(if is_list { 4 } else { 5 })];
                let is_bare = matches!(
                    sort,
                    Note | Patch | Delete | Head | Change | Put | Lines | Kids | Link | Assign
                );
                Op {
                    name,
                    sort,
                    wrap: if is_bare { Wrap::Bare } else { wrap },
                    is_inline: matches!(sort, Show | View | Site) && draw.one_in(2),
                    sent: Sent::draw(draw),
                }
            })
            .collect();
        let mut grants = Vec::new();
        for op in &ops {
            // Whoever reads no job at all may not name one: `check` refuses the grant.
            let is_idle = op.sort == Link && !grants.iter().any(reads_jobs);
            for _ in 0..draw.below(4) {
                let all = ["title", "partner", "status"];
                let writes = all
                    .into_iter()
                    .filter(|_| op.sort == Put || !draw.one_in(3));
                let writes = writes.collect();
                grants.push(Grant {
                    op: op.name,
                    condition: draw.below(CONDITIONS.len()),
                    has_title: !draw.one_in(4),
                    has_trace: draw.one_in(2) && op.fields().1.is_some(),
                    writes,
                });
            }
            if is_idle {
                grants.retain(|grant| grant.op != op.name);
            }
        }
        World {
            ops,
            grants,
            site_grant: [None, Some(false), Some(true)][draw.below(3)],
            crew_grant: [None, Some(false), Some(true)][draw.below(3)],
            policy: [None, Some(POLICIES[0]), Some(POLICIES[1])][draw.below(3)],
            is_resolved: !draw.one_in(6),
        }
    }

    pub fn contract(&self) -> String {
        let mut out = "openapi: 3.0.3\ninfo: { title: Jobs, version: \"1\" }\npaths:\n".to_owned();
        let path = |name: &str| {
            format!("{{ name: {name}, in: path, required: true, schema: {{ type: string }} }}")
        };
        for op in &self.ops {
            let (template, method) = op.template();
            let parameters: Vec<String> = op
                .path("x")
                .iter()
                .rev()
                .map(|(name, _)| path(name))
                .collect();
            out.push_str(&format!(
                "  {template}:\n    {method}:\n      operationId: {}\n      parameters: [{}]\n",
                op.name,
                parameters.join(", ")
            ));
            if op.body().is_some() {
                out.push_str(&format!(
                    "      requestBody: {{ content: {{ application/json: {{ schema: {} }} }} }}\n",
                    op.body_schema()
                ));
            }
            out.push_str(&match op.response_schema() {
                Some(schema) => format!("      responses: {{ \"200\": {{ description: ok, content: {{ application/json: {{ schema: {schema} }} }} }} }}\n"),
                None => "      responses: { \"204\": { description: ok } }\n".to_owned(),
            });
        }
        out.push_str(&format!(
            "  /sites/{{siteId}}:\n    get:\n      operationId: getSite\n      parameters: [{}]\n",
            path("siteId")
        ));
        out.push_str("      responses: { \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Site\" } } } } }\n");
        out.push_str(&format!(
            "  /crews/{{crewId}}:\n    get:\n      operationId: getCrew\n      parameters: [{}]\n",
            path("crewId")
        ));
        out.push_str("      responses: { \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Crew\" } } } } }\n");
        out.push_str("components:\n  schemas:\n    Site: { type: object, properties: { id: { type: string }, region: { type: string } } }\n    Crew: { type: object, properties: { id: { type: string }, title: { type: string }, region: { type: string }, partner: { type: string }, status: { type: string }, locked: { type: boolean } } }\n");
        out.push_str("    Line: { type: object, properties: { text: { type: string }, status: { type: string } } }\n");
        out.push_str("    Item: { type: object, properties: { id: { type: string }, sku: { type: string } } }\n");
        out.push_str("    Job: { type: object, properties: { id: { type: string }, title: { type: string }, partner: { type: string }, status: { type: string }, locked: { type: boolean } } }\n");
        out.extend(self.ops.iter().filter_map(Op::envelope));
        out
    }

    pub fn files(&self) -> Vec<(String, String)> {
        let names: Vec<&str> = self
            .ops
            .iter()
            .map(|op| op.name)
            .chain(["getSite", "getCrew"])
            .collect();
        let resolve = if self.is_resolved {
            "resolve: getJob, "
        } else {
            ""
        };
        let api = format!(
            "owner: a@b.example\nversions:\n  v1:\n    contract: jobs.v1.openapi.yaml\n    state: active\n    base_path: /v1\n    upstream: {{ targets: [\"http://127.0.0.1:9\"] }}\n    operations: {{ searchJobs: {{ reads: true }} }}\n    expose: {{ public: [{}] }}\n    objects:\n      Job: {{ id: path.jobId, {resolve}attributes: {{ partner: body.partner, status: body.status, locked: body.locked }} }}\n      Item: {{ id: path.itemId, attributes: {{ sku: body.sku }} }}\n      Site: {{ id: path.siteId, resolve: getSite, attributes: {{ region: body.region }} }}\n      Crew: {{ id: path.crewId, attributes: {{ region: body.region, partner: body.partner, status: body.status, locked: body.locked }} }}\n",
            names.join(", ")
        )
        .replace("      Item: { id: path.itemId, attributes", "      Item: { id: body.id, attributes");
        let mut north = "owner: a@b.example\npurpose: Jobs\nreview_by: 2099-12-31\nattributes: { partner: north }\ncredentials: { api_key: { max_age: 90d, overlap: 1h } }\ngrants:\n".to_owned();
        for grant in &self.grants {
            let op = self.ops.iter().find(|op| op.name == grant.op).unwrap();
            let (title, trace) = op.fields();
            let mut fields: Vec<String> = Vec::new();
            fields.extend(Some(title).filter(|title| grant.has_title && !title.is_empty()));
            fields.extend(trace.filter(|_| grant.has_trace));
            let fields: Vec<String> = fields.iter().map(|field| format!("\"{field}\"")).collect();
            north.push_str(&format!("  - api: jobs/v1\n    operations: [{}]\n    fields: [{}]\n    deny_as: not_found\n", grant.op, fields.join(", ")));
            if grant.condition > 0 {
                north.push_str(&format!("    when: '{}'\n", CONDITIONS[grant.condition].0));
            }
            match op.sort {
                Sort::Note | Sort::Search => north.push_str("    writes: [text]\n"),
                Sort::Patch => north.push_str("    writes: [title]\n"),
                Sort::Put => north.push_str("    writes: [id, title, partner, status]\n"),
                Sort::Change => {
                    let writes: Vec<&str> = ["id"].iter().chain(&grant.writes).copied().collect();
                    north.push_str(&format!("    writes: [{}]\n", writes.join(", ")));
                }
                Sort::Lines => north.push_str("    writes: [\"*.{text,status}\"]\n"),
                Sort::Kids => {
                    north.push_str("    writes: [\"*.{title,partner,status,locked}\"]\n");
                }
                Sort::Link => north.push_str("    writes: [otherId]\n"),
                _ => {}
            }
        }
        north.push_str(&self.other_grants());
        if self.grants.is_empty() && self.site_grant.is_none() && self.crew_grant.is_none() {
            north = north.replace("grants:\n", "");
        }
        let server = "listeners:\n  public: { address: \"127.0.0.1:0\", plain: true }\nstore: { dir: data }\nkeys: { kek: \"file:kek\" }\n";
        let mut files = vec![
            ("portcullis.yaml".to_owned(), server.to_owned()),
            ("apis/jobs.yaml".to_owned(), api),
            ("apis/jobs.v1.openapi.yaml".to_owned(), self.contract()),
            ("integrations/north.yaml".to_owned(), north),
        ];
        files.extend(
            self.policy
                .map(|text| ("policies/locked.cedar".to_owned(), text.to_owned())),
        );
        files
    }

    /// Grants for what is no job.
    fn other_grants(&self) -> String {
        let both = [
            ("getSite", "id", self.site_grant),
            ("getCrew", "id, title", self.crew_grant),
        ];
        let granted = both
            .into_iter()
            .filter_map(|(operation, fields, is_part)| Some((operation, fields, is_part?)));
        granted
            .map(|(operation, fields, is_part)| {
                let when = if is_part { "    when: 'resource.region == \"home\"'\n" } else { "" };
                format!("  - api: jobs/v1\n    operations: [{operation}]\n    fields: [{fields}]\n    deny_as: not_found\n{when}")
            })
            .collect()
    }

    /// What the careless system answers: everything to anybody. `None` for 404, empty for no body. Every title says
    /// whose it is: `title-own`, `trace-own`.
    pub fn answer(&self, op: &Op, id: &str, variant: Variant) -> Option<String> {
        let object = |job: &Job| {
            format!(
                r#"{{"id":"{0}","title":"title-{0}","partner":"{1}","status":"{2}","locked":{3}}}"#,
                job.id, job.partner, job.status, job.is_locked
            )
        };
        let job = if op.is_on_a_job() {
            Some(job_of(id)?)
        } else {
            None
        };
        let is_told = |job: &&Job| variant == Variant::Normal || self.hides(op, job);
        let all: Vec<String> = JOBS.iter().filter(is_told).map(object).collect();
        let inner = match (op.sort, job) {
            _ if op.is_silent() => return Some(String::new()),
            (sort, _) if sort.is_many() => self.many(op, &all, variant),
            (Sort::Parent | Sort::Hand, Some(job)) => object(job_of(job.parent).unwrap()),
            (Sort::Assign, Some(job)) => crew(site_of(job)),
            (Sort::Parts | Sort::Items, _) => format!(r#"[{{"id":"1","sku":"title-{id}"}}]"#),
            (Sort::Note, _) => return Some(format!(r#"{{"text":"title-{id}"}}"#)),
            (_, Some(job)) => object(job),
            (_, None) => return None,
        };
        let whose = if job.is_some() { id } else { "all" };
        let (inner, is_missing) = match variant {
            Variant::Normal | Variant::Bare | Variant::Foreign => (inner, false),
            Variant::Null => ("null".to_owned(), false),
            Variant::Missing => (String::new(), true),
            Variant::Empty => return Some(String::new()),
            Variant::Odd => (format!(r#"{{"x":["title-{whose}"]}}"#), false),
        };
        Some(match (op.wrap, is_missing) {
            (Wrap::Bare, _) => inner,
            (_, true) => format!(r#"{{"trace":"trace-{whose}"}}"#),
            (Wrap::Deep, _) => format!(r#"{{"data":{{"inner":{inner}}},"trace":"trace-{whose}"}}"#),
            _ => format!(r#"{{"data":{inner},"trace":"trace-{whose}"}}"#),
        })
    }

    /// Many jobs as the operation answers with them, with places that hold nothing.
    fn many(&self, op: &Op, all: &[String], variant: Variant) -> String {
        let none = if variant == Variant::Foreign {
            "null"
        } else {
            ""
        };
        let all = if variant == Variant::Bare { &[] } else { all };
        let listed = |items: &[String]| {
            let none = Some(none.to_owned()).filter(|none| !none.is_empty());
            let items: Vec<String> = items.iter().cloned().chain(none).collect();
            format!("[{}]", items.join(","))
        };
        match op.sort {
            Sort::Map => {
                let named = all
                    .iter()
                    .enumerate()
                    .map(|(n, job)| format!(r#""n{n}":{job}"#));
                let none = (!none.is_empty()).then(|| r#""none":null"#.to_owned());
                format!("{{{}}}", named.chain(none).collect::<Vec<_>>().join(","))
            }
            Sort::Grid if variant == Variant::Bare => "[]".to_owned(),
            Sort::Grid => {
                let rows: Vec<String> = all.chunks(2).map(listed).chain(["[]".into()]).collect();
                format!("[{}]", rows.join(","))
            }
            _ => listed(all),
        }
    }

    /// Whether no grant of an operation shows a job.
    pub fn hides(&self, op: &Op, job: &Job) -> bool {
        let mut grants = self.grants.iter().filter(|grant| grant.op == op.name);
        let is_forbidden = self.policy.is_some() && job.is_locked;
        is_forbidden || !grants.any(|grant| CONDITIONS[grant.condition].1(job))
    }
}

/// The crew of a site as the careless system tells of it: of the same partner and state as nobody's job.
fn crew(id: &str) -> String {
    format!(r#"{{"id":"{id}","title":"title-crew-{id}","region":"{id}","partner":"none"}}"#)
}
