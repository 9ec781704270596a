//! Reads whose answer does not show the object that the path names.

use super::*;

const OWN: &str = "resource.partner == principal.partner";
const JOB: &str = "Job{id,title,partner,status,locked?}";

// LONG: one line per operation.
/// Jobs with parts below them (of a kind of their own, and of none), in every form of answer.
fn jobs() -> ApiShape {
    let get = |id: &str, response: &str, path: &[&str]| operation(id, response, "", path);
    let kind = |schema: &str, id: &str, resolve: Option<&str>, attributes: &[&str]| ObjectKind {
        rule: RuleRef {
            file: "apis/jobs.yaml".into(),
            line: 9,
        },
        schema: schema.into(),
        is_person: false,
        id: Source::parse(id).unwrap(),
        resolve: resolve.map(Arc::from),
        attributes: attributes
            .iter()
            .map(|name| {
                let source = Source::parse(&format!("body.{name}")).unwrap();
                (Arc::from(*name), source)
            })
            .collect(),
    };
    let below = ["path jobId/"];
    let wrapped = format!("{{data:{JOB},trace}}");
    ApiShape {
        name: "field-service/v2".into(),
        lookups_max: LOOKUPS_DEFAULT,
        unsure: Default::default(),
        operations: vec![
            get("getJob", JOB, &["path jobId"]),
            get("listJobs", &format!("{{items:[{JOB}],total#}}"), &[]),
            get("listJobParts", "{items:[{sku,price#}],total#}", &below),
            get("getJobInline", "{data:{id,title,partner}}", &["path jobId"]),
            get("getJobWrapped", &wrapped, &["path jobId"]),
            get("getJobInvoice", &format!("{{number,job:{JOB}}}"), &below),
            get("listRelatedJobs", &format!("[{JOB}]"), &below),
            get("getParentJob", JOB, &below),
            get("headJob", "", &["path jobId"]),
            get("listJobItems", "[Item{id,sku,price#}]", &below),
            get(
                "getJobItem",
                "Item{id,sku,price#}",
                &["path jobId/", "path itemId"],
            ),
            operation("addJobNote", "{text}", "{text}", &below),
            operation(
                "addJobItem",
                "Item{id,sku,price#}",
                "Item{id,sku,price#}",
                &below,
            ),
            operation("deleteJobPart", "", "", &["path jobId/", "path partId"]),
            get("getHealth", "{status}", &[]),
            operation("ping", "", "{text}", &[]),
            get(
                "getJobWithSite",
                "{data:{id,title,site:Site{id,partner}},trace}",
                &below,
            ),
            get("getCurrentJob", JOB, &[]),
            get(
                "getJobBundle",
                &format!("{{job:{JOB},site:Site{{id,partner}},trace}}"),
                &below,
            ),
        ],
        objects: vec![
            kind(
                "Job",
                "path.jobId",
                Some("getJob"),
                &["partner", "status", "locked"],
            ),
            kind("Item", "path.itemId", None, &["sku"]),
            kind("Site", "body.id", None, &["partner"]),
        ],
    }
}

fn input_of(grants: Vec<Grant>, policy: &str) -> PolicyInput {
    PolicyInput {
        apis: vec![jobs()],
        integrations: vec![integration("north", grants)],
        cedar: match policy {
            "" => Vec::new(),
            text => vec![CedarFile {
                file: "policies/extra.cedar".into(),
                text: text.into(),
            }],
        },
        names: Names::default(),
        is_partial: false,
    }
}

fn job(id: &str, partner: &str) -> String {
    format!(r#"{{"id":"{id}","title":"t","partner":"{partner}","status":"open","locked":false}}"#)
}

/// The whole road: what leaves, or the code; behind it how many objects were looked up.
fn road(rules: &Arc<Rules>, text: &str, body: &str, upstream: &str) -> String {
    let known = [
        ("own", job("own", "north")),
        ("foreign", job("foreign", "south")),
        ("frozen", job("frozen", "north").replace("false", "true")),
    ];
    let call = call(text, body);
    let mut count = 0;
    let mut run = || -> Result<String, Box<Refusal>> {
        let mut permit = call.decide(rules)?;
        let response = (!upstream.is_empty()).then(|| json(upstream));
        for is_after in [false, true] {
            let lookups = if is_after {
                permit.after(&call.facts(), response.as_ref())?
            } else {
                permit.before(&call.facts())?
            };
            for lookup in lookups {
                count += 1;
                let found = known.iter().find(|(id, _)| *id == lookup.id);
                let found = found.map(|(_, text)| json(text));
                permit.judge(&lookup, &call.facts(), found.as_ref())?;
            }
        }
        let released = permit.release(&call.facts(), response.as_ref())?;
        Ok(String::from_utf8(released.body).unwrap())
    };
    let said = run().unwrap_or_else(|refusal| said(&refusal));
    format!("{said} ({count})")
}

const HIDDEN: &str = "object.denied as object.absent 404";

#[test]
fn a_list_below_an_object_is_judged_on_that_object_before_it_is_asked_for() {
    let rules = Arc::new(
        compile(input_of(
            vec![grant(1, "listJobParts", OWN, "items $.total", "")],
            "",
        ))
        .unwrap(),
    );
    let parts = r#"{"items":[{"sku":"s","price":1}],"total":1}"#;
    let list =
        |id: &str, response: &str| road(&rules, &format!("listJobParts jobId={id}"), "", response);
    assert_eq!(list("own", parts), format!("{parts} (1)"));
    assert_eq!(list("foreign", parts), format!("{HIDDEN} (1)"));
    assert_eq!(list("foreign", ""), format!("{HIDDEN} (1)"));
    assert_eq!(list("nowhere", parts), "object.absent 404 (1)");
    // The very look-up comes before the call.
    let call = call("listJobParts jobId=own", "");
    let mut permit = call.decide(&rules).unwrap();
    let lookups = permit.before(&call.facts()).unwrap();
    assert_eq!(lookups.len(), 1);
    assert!(!permit.is_cleared());
}

#[test]
fn an_answer_that_cannot_show_the_object_makes_a_look_up() {
    for (operation, response) in [
        (
            "getJobInline",
            r#"{"data":{"id":"foreign","title":"t","partner":"north"}}"#,
        ),
        ("headJob", ""),
        ("listRelatedJobs", r#"[{"id":"own","partner":"north"}]"#),
        ("listRelatedJobs", "[]"),
    ] {
        let fields = match operation {
            "getJobInline" => "data",
            "headJob" => "",
            _ => "id",
        };
        let grants = vec![grant(1, operation, OWN, fields, "")];
        let rules = Arc::new(compile(input_of(grants, "")).unwrap());
        let at = |id: &str| road(&rules, &format!("{operation} jobId={id}"), "", response);
        assert_eq!(at("foreign"), format!("{HIDDEN} (1)"), "{operation}");
        assert!(
            at("own").ends_with(" (1)") && !at("own").contains("object."),
            "{operation}"
        );
    }
}

#[test]
fn an_answer_that_shows_the_object_costs_no_look_up() {
    let grants = vec![grant(
        1,
        "getJob getJobWrapped getJobInvoice",
        OWN,
        "id",
        "",
    )];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let own = job("own", "north");
    assert_eq!(
        road(&rules, "getJob jobId=own", "", &own),
        r#"{"id":"own"} (0)"#
    );
    for (operation, response, left) in [
        (
            "getJobWrapped",
            format!(r#"{{"data":{own},"trace":"x"}}"#),
            r#"{"data":{"id":"own"}}"#,
        ),
        (
            "getJobInvoice",
            format!(r#"{{"number":"7","job":{own}}}"#),
            r#"{"job":{"id":"own"}}"#,
        ),
    ] {
        let text = format!("{operation} jobId=own");
        assert_eq!(road(&rules, &text, "", &response), format!("{left} (0)"));
    }
}

#[test]
fn an_answer_that_lacks_the_object_it_should_show_is_looked_up_or_refused() {
    let grants = vec![
        grant(1, "getJobWrapped", OWN, "id $.trace", ""),
        grant(4, "getJobInvoice", OWN, "id $.number", ""),
        grant(7, "getJob", OWN, "id", ""),
        grant(9, "getParentJob", OWN, "id", ""),
    ];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let other = job("own", "north");
    for response in [
        "",
        r#"{"data":null,"trace":"x"}"#,
        r#"{"trace":"x"}"#,
        r#"{"data":[],"trace":"x"}"#,
        r#"{"data":"x","trace":"x"}"#,
        r#"["x"]"#,
        // Another object than the one that was asked for.
        &format!(r#"{{"data":{other},"trace":"x"}}"#),
    ] {
        let text = "getJobWrapped jobId=foreign";
        assert_eq!(
            road(&rules, text, "", response),
            format!("{HIDDEN} (1)"),
            "{response}"
        );
    }
    let text = "getJobWrapped jobId=own";
    assert_eq!(
        road(&rules, text, "", r#"{"data":null,"trace":"x"}"#),
        r#"{"data":null,"trace":"x"} (1)"#
    );
    // A part of it without an id tells nothing.
    let blank = r#"{"number":"7","job":{"partner":"north"}}"#;
    assert_eq!(
        road(&rules, "getJobInvoice jobId=foreign", "", blank),
        format!("{HIDDEN} (1)")
    );
    // Its parent is another object; so is the id by which it is judged.
    assert_eq!(
        road(&rules, "getParentJob jobId=foreign", "", &other),
        format!("{HIDDEN} (1)")
    );
    assert_eq!(
        road(
            &rules,
            "getParentJob jobId=own",
            "",
            &job("foreign", "south")
        ),
        format!("{HIDDEN} (1)")
    );
    // Looking up would ask the same again.
    for response in ["", "null", "[]", r#"["x"]"#, "7"] {
        assert_eq!(
            road(&rules, "getJob jobId=own", "", response),
            format!("{HIDDEN} (0)"),
            "{response}"
        );
    }
}

#[test]
fn a_policy_that_forbids_an_object_forbids_what_lies_below_it() {
    let policy =
        "forbid(principal, action, resource is field_service::v2::Job) when { resource.locked };";
    let grants = || {
        vec![
            grant(1, "listJobParts", "", "items", ""),
            grant(2, "headJob getJob", "", "", ""),
            grant(3, "listJobItems getJobItem", "", "sku", ""),
            grant(4, "addJobNote", "", "text", "text"),
            grant(5, "addJobItem", "", "sku", "sku"),
            grant(6, "deleteJobPart", "", "", ""),
            grant(7, "getHealth", "", "status", ""),
            grant(8, "ping", "", "", "text"),
        ]
    };
    let rules = Arc::new(compile(input_of(grants(), policy)).unwrap());
    for (text, body) in [
        ("listJobParts jobId=@", ""),
        ("headJob jobId=@", ""),
        ("listJobItems jobId=@", ""),
        ("getJobItem jobId=@ itemId=1", ""),
        ("addJobNote jobId=@", r#"{"text":"x"}"#),
        ("addJobItem jobId=@", r#"{"sku":"x"}"#),
        ("deleteJobPart jobId=@ partId=1", ""),
    ] {
        let at = |id: &str| road(&rules, &text.replace('@', id), body, "");
        assert!(at("frozen").starts_with(HIDDEN), "{text} {}", at("frozen"));
        assert!(
            at("foreign").ends_with("(1)") && !at("foreign").contains("object."),
            "{text} {}",
            at("foreign")
        );
    }
    // What is about no job is not touched.
    assert_eq!(road(&rules, "getHealth", "", ""), " (0)");
    assert_eq!(road(&rules, "ping", r#"{"text":"x"}"#, ""), " (0)");
}

#[test]
fn a_condition_may_be_about_the_object_above() {
    let grants = vec![
        grant(1, "listJobItems getJobItem", OWN, "sku price", ""),
        grant(4, "listJobItems", "resource.sku == \"a\"", "id", ""),
    ];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let items = r#"[{"id":"1","sku":"a","price":1},{"id":"2","sku":"b","price":2}]"#;
    let at = |id: &str| road(&rules, &format!("listJobItems jobId={id}"), "", items);
    assert_eq!(
        at("own"),
        r#"[{"id":"1","sku":"a","price":1},{"sku":"b","price":2}] (1)"#
    );
    assert_eq!(at("foreign"), r#"[{"id":"1"}] (1)"#);
    let item = r#"{"id":"1","sku":"a","price":1}"#;
    let at = |id: &str| road(&rules, &format!("getJobItem jobId={id} itemId=1"), "", item);
    assert_eq!(at("own"), r#"{"sku":"a","price":1} (1)"#);
    assert_eq!(at("foreign"), format!("{HIDDEN} (1)"));
}

#[test]
fn a_parent_that_may_be_seen_in_part_is_judged_before_what_lies_below_it() {
    let grants = vec![
        grant(1, "getJob", OWN, "id", ""),
        grant(4, "listJobItems", "", "sku", ""),
        grant(6, "addJobItem", "", "sku", "sku"),
    ];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let body = r#"{"sku":"x"}"#;
    assert_eq!(
        road(&rules, "listJobItems jobId=foreign", "", "[]"),
        format!("{HIDDEN} (1)")
    );
    assert_eq!(road(&rules, "listJobItems jobId=own", "", "[]"), "[] (1)");
    assert_eq!(
        road(&rules, "addJobItem jobId=foreign", body, ""),
        format!("{HIDDEN} (1)")
    );
    assert_eq!(road(&rules, "addJobItem jobId=own", body, ""), " (1)");
}

#[test]
fn only_grants_that_hold_for_the_object_let_anything_leave_below_it() {
    let grants = vec![
        grant(
            1,
            "listJobParts",
            "resource.status == \"open\"",
            "items.*.sku",
            "",
        ),
        grant(4, "listJobParts", OWN, "items.*.price", ""),
    ];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let parts = r#"{"items":[{"sku":"s","price":1}]}"#;
    let at = |id: &str| road(&rules, &format!("listJobParts jobId={id}"), "", parts);
    assert_eq!(at("own"), format!("{parts} (1)"));
    assert_eq!(at("foreign"), r#"{"items":[{"sku":"s"}]} (1)"#);
}

#[test]
fn what_nothing_can_judge_is_a_mistake_at_the_grant() {
    let mut blind = input_of(vec![grant(5, "getJob listJobParts", OWN, "", "")], "");
    blind.apis[0].objects[0].resolve = None;
    let found = mistakes(blind);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("integrations/test.yaml:5 `listJobParts` does not show a `Job`")
            && found[0].contains("add `resolve: OPERATION`"),
        "{found:?}"
    );
    let policy =
        "forbid(principal, action, resource is field_service::v2::Job) when { resource.locked };";
    let mut blind = input_of(vec![grant(5, "listJobItems", "", "", "")], policy);
    blind.apis[0].objects[0].resolve = None;
    let found = mistakes(blind);
    assert!(
        found[0].contains("the policy policies/extra.cedar:1 judges"),
        "{found:?}"
    );
    // The parent may be seen in part, and nothing looks it up.
    let grants = vec![
        grant(5, "getJob", OWN, "", ""),
        grant(7, "listJobItems", "", "", ""),
    ];
    let mut blind = input_of(grants, "");
    blind.apis[0].objects[0].resolve = None;
    let found = mistakes(blind);
    assert!(
        found[0].starts_with("integrations/test.yaml:7")
            && found[0].contains("may see only in part"),
        "{found:?}"
    );
    // The look-up needs more than the path names.
    let mut deep = input_of(vec![grant(5, "listJobParts", OWN, "", "")], "");
    deep.apis[0].operations[0].parameters.insert(
        0,
        ParameterShape {
            name: "siteId".into(),
            place: ParameterPlace::Path,
            scalar: Scalar::Text,
            domain: None,
            refers_to: None,
            at: None,
            reveals: None,
            stated: Vec::new(),
            page: None,
        },
    );
    let found = mistakes(deep);
    assert!(found[0].contains("needs `siteId`"), "{found:?}");
}

#[test]
fn an_object_named_in_two_roles_is_looked_up_once_and_judged_in_both() {
    let mut input = input_of(
        vec![
            grant(1, "getJob", "resource.status == \"open\"", "", ""),
            grant(4, "addJobNote", OWN, "", "text"),
        ],
        "",
    );
    let note = &mut input.apis[0].operations[11];
    note.request = shape("{text>Job}");
    let rules = Arc::new(compile(input).unwrap());
    let text = "addJobNote jobId=own";
    assert_eq!(road(&rules, text, r#"{"text":"own"}"#, ""), " (1)");
    assert_eq!(road(&rules, text, r#"{"text":"foreign"}"#, ""), " (2)");
    assert!(
        road(
            &rules,
            "addJobNote jobId=foreign",
            r#"{"text":"foreign"}"#,
            ""
        )
        .starts_with(HIDDEN)
    );
}

#[test]
fn the_root_leaves_only_where_the_condition_also_holds_for_the_object_that_the_path_names() {
    let grants = vec![
        grant(1, "getJob", "", "id", ""),
        grant(4, "getJobWithSite", OWN, "id $.data.title", ""),
    ];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let at = |id: &str, site: &str| {
        let upstream =
            format!(r#"{{"data":{{"id":"{id}","title":"t","site":{site}}},"trace":"x"}}"#);
        road(&rules, &format!("getJobWithSite jobId={id}"), "", &upstream)
    };
    let (own, foreign) = (
        r#"{"id":"s1","partner":"north"}"#,
        r#"{"id":"s2","partner":"south"}"#,
    );
    // No site at all reads like one that is hidden.
    assert_eq!(at("own", "null"), format!("{HIDDEN} (1)"));
    assert_eq!(
        at("own", own),
        r#"{"data":{"title":"t","site":{"id":"s1"}}} (1)"#
    );
    for site in ["null", own, foreign] {
        assert!(
            !at("foreign", site).contains("title"),
            "{}",
            at("foreign", site)
        );
    }
}

#[test]
fn no_object_at_all_reads_like_one_that_is_hidden() {
    let made = |when: &str, deny_as: DenyAs| {
        let grants = vec![
            grant(1, "getJob", "", "id", ""),
            Grant {
                deny_as: Some(deny_as),
                ..grant(4, "getJobWithSite", when, "id $.data.title", "")
            },
        ];
        Arc::new(compile(input_of(grants, "")).unwrap())
    };
    let hidden = r#"{"data":{"title":"t","site":{"id":"s2","partner":"south"}}}"#;
    let none = [
        "",
        "null",
        "{}",
        "[]",
        "false",
        r#"{"data":null}"#,
        r#"{"data":[]}"#,
        r#"{"data":{"title":"t"}}"#,
        r#"{"data":{"title":"t","site":""}}"#,
    ];
    let text = "getJobWithSite jobId=own";
    let rules = made(OWN, DenyAs::NotFound);
    let refused = road(&rules, text, "", hidden);
    assert!(refused.starts_with(HIDDEN), "{refused}");
    for response in none {
        assert_eq!(road(&rules, text, "", response), refused, "{response}");
    }
    // Where nothing is concealed, and where every site is seen, none is told as it is.
    let told = made(OWN, DenyAs::Forbidden);
    let open = made("", DenyAs::NotFound);
    for response in none {
        for rules in [&told, &open] {
            let left = road(rules, text, "", response);
            assert!(!left.contains("object."), "{response}: {left}");
        }
    }
}

#[test]
fn of_several_places_what_is_hidden_and_what_is_none_are_left_out() {
    let grants = vec![
        grant(1, "getJob", "", "id", ""),
        grant(4, "getJobBundle", OWN, "id $.trace", ""),
    ];
    let rules = Arc::new(compile(input_of(grants, "")).unwrap());
    let at = |job: &str, site: &str| {
        let upstream = format!(r#"{{{job}{site}"trace":"x"}}"#);
        road(&rules, "getJobBundle jobId=own", "", &upstream)
    };
    let own = format!(r#""job":{},"#, job("own", "north"));
    let hidden = r#""site":{"id":"s2","partner":"south"},"#;
    let none = ["", r#""site":null,"#, r#""site":[],"#];
    let left = at(&own, hidden);
    assert_eq!(left, r#"{"job":{"id":"own"},"trace":"x"} (0)"#);
    for site in none {
        assert_eq!(at(&own, site), left, "{site}");
    }
    let seen = at(&own, r#""site":{"id":"s1","partner":"north"},"#);
    assert!(seen.contains(r#""site":{"id":"s1"}"#), "{seen}");
    // Where no other object is seen either, nothing is.
    for job in ["", r#""job":null,"#] {
        for site in none.into_iter().chain([hidden]) {
            assert_eq!(at(job, site), format!("{HIDDEN} (1)"), "{job} {site}");
        }
    }
}

#[test]
fn an_object_that_no_name_asks_for_is_concealed_by_its_absence() {
    let at = |when: &str, operation: &str| {
        let grants = vec![grant(1, "getCurrentJob listJobs", when, "id", "")];
        let rules = Arc::new(compile(input_of(grants, "")).unwrap());
        let permit = call(operation, "").decide(&rules).unwrap();
        permit.concealment()
    };
    assert_eq!(at(OWN, "getCurrentJob"), Concealment::Everything);
    assert_eq!(at("", "getCurrentJob"), Concealment::Nothing);
    assert_eq!(at(OWN, "listJobs"), Concealment::Members);
    assert_eq!(at("", "listJobs"), Concealment::Nothing);
}
