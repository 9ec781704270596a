use super::*;

mod asked;
mod corpora;
mod files;
mod languages;
mod schemas;
mod shapes;
mod suite;

/// Compiles a document without other files.
pub(crate) fn tried(text: &str, unknown_fields: UnknownFields) -> Result<Contract, Vec<Mistake>> {
    compile(&Source {
        file: "api.yaml",
        text,
        overlay: None,
        load: &|_| None,
        unknown_fields,
        bounds: Bounds::default(),
    })
}

pub(crate) fn contract(text: &str) -> Contract {
    tried(text, UnknownFields::Refuse).unwrap()
}

#[track_caller]
fn mistake(text: &str) -> (String, String, String) {
    let mistakes = tried(text, UnknownFields::Refuse).unwrap_err();
    let first = mistakes.into_iter().next().unwrap();
    let (start, length) = first.span.unwrap_or((0, 0));
    (
        first.message,
        first.help,
        text.get(start..start + length).unwrap().to_owned(),
    )
}

#[test]
fn what_is_not_a_contract_is_explained() {
    for (text, message, help) in [
        ("swagger: '2.0'\n", "Swagger 2.0", "convert"),
        ("info: {}\n", "`openapi` is missing", "openapi: 3.1.0"),
        ("openapi: 4.0.0\n", "not supported", "3.1.0"),
        ("openapi: 3.1\npaths: {}\n", "not supported", "quotes"),
        ("openapi: 3.1.0\n", "no `paths`", "declare"),
        (
            "openapi: 3.1.0\njsonSchemaDialect: https://x.test/y\npaths: {}\n",
            "dialect",
            "remove",
        ),
    ] {
        let (found, found_help, _) = mistake(text);
        assert!(found.contains(message), "{text}: {found}");
        assert!(found_help.contains(help), "{text}: {found_help}");
    }
}

#[test]
fn mistakes_name_their_place_and_what_was_probably_meant() {
    let text = r"openapi: 3.0.3
paths:
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/Pets'}}}}
components: {schemas: {Pet: {type: object}}}
";
    let (message, help, place) = mistake(text);
    assert!(message.contains("leads nowhere"), "{message}");
    assert_eq!(help, "did you mean `Pet`?");
    assert_eq!(place, "$ref: '#/components/schemas/Pets'");
}

#[test]
fn operations_need_their_own_names() {
    let (message, help, place) =
        mistake("openapi: 3.1.0\npaths: {'/work-orders/{id}': {get: {responses: {}}}}\n");
    assert!(message.contains("GET /work-orders/{id}"), "{message}");
    assert!(help.contains("getWorkOrdersById"), "{help}");
    assert_eq!(place, "get");
    let (message, ..) = mistake(
        "openapi: 3.1.0\npaths: {/a: {get: {operationId: x, responses: {}}, put: {operationId: x, responses: {}}}}\n",
    );
    assert!(message.contains("already used by `GET /a`"), "{message}");
}

#[test]
fn references_out_of_the_directory_and_to_the_network_are_refused() {
    for (reference, wanted) in [
        ("https://x.test/a.yaml#/A", "on the network"),
        ("../../etc/passwd", "leaves the configuration directory"),
        ("/etc/passwd", "leaves the configuration directory"),
        ("gone.yaml#/A", "is not there"),
        ("#Anchor", "anchor"),
    ] {
        let text = format!(
            "openapi: 3.1.0\npaths: {{/a: {{post: {{operationId: a, requestBody: {{content: {{application/json: {{schema: {{$ref: '{reference}'}}}}}}}}, responses: {{}}}}}}}}\n"
        );
        let (message, ..) = mistake(&text);
        assert!(message.contains(wanted), "{reference}: {message}");
    }
}

#[test]
fn circles_are_fine_in_schemas_and_refused_in_references() {
    let tree = contract(
        r"openapi: 3.1.0
paths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}, responses: {}}}}
components: {schemas: {Node: {type: object, properties: {name: {type: string}, next: {$ref: '#/components/schemas/Node'}}}}}
",
    );
    let shape = &tree.operations[0].request_shape;
    assert_eq!(shape.nodes[0].schema.as_deref(), Some("Node"));
    assert_eq!(shape.nodes[0].fields["next"].node, 0);
    let (message, ..) = mistake(
        "openapi: 3.1.0\npaths: {/a: {get: {operationId: a, parameters: [{$ref: '#/components/parameters/P'}], responses: {}}}}\ncomponents: {parameters: {P: {$ref: '#/components/parameters/P'}}}\n",
    );
    assert!(message.contains("circle"), "{message}");
}

#[test]
fn look_around_in_a_pattern_is_explained_at_its_place() {
    let (message, help, place) = mistake(
        "openapi: 3.1.0\npaths: {/a: {get: {operationId: a, parameters: [{name: q, in: query, schema: {type: string, pattern: '^(?!x)a$'}}], responses: {}}}}\n",
    );
    assert!(message.contains("cannot be used"), "{message}");
    assert!(help.contains("look-around"), "{help}");
    assert_eq!(place, "pattern: '^(?!x)a$'");
}

#[test]
fn an_overlay_adds_facts_and_files_are_followed() {
    let files = |name: &str| {
        (name == "apis/common/pet.yaml").then(|| {
            "Pet: {type: object, properties: {name: {type: string}, owner: {$ref: 'owner.yaml'}}}\n".to_owned()
        })
    };
    let with_owner = |name: &str| match name {
        "apis/common/owner.yaml" => Some("type: string\nx-portcullis-refers-to: Pet\n".to_owned()),
        other => files(other),
    };
    let text = "openapi: 3.1.0\ninfo: {title: T, version: 1.0}\npaths: {/a: {get: {operationId: a, responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/Local'}}}}}}}}\ncomponents: {schemas: {Local: {allOf: [{$ref: './common/pet.yaml#/Pet'}], properties: {mail: {type: string}}}}}\n";
    let overlay = "overlay: 1.0.0\nactions: [{target: $.components.schemas.Local.properties.mail, update: {x-portcullis-class: personal}}]\n";
    let source = |load| Source {
        file: "apis/api.yaml",
        text,
        overlay: Some(("overlays/o.yaml", overlay)),
        load,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    };
    let contract = compile(&source(&with_owner)).unwrap();
    let shape = contract.operations[0].response_shape().unwrap();
    let root = shape.root().unwrap();
    assert_eq!(root.schema.as_deref(), Some("Local"));
    let mail = shape.node(root.fields["mail"].node).unwrap();
    assert_eq!(mail.class, model::shape::Class::Personal);
    let owner = shape.node(root.fields["owner"].node).unwrap();
    assert_eq!(owner.refers_to.as_deref(), Some("Pet"));
    let missing = compile(&source(&files)).unwrap_err();
    assert_eq!(missing[0].file, "apis/common/pet.yaml");
    assert!(missing[0].message.contains("owner.yaml"), "{missing:?}");
}

#[test]
fn a_place_is_never_half_a_letter() {
    for text in ["أpüõ", "é: 1\n", "{é: 1}", "- é\n", "[é]", "\"é\""] {
        for mistake in tried(text, UnknownFields::Refuse).unwrap_err() {
            let (start, length) = mistake.span.unwrap();
            assert!(
                text.get(start..start + length).is_some(),
                "{text}: {mistake:?}"
            );
        }
    }
}

#[test]
fn paths_without_an_operation_stay_declared_also_where_an_overlay_took_them_away() {
    let text = "openapi: 3.1.0\ninfo: { title: t, version: '1' }\npaths:\n  /jobs/{id}:\n    parameters: [{ name: id, in: path, \
                required: true, schema: { type: string } }]\n    get: { operationId: getJob, responses: { '204': { description: d } } }\n  \
                /jobs/all:\n    delete: { operationId: purge, responses: { '204': { description: d } } }\n  /jobs/idle: {}\n";
    let overlay = "overlay: 1.0.0\ninfo: { title: o, version: '1' }\nactions:\n  - { target: \"$.paths['/jobs/all']\", remove: true }\n";
    let compiled = compile(&Source {
        file: "api.yaml",
        text,
        overlay: Some(("overlay.yaml", overlay)),
        load: &|_| None,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    })
    .unwrap();
    let parsed = |path| template::segments(path).unwrap();
    assert_eq!(compiled.operations.len(), 1);
    assert_eq!(
        compiled.idle_paths,
        [parsed("/jobs/all"), parsed("/jobs/idle")]
    );
}
