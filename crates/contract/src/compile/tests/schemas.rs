//! Request schemas: closing, null, read-only fields, number ranges.

use super::*;

/// A contract with one operation whose JSON body has this schema (flow YAML) and these components.
fn body(version: &str, schema: &str, components: &str) -> Contract {
    contract(&text(version, schema, components))
}

fn text(version: &str, schema: &str, components: &str) -> String {
    format!(
        "openapi: {version}\npaths: {{/a: {{post: {{operationId: a, requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}, \
         responses: {{200: {{content: {{application/json: {{schema: {schema}}}}}}}}}}}}}}}\ncomponents: {{schemas: {{{components}}}}}\n"
    )
}

fn accepts(contract: &Contract, value: &str) -> bool {
    let value = model::json::parse(value.as_bytes(), Bounds::default()).unwrap();
    contract.operations[0].body.as_ref().unwrap().contents[0]
        .validator
        .is_valid(&value)
}

fn answers(contract: &Contract, value: &str) -> bool {
    let value = model::json::parse(value.as_bytes(), Bounds::default()).unwrap();
    crate::check_response(
        &contract.operations[0],
        200,
        Some("application/json"),
        Some(&value),
        &[],
    )
    .is_empty()
}

#[track_caller]
fn check(contract: &Contract, yes: &[&str], no: &[&str]) {
    for value in yes {
        assert!(accepts(contract, value), "{value} must pass");
    }
    for value in no {
        assert!(!accepts(contract, value), "{value} must be refused");
    }
}

const PARTS: &str = "A: {type: object, properties: {a: {type: integer}}, required: [a]}, \
    B: {type: object, properties: {b: {type: string}, in: {$ref: '#/components/schemas/A'}}, required: [b]}, \
    Open: {type: object, properties: {o: {}}, additionalProperties: true}";

#[test]
fn undeclared_fields_are_refused_where_the_schema_is_silent() {
    let c = body("3.1.0", "{$ref: '#/components/schemas/B'}", PARTS);
    check(
        &c,
        &[r#"{"b":"x"}"#, r#"{"b":"x","in":{"a":1}}"#],
        &[r#"{"b":"x","role":1}"#, r#"{"b":"x","in":{"a":1,"z":1}}"#],
    );
    assert!(answers(&c, r#"{"b":"x","role":1}"#));
    check(
        &body("3.1.0", "{$ref: '#/components/schemas/Open'}", PARTS),
        &[r#"{"o":1,"z":2}"#],
        &[],
    );
    check(
        &body("3.1.0", "{type: object}", ""),
        &[r#"{"z":2}"#],
        &["1"],
    );
    check(
        &body(
            "3.1.0",
            "{type: array, items: {$ref: '#/components/schemas/A'}}",
            PARTS,
        ),
        &[r#"[{"a":1}]"#],
        &[r#"[{"a":1,"z":1}]"#],
    );
    let open = tried(
        &text("3.1.0", "{$ref: '#/components/schemas/B'}", PARTS),
        UnknownFields::Allow,
    )
    .unwrap();
    check(&open, &[r#"{"b":"x","role":1}"#], &[r#"{"role":1}"#]);
}

#[test]
fn compositions_are_closed_around_all_their_parts() {
    for version in ["3.0.3", "3.1.0"] {
        let all = body(
            version,
            "{allOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}, {properties: {c: {type: boolean}}}]}",
            PARTS,
        );
        check(
            &all,
            &[
                r#"{"a":1,"b":"x","c":true}"#,
                r#"{"a":1,"b":"x","in":{"a":2}}"#,
            ],
            &[
                r#"{"a":1,"b":"x","d":1}"#,
                r#"{"a":1}"#,
                r#"{"a":1,"b":"x","in":{"a":2,"z":0}}"#,
            ],
        );
        let one = body(
            version,
            "{type: object, properties: {kind: {type: string}}, oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}",
            PARTS,
        );
        // A field of the branch that does not apply is not judged by anything, so it is refused.
        check(
            &one,
            &[r#"{"kind":"k","a":1}"#, r#"{"b":"x"}"#],
            &[r#"{"a":1,"b":7}"#, r#"{"a":1,"z":1}"#, r#"{"kind":"k"}"#],
        );
        let any = body(
            version,
            "{anyOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}",
            PARTS,
        );
        check(
            &any,
            &[r#"{"a":1,"b":"x"}"#, r#"{"a":1}"#],
            &[r#"{"a":1,"z":1}"#],
        );
        let open = body(
            version,
            "{allOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/Open'}]}",
            PARTS,
        );
        check(&open, &[r#"{"a":1,"z":1}"#], &[r#"{"z":1}"#]);
    }
    let siblings = body(
        "3.1.0",
        "{$ref: '#/components/schemas/A', properties: {n: {type: string}}}",
        PARTS,
    );
    check(
        &siblings,
        &[r#"{"a":1,"n":"x"}"#],
        &[r#"{"a":1,"n":1}"#, r#"{"a":1,"z":1}"#],
    );
}

#[test]
fn null_is_written_differently_in_3_0_and_3_1() {
    let old = "{type: object, properties: {s: {type: string, nullable: true}, e: {type: string, enum: [x], nullable: true}, \
        r: {nullable: true, allOf: [{$ref: '#/components/schemas/A'}]}, n: {type: string}}}";
    check(
        &body("3.0.3", old, PARTS),
        &[
            r#"{"s":null}"#,
            r#"{"e":null}"#,
            r#"{"r":null}"#,
            r#"{"r":{"a":1}}"#,
            r#"{"e":"x"}"#,
        ],
        &[
            r#"{"n":null}"#,
            r#"{"s":1}"#,
            r#"{"r":{"a":1,"z":1}}"#,
            r#"{"e":"y"}"#,
        ],
    );
    let new = "{type: object, properties: {s: {type: [string, 'null']}, t: {type: string, nullable: true}}}";
    check(
        &body("3.1.0", new, ""),
        &[r#"{"s":null}"#],
        &[r#"{"t":null}"#],
    );
}

#[test]
fn read_only_fields_are_refused_in_requests_and_write_only_ones_are_drift() {
    let schema = "{type: object, required: [id, name, pin], properties: {id: {type: integer, readOnly: true}, \
        name: {type: string}, pin: {type: string, writeOnly: true}}}";
    for version in ["3.0.3", "3.1.0"] {
        let c = body(version, schema, "");
        check(
            &c,
            &[r#"{"name":"n","pin":"1"}"#],
            &[r#"{"id":1,"name":"n","pin":"1"}"#, r#"{"name":"n"}"#],
        );
        assert!(answers(&c, r#"{"id":1,"name":"n"}"#));
        assert!(!answers(&c, r#"{"id":1,"name":"n","pin":"1"}"#));
        assert!(!answers(&c, r#"{"name":"n"}"#));
    }
}

#[test]
fn a_schema_that_is_false_is_not_taken_for_a_field_of_the_other_direction() {
    let schema = "{type: object, properties: {x: false, l: {type: array, items: false}, pin: {type: string, writeOnly: true}}}";
    let c = body("3.1.0", schema, "");
    for (value, keyword, detail) in [
        (r#"{"x":1}"#, "not", "the contract accepts no value here"),
        (r#"{"l":[1]}"#, "not", "the contract accepts no value here"),
        (
            r#"{"pin":"1"}"#,
            "writeOnly",
            "this field is not accepted in this direction",
        ),
    ] {
        let body = model::json::parse(value.as_bytes(), Bounds::default()).unwrap();
        let drifts = crate::check_response(
            &c.operations[0],
            200,
            Some("application/json"),
            Some(&body),
            &[],
        );
        assert_eq!(drifts.len(), 1, "{drifts:?}");
        assert_eq!((&*drifts[0].keyword, &*drifts[0].detail), (keyword, detail));
    }
}

#[test]
fn a_pattern_that_is_too_large_is_told_from_one_that_cannot_be_read() {
    let told = |pattern: &str| {
        let schema =
            format!("{{type: object, properties: {{x: {{type: string, pattern: '{pattern}'}}}}}}");
        mistake(&text("3.1.0", &schema, ""))
    };
    let (message, help, _) = told("^(((a{1,300}){1,300}){1,300})$");
    assert!(message.contains("takes more memory"), "{message}");
    assert!(help.contains("maxLength"), "{help}");
    let (message, help, _) = told("^(?=a)b$");
    assert!(message.contains("linear time"), "{message}");
    assert!(help.contains("look-around"), "{help}");
}

#[test]
fn numbers_keep_to_their_ranges_without_losing_digits() {
    let schema = "{type: object, properties: {a: {type: integer, format: int32}, b: {type: integer, format: int64}, \
        c: {type: number, minimum: 0, exclusiveMinimum: true}, d: {type: integer}}}";
    check(
        &body("3.0.3", schema, ""),
        &[
            r#"{"a":2147483647,"b":9223372036854775807,"c":0.1}"#,
            r#"{"d":1.0}"#,
            r#"{"d":10e2}"#,
        ],
        &[
            r#"{"a":2147483648}"#,
            r#"{"b":9223372036854775808}"#,
            r#"{"c":0}"#,
            r#"{"d":1.5}"#,
            r#"{"d":15e-1}"#,
        ],
    );
}

#[test]
fn formats_are_asserted() {
    let schema = "{type: object, properties: {d: {type: string, format: date}, t: {type: string, format: date-time}, \
        m: {type: string, format: email}, u: {type: string, format: uuid}, four: {type: string, format: ipv4}, \
        l: {type: string, format: uri}, x: {type: string, format: something-own}}}";
    check(
        &body("3.1.0", schema, ""),
        &[
            r#"{"d":"2026-02-28","t":"2026-02-28T10:00:00Z","m":"a@b.example","four":"192.0.2.1","l":"https://a.test/","x":"?"}"#,
        ],
        &[
            r#"{"d":"2026-02-30"}"#,
            r#"{"t":"2026-02-28"}"#,
            r#"{"m":"a"}"#,
            r#"{"u":"x"}"#,
            r#"{"four":"1.2.3"}"#,
            r#"{"l":"no uri"}"#,
        ],
    );
}
