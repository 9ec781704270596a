//! Objects inside others: what the grants for their kind show of them, and nothing more.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

const JOB: &str = "Job{id,margin,status,partner,note,parent:Job,site:Site{id,name,code,partner,home:Job},others:[Job],named:{any:Site}}";

/// Jobs hold their parent, a site, a list of others and sites by name; a site holds a job.
fn works() -> ApiShape {
    let kind = |schema: &str, id: &str, resolve: &str, line: u32| ObjectKind {
        rule: RuleRef {
            file: "apis/works.yaml".into(),
            line,
        },
        schema: schema.into(),
        is_person: false,
        id: Source::parse(id).unwrap(),
        resolve: Some(resolve.into()),
        attributes: vec![
            ("partner".into(), Source::parse("body.partner").unwrap()),
            ("status".into(), Source::parse("body.status").unwrap()),
        ],
    };
    let site = "Site{id,name,code,partner,status,home:Job{id,margin,status,partner,note,parent:Job,site:Site,others:[Job],named:{any:Site}}}";
    let list = format!("{{items:[{JOB}],total#}}");
    let mut search = operation("listJobs", &list, "", &["query code"]);
    search.parameters[0].reveals = Some(model::Reveals::Fields(
        FieldPath::parse("site.code").unwrap(),
    ));
    ApiShape {
        name: "field-service/v2".into(),
        lookups_max: LOOKUPS_DEFAULT,
        unsure: Default::default(),
        operations: vec![
            operation("getJob", JOB, "", &["path jobId"]),
            search,
            operation("patchJob", JOB, "{note}", &["path jobId"]),
            operation("getSite", site, "", &["path siteId"]),
            operation("patchSite", site, "{name}", &["path siteId"]),
            // The same kind with other fields.
            operation("listBrief", "[BriefXSite{id,name,secretName!}]", "", &[]),
            operation("getNotes", "[{text}]", "", &["path siteId/"]),
        ],
        objects: vec![
            kind("Job", "path.jobId", "getJob", 3),
            ObjectKind {
                attributes: vec![
                    ("partner".into(), Source::parse("body.partner").unwrap()),
                    ("code".into(), Source::parse("body.code").unwrap()),
                ],
                ..kind("Site", "path.siteId", "getSite", 4)
            },
        ],
    }
}

fn works_input(grants: Vec<Grant>) -> PolicyInput {
    PolicyInput {
        apis: vec![works()],
        integrations: vec![integration("north", grants)],
        cedar: Vec::new(),
        names: Names::default(),
        is_partial: false,
    }
}

fn works_rules(grants: Vec<Grant>) -> Arc<Rules> {
    Arc::new(compile(works_input(grants)).unwrap())
}

const OWN: &str = "resource.partner == principal.partner";

fn masked(mut grant: Grant, path: &str, mask: Mask) -> Grant {
    let value = (FieldPath::parse(path).unwrap().remove(0), mask);
    grant.masks.push(listed(value, 1));
    grant
}

#[test]
fn a_nested_object_shows_no_field_that_the_grants_for_its_kind_do_not_show() {
    let outer = || grant(1, "getJob", OWN, "id margin parent.{id,margin} site", "");
    let upstream = r#"{"id":"1","margin":7,"partner":"north",
        "parent":{"id":"0","margin":9,"partner":"south"},
        "site":{"id":"s","name":"n","code":"c","partner":"south","home":{"id":"h","margin":5,"partner":"south"}}}"#;
    let shown = |grants| answer(&works_rules(grants), "getJob jobId=1", upstream);
    let brief = grant(4, "listJobs", "resource.partner == \"south\"", "id", "");
    // Of another's job the list shows the id, so its parent does not show the margin either.
    assert_eq!(
        shown(vec![outer(), brief.clone()]),
        r#"{"id":"1","margin":7,"parent":{"id":"0"},"site":{"id":"s","name":"n","code":"c","partner":"south","home":{"id":"h"}}}"#
    );
    // A grant for sites: each object around a value has to let it out.
    let site = grant(7, "getSite", "", "id home.{id,margin}", "");
    assert_eq!(
        shown(vec![outer(), brief.clone(), site]),
        r#"{"id":"1","margin":7,"parent":{"id":"0"},"site":{"id":"s","home":{"id":"h"}}}"#
    );
    // What encloses an object is no way around its own grants, and they are no way around what encloses it.
    let wide = grant(7, "getSite", "", "id name code", "");
    let narrow = grant(1, "getJob", OWN, "id site.name", "");
    assert_eq!(
        shown(vec![narrow, wide]),
        r#"{"id":"1","site":{"name":"n"}}"#
    );
}

#[test]
fn the_grants_that_hold_for_a_nested_object_show_their_fields_together() {
    let rules = works_rules(vec![
        grant(1, "getJob", "", "id site", ""),
        grant(4, "getSite", OWN, "id", ""),
        grant(7, "getSite", "resource.code == \"c\"", "name", ""),
        grant(9, "listBrief", OWN, "id", ""),
    ]);
    let at = |partner: &str, code: &str| {
        let upstream = format!(
            r#"{{"id":"1","site":{{"id":"s","name":"n","code":"{code}","partner":"{partner}"}}}}"#
        );
        answer(&rules, "getJob jobId=1", &upstream)
    };
    assert_eq!(
        at("north", "c"),
        r#"{"id":"1","site":{"id":"s","name":"n"}}"#
    );
    assert_eq!(at("north", "d"), r#"{"id":"1","site":{"id":"s"}}"#);
    assert_eq!(at("south", "c"), r#"{"id":"1","site":{"name":"n"}}"#);
    assert_eq!(at("south", "d"), r#"{"id":"1"}"#);
}

#[test]
fn of_two_masks_of_a_nested_field_the_stricter_one_is_used() {
    let site = |mask: Option<Mask>| {
        let grant = grant(4, "getSite", "", "id name", "");
        match mask {
            Some(mask) => masked(grant, "name", mask),
            None => grant,
        }
    };
    let outer = |mask: Option<Mask>| {
        let grant = grant(1, "getJob", "", "id site.name", "");
        match mask {
            Some(mask) => masked(grant, "site.name", mask),
            None => grant,
        }
    };
    let (last, none) = (Some(Mask::Last4), Some(Mask::Redact));
    for (outer_mask, own_mask, shown) in [
        (None, None, "abcdefgh1234"),
        (last, None, "***1234"),
        (None, last, "***1234"),
        (last, none, "***"),
        (none, last, "***"),
    ] {
        let rules = works_rules(vec![outer(outer_mask), site(own_mask)]);
        let left = answer(
            &rules,
            "getJob jobId=1",
            r#"{"id":"1","site":{"id":"s","name":"abcdefgh1234"}}"#,
        );
        assert_eq!(left, format!(r#"{{"id":"1","site":{{"name":"{shown}"}}}}"#));
    }
}

#[test]
fn a_nested_object_that_is_left_out_reads_like_none() {
    let outer = |when| {
        grant(
            1,
            "getJob",
            when,
            "id site.name others.*.id named.*.name",
            "",
        )
    };
    let judged = works_rules(vec![
        outer(OWN),
        grant(4, "getSite", OWN, "name", ""),
        grant(7, "listJobs", OWN, "id", ""),
    ]);
    let at = |rules: &Arc<Rules>, site: &str, other: &str| {
        let upstream = format!(
            r#"{{"id":"1","site":{site},"others":[{other}],"named":{{"a":{site}}},"partner":"north"}}"#
        );
        answer(rules, "getJob jobId=1", &upstream)
    };
    let foreign = r#"{"name":"n","id":"0","partner":"south"}"#;
    let hidden = at(&judged, foreign, r#"{"id":"2","partner":"south"}"#);
    assert_eq!(hidden, r#"{"id":"1","named":{},"others":[]}"#);
    assert_eq!(at(&judged, "null", "null"), hidden);
    // Where nothing is ever hidden, nothing has to read like it.
    let open = works_rules(vec![outer(""), grant(4, "getSite", "", "name", "")]);
    assert_eq!(
        at(&open, "null", r#"{"id":"2"}"#),
        r#"{"id":"1","site":null,"others":[{"id":"2"}],"named":{"a":null}}"#
    );
}

#[test]
fn only_reading_grants_that_list_fields_of_the_kind_say_which_fields_are_shown() {
    let outer = || grant(1, "getJob", "", "id site.{id,name}", "");
    let shown = |more: Grant, partner: &str| {
        let upstream =
            format!(r#"{{"id":"1","site":{{"id":"s","name":"n","partner":"{partner}"}}}}"#);
        answer(
            &works_rules(vec![outer(), more]),
            "getJob jobId=1",
            &upstream,
        )
    };
    let whole = r#"{"id":"1","site":{"id":"s","name":"n"}}"#;
    // These are about sites and show none: their conditions judge, and what encloses the site says what is seen of it.
    for more in [
        grant(4, "patchSite", OWN, "id", "name"),
        grant(4, "getNotes", OWN, "text", ""),
        grant(4, "getSite", OWN, "", ""),
    ] {
        assert_eq!(shown(more.clone(), "north"), whole);
        assert_eq!(shown(more, "south"), r#"{"id":"1"}"#);
    }
    // Beside one that shows sites they say nothing.
    let rules = works_rules(vec![
        outer(),
        grant(4, "patchSite", "", "", "name"),
        grant(5, "getNotes", "", "text", ""),
        grant(7, "getSite", OWN, "id", ""),
    ]);
    let upstream = r#"{"id":"1","site":{"id":"s","name":"n","partner":"PARTNER"}}"#;
    let at = |partner: &str| {
        answer(
            &rules,
            "getJob jobId=1",
            &upstream.replace("PARTNER", partner),
        )
    };
    assert_eq!(at("north"), r#"{"id":"1","site":{"id":"s"}}"#);
    assert_eq!(at("south"), r#"{"id":"1"}"#);
}

#[test]
fn fields_are_compared_by_name_where_the_kind_is_answered_in_another_shape() {
    let upstream = r#"{"id":"1","site":{"id":"s","name":"n","code":"c"}}"#;
    let shown = |fields: &str| {
        let rules = works_rules(vec![
            grant(1, "getJob", "", "id site", ""),
            grant(4, "listBrief", "", fields, ""),
        ]);
        answer(&rules, "getJob jobId=1", upstream)
    };
    assert_eq!(shown("name"), r#"{"id":"1","site":{"name":"n"}}"#);
    assert_eq!(
        shown("id name"),
        r#"{"id":"1","site":{"id":"s","name":"n"}}"#
    );
}

#[test]
fn a_policy_that_forbids_hides_nested_objects_and_their_fields() {
    let mut input = works_input(vec![
        grant(1, "getJob", "", "id site", ""),
        grant(4, "getSite", "", "id name", ""),
        grant(7, "listBrief", "", "id", ""),
    ]);
    input.cedar.push(CedarFile {
        file: "policies/extra.cedar".into(),
        text: r#"forbid (principal, action == field_service::v2::Action::"getSite", resource) when { resource.partner == "south" };"#.into(),
    });
    let rules = Arc::new(compile(input).unwrap());
    let at = |partner: &str| {
        let upstream =
            format!(r#"{{"id":"1","site":{{"id":"s","name":"n","partner":"{partner}"}}}}"#);
        answer(&rules, "getJob jobId=1", &upstream)
    };
    assert_eq!(at("north"), r#"{"id":"1","site":{"id":"s","name":"n"}}"#);
    assert_eq!(at("south"), r#"{"id":"1","site":{"id":"s"}}"#);
}

#[test]
fn the_matrix_shows_of_nested_objects_what_can_leave() {
    let rules = works_rules(vec![
        grant(1, "getJob", "", "id parent.{id,margin} site", ""),
        masked(grant(4, "getSite", OWN, "id name", ""), "name", Mask::Last4),
    ]);
    let matrix = access(&rules, "north").unwrap();
    let rows: Vec<String> = matrix
        .rows
        .iter()
        .filter(|row| &*row.operation == "getJob" && row.how != How::Call)
        .map(|row| {
            format!(
                "{} {:?} {}",
                row.field,
                row.how,
                row.judged_as.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "id Full -",
            "parent.id Full Job",
            "site.id Full Site",
            "site.name Masked(Last4) Site"
        ]
    );
}

#[test]
fn a_listed_field_that_no_grant_for_its_kind_shows_is_noted_at_its_line() {
    let rules = works_rules(vec![
        grant(1, "getJob", "", "id parent.{id,margin} site.home.note", ""),
        grant(4, "getSite", OWN, "id home.id", ""),
        grant(7, "getSite", "resource.code == \"x\"", "home", ""),
    ]);
    let notes: Vec<String> = rules
        .parameter_notes()
        .iter()
        .filter(|note| note.message.contains("never leaves"))
        .map(|note| format!("{} {}", note.rule, note.message))
        .collect();
    assert_eq!(
        notes,
        [
            "integrations/test.yaml:1 `parent.margin` never leaves `getJob`: the grants of the integration for `Job` do not show it",
            "integrations/test.yaml:1 `site.home.note` never leaves `getJob`: the grants of the integration for `Job` do not show it",
        ]
    );
}

#[test]
fn a_filter_asks_about_a_nested_field_only_where_every_one_shows_it() {
    let usable = |site: &str| {
        let rules = works_rules(vec![
            grant(1, "listJobs", "", "id site", ""),
            grant(4, "getSite", "", site, ""),
        ]);
        let reference = rules.operation("field-service/v2", "listJobs").unwrap();
        let parameters = rules.parameters("north", reference);
        parameters[0].using
    };
    assert_eq!(usable("id code"), ParameterUse::Usable);
    assert_eq!(usable("id name"), ParameterUse::Refused);
}

#[test]
fn an_object_within_itself_is_judged_as_deep_as_it_goes() {
    let rules = works_rules(vec![
        grant(1, "getJob", OWN, "id margin parent", ""),
        grant(
            4,
            "listJobs",
            "resource.partner == \"south\"",
            "id parent",
            "",
        ),
    ]);
    let mut upstream = r#"{"id":"40","margin":1,"partner":"north"}"#.to_owned();
    for depth in (0..40).rev() {
        let partner = if depth == 20 { "south" } else { "north" };
        upstream = format!(
            r#"{{"id":"{depth}","margin":1,"note":"n","partner":"{partner}","parent":{upstream}}}"#
        );
    }
    // Below one that shows its parents' ids alone nothing else leaves, whosever they are.
    let rules_narrow = works_rules(vec![
        grant(1, "getJob", OWN, "id margin parent", ""),
        grant(
            4,
            "listJobs",
            "resource.partner == \"south\"",
            "id parent.id",
            "",
        ),
    ]);
    assert_eq!(
        answer(&rules_narrow, "getJob jobId=0", &upstream)
            .matches("margin")
            .count(),
        20
    );
    let wide = answer(&rules, "getJob jobId=0", &upstream);
    assert_eq!(wide.matches("margin").count(), 40);
    assert_eq!(wide.matches("\"id\"").count(), 41);
}

// The oracle of the property below: fields as text, objects as values.

const FIELDS: [&str; 12] = [
    "id",
    "margin",
    "parent",
    "parent.id",
    "parent.site.name",
    "site",
    "site.name",
    "site.home.margin",
    "others",
    "others.*.id",
    "named.*.code",
    "named",
];
const SITE_FIELDS: [&str; 5] = ["id", "name", "code", "home", "home.id"];

#[derive(Clone, Debug)]
struct Given {
    of_site: bool,
    is_own: bool,
    fields: Vec<&'static str>,
}

/// The field lists that have to cover a value, each with the steps from where they count.
type Rings<'g> = Vec<(Vec<&'g Given>, Vec<String>)>;

fn covers(ring: &(Vec<&Given>, Vec<String>), is_leaf: bool) -> bool {
    let (given, steps) = ring;
    given.iter().flat_map(|g| &g.fields).any(|field| {
        let wanted: Vec<&str> = field.split('.').collect();
        let is_above = wanted.len() <= steps.len() && wanted.iter().zip(steps).all(|(a, b)| a == b);
        let is_below = wanted.len() > steps.len() && steps.iter().zip(&wanted).all(|(a, b)| a == b);
        is_above || (is_below && !is_leaf)
    })
}

fn kind_at(step: &str, list: &str) -> Option<bool> {
    match (step, list) {
        ("parent" | "home", _) | ("*", "others") => Some(false),
        ("site", _) | ("*", "named") => Some(true),
        _ => None,
    }
}

/// What is given for a kind: where anything lists fields of it, only that. And whether anything does.
fn for_kind(given: &[Given], of_site: bool) -> (Vec<&Given>, bool) {
    let all: Vec<&Given> = given.iter().filter(|g| g.of_site == of_site).collect();
    let lists = all.iter().any(|g| !g.fields.is_empty());
    let says = |g: &&Given| !lists || !g.fields.is_empty();
    (all.into_iter().filter(says).collect(), lists)
}

fn may_hide(given: &[Given], of_site: bool) -> bool {
    let (own, _) = for_kind(given, of_site);
    !own.is_empty() && own.iter().all(|g| g.is_own)
}

fn expected(
    given: &[Given],
    rings: &Rings<'_>,
    value: &Value,
    step: &str,
    list: &str,
) -> Option<Value> {
    let is_leaf = !(value.is_object() || value.is_array() || value.is_null());
    if !rings.iter().all(|ring| covers(ring, is_leaf)) {
        return None;
    }
    let mut rings = rings.clone();
    if let Some(of_site) = kind_at(step, list) {
        let (own, lists) = for_kind(given, of_site);
        let may_hide = may_hide(given, of_site);
        let holds = |g: &&&Given| !g.is_own || value["partner"] == "north";
        let held: Vec<&Given> = own.iter().filter(holds).copied().collect();
        if !own.is_empty()
            && ((value.is_object() && held.is_empty()) || (value.is_null() && may_hide))
        {
            return None;
        }
        if lists && value.is_object() {
            rings.push((held, Vec::new()));
        }
    }
    let inner = |step: &str| -> Rings<'_> {
        let further = |(given, steps): &(Vec<_>, Vec<String>)| {
            let mut steps = steps.clone();
            steps.push(step.to_owned());
            (given.clone(), steps)
        };
        rings.iter().map(further).collect()
    };
    Some(match value {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| {
                let name_or_each = if step == "named" { "*" } else { name };
                let left = expected(given, &inner(name_or_each), value, name_or_each, step)?;
                Some((name.clone(), left))
            });
            let mut kept = kept.collect::<Map<_, _>>();
            // What could hold hidden objects of a job is there, also where nothing is said of it.
            let is_job = step.is_empty() || kind_at(step, list) == Some(false);
            let many = [("others", false, "[]"), ("named", true, "{}")];
            for (name, of_site, nothing) in many {
                let is_told = members.contains_key(name) || !is_job || !may_hide(given, of_site);
                let nothing = serde_json::from_str(nothing).unwrap();
                let left = (!is_told).then(|| expected(given, &inner(name), &nothing, name, step));
                kept.extend(left.flatten().map(|left| (name.to_owned(), left)));
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let kept = items
                .iter()
                .filter_map(|item| expected(given, &inner("*"), item, "*", step));
            Value::Array(kept.collect())
        }
        leaf => leaf.clone(),
    })
}

fn partner() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["north", "south"])
}

fn job(depth: u32) -> BoxedStrategy<Value> {
    let bare = partner().prop_map(|partner| {
        serde_json::json!({ "id": "j", "margin": 1, "status": "open", "partner": partner, "note": "x" })
    });
    if depth == 0 {
        return bare.boxed();
    }
    let some = |of: BoxedStrategy<Value>| prop_oneof![1 => Just(Value::Null), 3 => of];
    let others = prop::collection::vec(some(job(depth - 1)), 0..3);
    let parts = (
        some(job(depth - 1)),
        some(site(depth - 1)),
        others,
        some(site(depth - 1)),
    );
    (bare, parts)
        .prop_map(|(mut job, (parent, site, others, named))| {
            job["parent"] = parent;
            job["site"] = site;
            job["others"] = Value::Array(others);
            job["named"] = serde_json::json!({ "a": named, "b": null });
            job
        })
        .boxed()
}

fn site(depth: u32) -> BoxedStrategy<Value> {
    let bare = partner().prop_map(
        |partner| serde_json::json!({ "id": "s", "name": "n", "code": "c", "partner": partner }),
    );
    if depth == 0 {
        return bare.boxed();
    }
    (bare, job(depth - 1))
        .prop_map(|(mut site, home)| {
            site["home"] = home;
            site
        })
        .boxed()
}

fn given() -> impl Strategy<Value = Given> {
    let fields =
        |all: &'static [&'static str]| prop::sample::subsequence(all.to_vec(), 0..=all.len());
    (
        any::<bool>(),
        any::<bool>(),
        fields(&FIELDS),
        fields(&SITE_FIELDS),
    )
        .prop_map(|(of_site, is_own, of_job, of_site_fields)| Given {
            of_site,
            is_own,
            fields: if of_site { of_site_fields } else { of_job },
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A value leaves exactly when each object around it, by the grants that hold for it, lets it out.
    #[test]
    fn a_value_leaves_when_every_object_around_it_lets_it_out(
        given in prop::collection::vec(given(), 1..5),
        job in job(3),
    ) {
        let mut given = given;
        given.push(Given { of_site: false, is_own: false, fields: vec!["id"] });
        let grants = (1u32..).zip(&given).map(|(line, g)| {
            let operations = if g.of_site { "getSite" } else { "getJob" };
            grant(line * 10, operations, if g.is_own { OWN } else { "" }, &g.fields.join(" "), "")
        });
        let rules = works_rules(grants.collect());
        let left: Value = serde_json::from_str(&answer(&rules, "getJob jobId=1", &job.to_string())).unwrap();
        let holds = |g: &&Given| !g.of_site && (!g.is_own || job["partner"] == "north");
        let outer: Rings<'_> = vec![(given.iter().filter(holds).collect(), Vec::new())];
        let right = expected(&given, &outer, &job, "", "").unwrap_or_default();
        prop_assert_eq!(left, right);
    }
}
