//! Lists and maps in which nothing may be seen, and writes that answer with another object: none reads like hidden.

use super::*;

const OWN: &str = "resource.partner == principal.partner";
const JOB: &str = "Job{id,title,partner,stops:[Site],route:{stops:[Site],first},grid:[[Site]],named:{any:Site},stopCount#}";
const SITE: &str = "Site{id,name,partner}";

fn kind(schema: &str, id: &str, resolve: &str, line: u32) -> ObjectKind {
    ObjectKind {
        rule: RuleRef {
            file: "apis/jobs.yaml".into(),
            line,
        },
        schema: schema.into(),
        is_person: false,
        id: Source::parse(id).unwrap(),
        resolve: Some(resolve.into()),
        attributes: vec![("partner".into(), Source::parse("body.partner").unwrap())],
    }
}

/// Every way in which an answer may hold many jobs, and writes to one job that answer with another thing.
fn jobs() -> ApiShape {
    let job = JOB.replacen("[Site]", &format!("[{SITE}]"), 1);
    let list = |id: &str, response: &str| operation(id, &response.replace('J', &job), "", &[]);
    let mut page = list("listPage", "{items:[J],next,plain}");
    let mut shape = (*page.response).clone();
    let next = shape.nodes[0].fields["next"].node;
    shape.nodes[next].page = Some(model::PageField::Cursor);
    page.response = Arc::new(shape);
    ApiShape {
        name: "field-service/v2".into(),
        lookups_max: LOOKUPS_DEFAULT,
        unsure: Default::default(),
        operations: vec![
            operation("getJob", &job, "", &["path jobId"]),
            operation("getSite", SITE, "", &["path siteId"]),
            list("listJobs", "[J]"),
            page,
            list("listDeep", "{data:{inner:{items:[J]}},plain}"),
            list("listMap", "{any:J}"),
            list("listGrid", "[[J]]"),
            list("listHits", "{hits:[{job:J,score#}],plain}"),
            operation("sendJob", &job, "", &["path jobId/"]),
            operation("assignSite", SITE, "{note}", &["path jobId/"]),
        ],
        objects: vec![
            kind("Job", "path.jobId", "getJob", 3),
            kind("Site", "path.siteId", "getSite", 4),
        ],
    }
}

fn jobs_input(grants: Vec<Grant>, policy: &str) -> PolicyInput {
    let mut input = input(grants);
    input.apis = vec![jobs()];
    if !policy.is_empty() {
        input.cedar.push(CedarFile {
            file: "policies/extra.cedar".into(),
            text: policy.into(),
        });
    }
    input
}

fn jobs_rules(grants: Vec<Grant>) -> Arc<Rules> {
    Arc::new(compile(jobs_input(grants, "")).unwrap())
}

/// The text and whether it is the one form in which nothing is seen; of a refusal the code.
fn left(rules: &Arc<Rules>, text: &str, body: &str, upstream: Option<&str>) -> String {
    let call = call(text, body);
    let known = [("1", r#"{"id":"1","partner":"north"}"#)];
    let released = call
        .before(rules, &known)
        .and_then(|permit| permit.release(&call.facts(), upstream.map(json).as_ref()));
    match released {
        Ok(released) => {
            let sign = if released.is_blank { " (blank)" } else { "" };
            format!("{}{sign}", String::from_utf8(released.body).unwrap())
        }
        Err(refusal) => said(&refusal),
    }
}

const FOREIGN: &str = r#"{"id":"2","title":"t","partner":"south"}"#;
const MINE: &str = r#"{"id":"1","title":"t","partner":"north"}"#;

// LONG: one line for each answer, in one place to be read as a list.
#[test]
fn a_list_of_which_nothing_may_be_seen_reads_like_none_at_all() {
    let fields = "id $.next $.plain $.*.*.score $.hits.*.score";
    let lists = [
        (
            "listJobs",
            "[]",
            vec!["[F]", "[F,F]", "[null]", "null", "7", "{}"],
        ),
        (
            "listPage",
            r#"{"items":[]}"#,
            vec![
                r#"{"items":[F],"next":null,"plain":"p"}"#,
                r#"{"plain":"p","items":[F],"next":""}"#,
                r#"{"items":null}"#,
                r#"{"items":{}}"#,
                "{}",
                "null",
                "[]",
            ],
        ),
        (
            "listDeep",
            r#"{"data":{"inner":{"items":[]}}}"#,
            vec![
                r#"{"data":{"inner":{"items":[F]}},"plain":"p"}"#,
                r#"{"plain":"p","data":{"inner":{}}}"#,
                r#"{"data":{"inner":null}}"#,
                r#"{"data":null}"#,
                "{}",
                "null",
            ],
        ),
        (
            "listMap",
            "{}",
            vec![r#"{"a":F}"#, r#"{"a":null,"b":F}"#, "{}", "null", "[]"],
        ),
        (
            "listGrid",
            "[]",
            vec!["[[F],[F]]", "[[],[null]]", "[null]", "[]", "null"],
        ),
        (
            "listHits",
            r#"{"hits":[]}"#,
            vec![
                r#"{"hits":[{"job":F,"score":7}],"plain":"p"}"#,
                r#"{"hits":[{"job":null,"score":7},{"score":8}]}"#,
                r#"{"hits":[]}"#,
                "{}",
            ],
        ),
    ];
    for (id, form, responses) in lists {
        let listed: Vec<&str> = fields
            .split(' ')
            .filter(|field| match *field {
                "id" => true,
                "$.next" => id == "listPage",
                "$.plain" => matches!(id, "listPage" | "listDeep" | "listHits"),
                "$.hits.*.score" => id == "listHits",
                _ => false,
            })
            .collect();
        let rules = jobs_rules(vec![grant(1, id, OWN, &listed.join(" "), "")]);
        let form = format!("{form} (blank)");
        assert_eq!(left(&rules, id, "", None), form, "{id} without a body");
        for response in responses {
            let upstream = response.replace('F', FOREIGN);
            assert_eq!(
                left(&rules, id, "", Some(&upstream)),
                form,
                "{id} {upstream}"
            );
        }
    }
}

#[test]
fn what_may_be_seen_stands_where_it_stood_and_nothing_tells_of_the_rest() {
    let seen = |id: &str, fields: &str, upstream: &str| {
        let rules = jobs_rules(vec![grant(1, id, OWN, fields, "")]);
        let upstream = upstream.replace('F', FOREIGN).replace('M', MINE);
        left(&rules, id, "", Some(&upstream))
    };
    assert_eq!(seen("listJobs", "id", "[F,M,null]"), r#"[{"id":"1"}]"#);
    assert_eq!(
        seen("listMap", "id", r#"{"a":F,"b":M,"c":null}"#),
        r#"{"b":{"id":"1"}}"#
    );
    assert_eq!(
        seen("listGrid", "id", "[[F],[F,M],[]]"),
        r#"[[{"id":"1"}]]"#
    );
    assert_eq!(
        seen(
            "listHits",
            "id $.hits.*.score",
            r#"{"hits":[{"job":F,"score":1},{"job":M,"score":2},{"job":null,"score":3}]}"#
        ),
        r#"{"hits":[{"job":{"id":"1"},"score":2}]}"#
    );
    assert_eq!(
        seen("listPage", "id $.plain", r#"{"items":[M],"plain":"p"}"#),
        r#"{"items":[{"id":"1"}],"plain":"p"}"#
    );
    // The caller goes on by a cursor, whatever is on the page.
    assert_eq!(
        seen(
            "listPage",
            "id $.next $.plain",
            r#"{"items":[F],"next":"c","plain":"p"}"#
        ),
        r#"{"next":"c","items":[]} (blank)"#
    );
    // Whoever sees every object is told what the upstream says.
    let rules = jobs_rules(vec![grant(1, "listJobs", "", "id", "")]);
    for (upstream, expected) in [("null", "null"), ("[null]", "[null]"), ("[]", "[]")] {
        assert_eq!(left(&rules, "listJobs", "", Some(upstream)), expected);
    }
    assert_eq!(left(&rules, "listJobs", "", None), "");
}

#[test]
fn lists_inside_an_object_read_alike_with_hidden_things_and_with_none() {
    let rules = jobs_rules(vec![
        grant(1, "getJob", "", "id stops route grid named", ""),
        grant(4, "getSite", OWN, "id", ""),
    ]);
    let at = |rest: &str| {
        let upstream = format!(r#"{{"id":"1"{rest}}}"#).replace('F', FOREIGN);
        left(&rules, "getJob jobId=1", "", Some(&upstream))
    };
    let none = r#"{"id":"1","grid":[],"named":{},"route":{"stops":[]},"stops":[]}"#;
    for rest in [
        "",
        r#","stops":[F],"route":{"stops":[F]},"grid":[[F],[]],"named":{"a":F}"#,
        r#","named":{"a":null},"grid":[null],"route":null,"stops":[null]"#,
        r#","stops":null,"route":{},"grid":null,"named":null"#,
        r#","stops":7,"route":{"stops":{}},"grid":[[null],null]"#,
    ] {
        assert_eq!(at(rest), none, "{rest}");
    }
    let seen = at(
        r#","stops":[F,{"id":"s","partner":"north"}],"grid":[[F],[{"id":"s","partner":"north"}]]"#,
    );
    assert_eq!(
        seen,
        r#"{"id":"1","stops":[{"id":"s"}],"grid":[[{"id":"s"}]],"named":{},"route":{"stops":[]}}"#
    );
    // Where no site is hidden, nothing is added and nothing taken.
    let open = jobs_rules(vec![
        grant(1, "getJob", "", "id stops route", ""),
        grant(4, "getSite", "", "id", ""),
    ]);
    let upstream = r#"{"id":"1","stops":null}"#;
    assert_eq!(left(&open, "getJob jobId=1", "", Some(upstream)), upstream);
}

#[test]
fn what_is_declared_to_count_nested_objects_stays_where_some_may_be_hidden() {
    let mut input = jobs_input(
        vec![
            grant(1, "getJob", "", "id stops stopCount route", ""),
            grant(4, "getSite", OWN, "id", ""),
        ],
        "",
    );
    let told = |input: PolicyInput| {
        let rules = Arc::new(compile(input).unwrap());
        let notes: Vec<String> = rules
            .parameter_notes
            .iter()
            .map(|note| note.message.clone())
            .collect();
        let upstream = r#"{"id":"1","stopCount":3,"route":{"first":"s","stops":[]}}"#;
        (left(&rules, "getJob jobId=1", "", Some(upstream)), notes)
    };
    // By its name it is only guessed at.
    let (seen, notes) = told(input.clone());
    assert!(seen.contains(r#""stopCount":3"#), "{seen}");
    assert_eq!(
        notes,
        ["`stopCount` of `getJob` may tell of a `Site` that is left out of `stops` beside it"]
    );
    let declare = |input: &mut PolicyInput, page: model::PageField| {
        for operation in &mut input.apis[0].operations {
            let mut shape = (*operation.response).clone();
            let counts: Vec<NodeId> = shape
                .nodes
                .iter()
                .filter_map(|node| Some(node.fields.get("stopCount")?.node))
                .collect();
            for node in counts {
                shape.nodes[node].page = Some(page);
            }
            operation.response = Arc::new(shape);
        }
    };
    declare(&mut input, model::PageField::Count);
    let (seen, notes) = told(input.clone());
    assert!(!seen.contains("stopCount"), "{seen}");
    assert!(seen.contains(r#""first":"s""#), "{seen}");
    assert_eq!(
        notes,
        ["`stopCount` of `getJob` is withheld: a `Site` may be left out beside it"]
    );
    // So it is where the list itself is not granted.
    let narrow = vec![
        grant(1, "getJob", "", "id stopCount", ""),
        grant(4, "getSite", OWN, "id", ""),
    ];
    let mut narrow = jobs_input(narrow, "");
    declare(&mut narrow, model::PageField::Count);
    assert_eq!(told(narrow).0, r#"{"id":"1"}"#);
    declare(&mut input, model::PageField::Plain);
    let (seen, notes) = told(input);
    assert!(
        seen.contains(r#""stopCount":3"#) && notes.is_empty(),
        "{seen} {notes:?}"
    );
}

#[test]
fn a_write_that_answers_with_another_object_tells_hidden_from_none_by_nothing() {
    let rules = jobs_rules(vec![grant(1, "sendJob getJob", OWN, "id", "")]);
    let at = |upstream: Option<&str>| left(&rules, "sendJob jobId=1", "", upstream);
    let hidden = at(Some(FOREIGN));
    assert_eq!(hidden, "object.denied as object.absent 404");
    for none in [Some("null"), Some("[]"), Some("7"), None] {
        assert_eq!(at(none), hidden, "{none:?}");
    }
    assert_eq!(at(Some(MINE)), r#"{"id":"1"}"#);
    let open = jobs_rules(vec![grant(1, "sendJob getJob", "", "id", "")]);
    assert_eq!(left(&open, "sendJob jobId=1", "", Some("null")), "null");
}

#[test]
fn a_write_that_answers_with_another_kind_is_granted_by_the_object_that_its_path_names() {
    // `partner` is an attribute of both: the request shows only the job.
    let write = grant(1, "assignSite", OWN, "id name", "note");
    let reads = |when: &str| grant(4, "getSite", when, "id", "");
    let at = |rules: &Arc<Rules>, job: &str, site: &str| {
        left(
            rules,
            &format!("assignSite jobId={job}"),
            r#"{"note":"n"}"#,
            Some(site),
        )
    };
    let (own, foreign) = (
        r#"{"id":"s","name":"n","partner":"north"}"#,
        r#"{"id":"s","name":"n","partner":"south"}"#,
    );
    let alone = jobs_rules(vec![write.clone()]);
    assert_eq!(at(&alone, "1", foreign), r#"{"id":"s","name":"n"}"#);
    assert_eq!(at(&alone, "9", foreign), "object.absent 404");
    // What is seen of the site is what the grants for sites show.
    let both = jobs_rules(vec![write.clone(), reads(OWN)]);
    assert_eq!(at(&both, "1", own), r#"{"id":"s"}"#);
    let hidden = at(&both, "1", foreign);
    assert_eq!(hidden, "object.denied as object.absent 404");
    assert_eq!(at(&both, "1", "null"), hidden);
    assert_eq!(
        at(&jobs_rules(vec![write, reads("")]), "1", foreign),
        r#"{"id":"s"}"#
    );
}

#[test]
fn a_policy_about_the_kind_of_an_answer_is_named_where_it_cannot_be_asked() {
    let policy = "@id(\"locked\")\nforbid(principal, action, resource is field_service::v2::Site) when { resource.partner == \"x\" };";
    let found = mistakes(jobs_input(
        vec![grant(1, "assignSite", OWN, "id", "note")],
        policy,
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("the policy policies/extra.cedar:1 judges by its `partner`"),
        "{found:?}"
    );
    assert!(
        found[0].contains("unless { action == field_service::v2::Action::\"assignSite\" }"),
        "{found:?}"
    );
    assert!(!found[0].contains("condition away"), "{found:?}");
}
