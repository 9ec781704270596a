//! Over the wire: whatever an upstream says where it has nothing, the caller hears what it hears where everything is hidden.
//! Start reading at `no_way_of_saying_none_differs_from_hidden`.

use std::sync::{Arc, Mutex};

use demo::{Call, CallResponse};
use testkit::{Gate, Play, RecordingUpstream, answer, json_response};

use super::{API, CONTRACT, NORTH};
use crate::{call, serve};

/// Lists of other jobs, the job above a job, and writes that answer with another job or with a crew.
const PATHS: &str = "  /jobs/{jobId}/others:
    parameters: [{ $ref: \"#/components/parameters/JobId\" }]
    get:
      operationId: listOthers
      responses:
        \"200\": { description: ok, content: { application/json: { schema: { type: object, required: [items], properties: { items: { type: array, items: { $ref: \"#/components/schemas/Job\" } }, next: { type: string, nullable: true } } } } } }
        \"204\": { description: none }
        \"404\": { description: none }
  /jobs/{jobId}/above:
    parameters: [{ $ref: \"#/components/parameters/JobId\" }]
    get:
      operationId: getJobAbove
      responses:
        \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Job\" } } } }
        \"403\": { description: none }
        \"422\": { description: none }
  /jobs/{jobId}/hand:
    parameters: [{ $ref: \"#/components/parameters/JobId\" }]
    post:
      operationId: handJob
      responses:
        \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Job\" } } } }
        \"204\": { description: none }
  /jobs/{jobId}/crew:
    parameters: [{ $ref: \"#/components/parameters/JobId\" }]
    post:
      operationId: assignCrew
      responses:
        \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Crew\" } } } }
    get:
      operationId: getJobCrew
      responses:
        \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Crew\" } } } }
  /crews/{crewId}:
    get:
      operationId: getCrew
      parameters: [{ name: crewId, in: path, required: true, schema: { type: string, pattern: \"^[a-z0-9]{1,20}$\" } }]
      responses:
        \"200\": { description: ok, content: { application/json: { schema: { $ref: \"#/components/schemas/Crew\" } } } }
components:
";

const GRANTS: &str = "  - api: jobs/v1
    operations: [getJob, listOthers, getJobAbove, handJob, getCrew, getJobCrew]
    when: resource.partner == principal.partner
    deny_as: not_found
    fields: [id]
  - api: jobs/v1
    operations: [assignCrew]
    when: resource.partner == principal.partner
    deny_as: not_found
    fields: [id, name]
";

fn alike(upstream: &RecordingUpstream, checks: &str) -> Gate {
    let address = upstream.address();
    let gate = Gate::small(address);
    let crew = "  schemas:\n    Crew: { type: object, properties: { id: { type: string }, name: { type: string }, partner: { type: string } } }\n";
    let contract = CONTRACT
        .replace("components:\n", PATHS)
        .replace("  schemas:\n", crew);
    gate.write("apis/jobs.v1.openapi.yaml", contract);
    let api = API.replace("@UPSTREAM@", &address.to_string()).replace(
        "linkJob]",
        "linkJob, listOthers, getJobAbove, handJob, assignCrew, getCrew, getJobCrew]",
    );
    let crew = "      Crew: { id: path.crewId, resolve: getCrew, attributes: { partner: body.partner } }\n";
    gate.write(
        "apis/jobs.yaml",
        format!("{api}{crew}    checks: {checks}\n"),
    );
    gate.write("integrations/north.yaml", format!("{NORTH}{GRANTS}"));
    gate
}

/// Everything of an answer but what is never the same: the decision and the date.
fn heard(response: &CallResponse) -> String {
    let decision = response.header("portcullis-decision").unwrap_or_default();
    let fields: Vec<String> = response
        .headers
        .iter()
        .filter(|(name, _)| name != "date")
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    format!(
        "{} {} {}",
        response.status,
        fields.join("; "),
        response.text()
    )
    .replace(decision, "dec")
}

fn with_tag(status: u16, body: &str) -> Vec<u8> {
    let fields = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("etag".to_owned(), "\"v1\"".to_owned()),
        ("content-language".to_owned(), "de".to_owned()),
    ];
    answer(status, &fields, body.as_bytes())
}

#[test]
fn no_way_of_saying_none_differs_from_hidden() {
    none_reads_like_hidden("{ response: observe }");
}

#[test]
fn no_way_of_saying_none_differs_from_hidden_where_the_contract_is_enforced() {
    none_reads_like_hidden("{ response: enforce }");
}

// LONG: one line for each way of saying none, in one place to be read as a list.
fn none_reads_like_hidden(checks: &str) {
    let script: Arc<Mutex<Vec<u8>>> = Arc::default();
    let play = Arc::clone(&script);
    let upstream = RecordingUpstream::start(move |asked| {
        let is_look_up = asked.method == "GET" && asked.target.ends_with("/jobs/own1");
        let own = r#"{"id":"own1","title":"t","partner":"north","locked":false}"#;
        Play::Response(if is_look_up {
            json_response(200, own)
        } else {
            play.lock().unwrap().clone()
        })
    });
    let server = serve(alike(&upstream, checks));
    let key = server.quick_key("north", &[]);
    let at = |asked: &Call, said: Vec<u8>| {
        *script.lock().unwrap() = said;
        heard(&server.send(asked, Some(&key)))
    };
    let (own, foreign) = (
        r#"{"id":"o2","name":"n","partner":"north"}"#,
        r#"{"id":"f2","name":"n","partner":"south"}"#,
    );
    let error = r#"{"code":"none"}"#;
    let no_body = || answer(204, &[], b"");
    let list = call("GET", "/field/jobs/own1/others");
    let hidden = at(
        &list,
        with_tag(200, &format!(r#"{{"items":[{foreign}],"next":null}}"#)),
    );
    assert!(
        hidden.starts_with("200") && hidden.ends_with(r#" {"items":[]}"#),
        "{hidden}"
    );
    let statuses = [403, 404, 409, 410, 423, 451].map(|status| json_response(status, error));
    let mut none = vec![no_body(), json_response(410, "")];
    none.extend(statuses);
    for body in [
        r#"{"items":[]}"#,
        r#"{"items":null,"next":""}"#,
        "{}",
        "null",
        "[]",
        // What is hidden breaks the contract.
        r#"{"items":[{"id":7,"partner":"south"}]}"#,
    ] {
        none.push(with_tag(200, body));
    }
    for said in none {
        let text = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(at(&list, said), hidden, "{text}");
    }
    let mixed = format!(r#"{{"items":[{own},{{"id":7,"partner":"south"}}]}}"#);
    let alone = format!(r#"{{"items":[{own}]}}"#);
    assert_eq!(
        at(&list, with_tag(200, &mixed)),
        at(&list, with_tag(200, &alone))
    );
    for path in ["above", "crew"] {
        let one = call("GET", &format!("/field/jobs/own1/{path}"));
        let hidden = at(&one, with_tag(200, foreign));
        assert!(
            hidden.starts_with("404") && hidden.contains("object.absent"),
            "{hidden}"
        );
        let statuses = [400, 403, 404, 409, 410, 422, 423];
        let odd = [
            no_body(),
            with_tag(200, "null"),
            with_tag(200, r#"{"id":7,"partner":"south"}"#),
        ];
        for said in statuses
            .map(|status| json_response(status, error))
            .into_iter()
            .chain(odd)
        {
            let text = String::from_utf8_lossy(&said).into_owned();
            assert_eq!(at(&one, said), hidden, "{path} {text}");
        }
        assert!(at(&one, with_tag(200, own)).starts_with("200"), "{path}");
    }
    for path in ["hand", "crew"] {
        let write = call("POST", &format!("/field/jobs/own1/{path}"));
        let hidden = at(&write, with_tag(200, foreign));
        assert!(
            hidden.starts_with("200") && !hidden.contains("f2"),
            "{hidden}"
        );
        for said in [no_body(), with_tag(200, "null"), with_tag(200, "")] {
            let text = String::from_utf8_lossy(&said).into_owned();
            assert_eq!(at(&write, said), hidden, "{path} {text}");
        }
        assert!(
            at(&write, with_tag(200, own)).contains(r#"{"id":"o2"}"#),
            "{path}"
        );
        // What is wrong with the write itself keeps its meaning: its job was seen before.
        assert!(
            at(&write, json_response(422, error)).starts_with("422"),
            "{path}"
        );
    }
}

#[test]
fn can_leaves_open_what_another_object_decides() {
    let upstream = RecordingUpstream::start(super::careless);
    let gate = alike(&upstream, "{ response: observe }");
    let run = |arguments: &[&str]| testkit::run(crate::program(), &gate, arguments);
    let own = r#"{"id":"own1","partner":"north"}"#;
    let above = r#"{"id":"a1","partner":"south"}"#;
    let of_own = ["--path", "jobId=own1"];
    for (operation, object, more, code, word) in [
        ("getJob", own, &[][..], 0, "yes"),
        ("getJobAbove", own, &[], 0, "yes"),
        (
            "getJobAbove",
            r#"{"id":"x","partner":"south"}"#,
            &[],
            2,
            "no",
        ),
        ("getJobCrew", own, &[], 2, "undecided"),
        ("getJobCrew", own, &["--field", "id"], 2, "undecided"),
        ("getJobCrew", own, &["--field", "name"], 2, "no"),
        ("listOthers", own, &[], 0, "yes"),
        ("listOthers", own, &["--field", "id"], 2, "undecided"),
        ("handJob", own, &[], 0, "yes"),
        ("handJob", own, &["--field", "id"], 2, "undecided"),
        // The job is not given, only what is answered.
        ("assignCrew", above, &of_own, 2, "undecided"),
    ] {
        let mut arguments = vec!["can", "north", operation, "--object", object];
        arguments.extend(more);
        let ended = run(&arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?} {ended:?}");
        assert!(
            ended.stdout.starts_with(word),
            "{arguments:?} {}",
            ended.stdout
        );
    }
}

/// The same where the object is looked up first. What shows another object than the one that was asked for says nothing of
/// it, and nothing is sent: a connection that is one answer late would let a caller change what is hidden.
#[test]
fn no_answer_of_a_look_up_differs_from_hidden_but_the_object_itself() {
    let script: Arc<Mutex<Vec<u8>>> = Arc::default();
    let play = Arc::clone(&script);
    let upstream = RecordingUpstream::start(move |asked| {
        let is_look_up = asked.method == "GET" && asked.target.ends_with("/jobs/j7");
        Play::Response(if is_look_up {
            play.lock().unwrap().clone()
        } else {
            json_response(200, r#"{"id":"j7","title":"t","partner":"north"}"#)
        })
    });
    let server = serve(alike(&upstream, "{ response: observe }"));
    let key = server.quick_key("north", &[]);
    let at = |asked: &Call, said: Vec<u8>| {
        *script.lock().unwrap() = said;
        heard(&server.send(asked, Some(&key)))
    };
    let job = |id: &str, partner: &str| {
        let text = format!(r#"{{"id":"{id}","title":"t","partner":"{partner}","locked":false}}"#);
        json_response(200, &text)
    };
    for (method, path) in [("GET", "others"), ("POST", "hand")] {
        let asked = call(method, &format!("/field/jobs/j7/{path}"));
        let before = upstream.requests().len();
        let hidden = at(&asked, job("j7", "south"));
        assert!(hidden.starts_with("404"), "{method} {hidden}");
        for none in [
            json_response(404, "{}"),
            answer(204, &[], b""),
            answer(205, &[], b""),
            answer(200, &[], b""),
            answer(200, &[], b"<html>no such job</html>"),
            json_response(200, "null"),
            json_response(200, r#"{"id":"j7","#),
            json_response(206, r#"{"id":"j7","title":"t","partner":"north"}"#),
            job("own1", "north"),
        ] {
            let text = String::from_utf8_lossy(&none).into_owned();
            assert_eq!(at(&asked, none), hidden, "{method} {text}");
        }
        let calls = upstream.requests().split_off(before);
        assert!(calls.iter().all(|call| call.target.ends_with("/jobs/j7")));
        let shown = at(&asked, job("j7", "north"));
        assert!(shown.starts_with("200"), "{method} {shown}");
    }
}
