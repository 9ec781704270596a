//! What one request costs the gateway, without sockets to a caller: the program that `cargo xtask prove pipeline` runs
//! under callgrind. Everything is as in a server: configuration, credentials, ledger with flushes, an upstream on a socket.
//! Usage: `pipeline_cost SCENARIO REQUESTS`. Prints how many were answered 200; anything else is a failure.
//! Start reading at `main`; what is counted is `measured`.

use std::error::Error;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use audit::{Opening, Recorder, Settings};
use config::{Files, Options};
use crypto::{Keys, Secret};
use gateway::{Gateway, Snapshot};
use identity::credential::{CreateKeyRequest, Entropy, create};
use model::http::{BodyLength, Protocol};
use model::{Head, Headers, KeyId, Method, Peer, Response, Timestamp};
use net::{Body, Service};
use store::{Step, Store, kinds};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Requests before the first one that counts: connections are open then, identities signed, counters taken.
const WARM: u32 = 20;

/// One way to call.
struct Scenario {
    name: &'static str,
    /// Everything is checked, as a configuration says where it says nothing; otherwise as little as can be.
    is_full: bool,
    is_post: bool,
    /// The item is a person, whom the record names sealed.
    is_person: bool,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "lean-get",
        is_full: false,
        is_post: false,
        is_person: false,
    },
    Scenario {
        name: "full-get",
        is_full: true,
        is_post: false,
        is_person: false,
    },
    Scenario {
        name: "full-post",
        is_full: true,
        is_post: true,
        is_person: false,
    },
    Scenario {
        name: "person-get",
        is_full: true,
        is_post: false,
        is_person: true,
    },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
    let requests = words.next().and_then(|number| number.parse().ok());
    let (Some(scenario), Some(requests)) = (scenario, requests) else {
        eprintln!("usage: pipeline_cost lean-get|full-get|full-post|person-get REQUESTS");
        return ExitCode::from(64);
    };
    match run(scenario, requests) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("pipeline_cost: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(scenario: &Scenario, requests: u32) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let upstream = upstream()?;
    let (gateway, key) = gateway(scenario, upstream, dir.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    let answered = local.block_on(&runtime, async {
        for _ in 0..WARM {
            let response = ask(&gateway, scenario, &key, warm).await;
            if response.status != 200 {
                let body = String::from_utf8_lossy(&response.body).into_owned();
                return Err(format!("answered {}: {body}", response.status));
            }
        }
        let mut answered = 0u32;
        for _ in 0..requests {
            let response = ask(&gateway, scenario, &key, measured).await;
            answered += u32::from(response.status == 200);
        }
        Ok(answered)
    })?;
    println!("{answered} of {requests} answered");
    if answered == requests {
        Ok(())
    } else {
        Err("not all were answered".into())
    }
}

type Answer<'a> = Pin<&'a mut dyn Future<Output = Response>>;

/// Moves a request on. What is executed below this function is the cost of a request.
#[inline(never)]
fn measured(mut response: Answer<'_>, cx: &mut Context<'_>) -> Poll<Response> {
    response.as_mut().poll(cx)
}

/// The same for requests that do not count.
#[inline(never)]
fn warm(mut response: Answer<'_>, cx: &mut Context<'_>) -> Poll<Response> {
    // Something of its own, so that the two are never merged into one.
    std::hint::black_box(WARM);
    response.as_mut().poll(cx)
}

async fn ask(
    gateway: &Gateway,
    scenario: &Scenario,
    key: &str,
    step: fn(Answer<'_>, &mut Context<'_>) -> Poll<Response>,
) -> Response {
    let address = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let peer = Arc::new(Peer {
        address: address.ip(),
        address_text: model::text::shown(&address.ip()),
        port: address.port(),
        listener: "local".into(),
        listener_place: 0,
        tls: None,
    });
    let mut headers = Headers::new();
    headers.push("host", "api.example");
    headers.push("user-agent", "pipeline-cost/1");
    headers.push("accept", "application/json");
    headers.push("authorization", format!("Bearer {key}"));
    let sent = if scenario.is_post { SENT } else { "" };
    if scenario.is_post {
        headers.push("content-type", "application/json");
        headers.push("content-length", sent.len().to_string());
    }
    let head = Head {
        protocol: Protocol::Http11,
        method: if scenario.is_post {
            Method::Post
        } else {
            Method::Get
        },
        target: if scenario.is_post {
            "/v1/items".to_owned()
        } else {
            "/v1/items/7".to_owned()
        },
        authority: "api.example".to_owned(),
        headers,
        body: if scenario.is_post {
            BodyLength::Known(sent.len() as u64)
        } else {
            BodyLength::None
        },
    };
    let mut body = Body::of(sent.as_bytes().to_vec());
    let mut response = std::pin::pin!(gateway.answer(&peer, head, &mut body));
    std::future::poll_fn(|cx| step(response.as_mut(), cx)).await
}

/// A gateway as a server has one on each thread, and a key of its integration.
fn gateway(
    scenario: &Scenario,
    upstream: SocketAddr,
    dir: &std::path::Path,
) -> Result<(Gateway, String)> {
    let now = now();
    let files = files(scenario, upstream);
    let (compiled, _) = config::compile(&files, Options { now })
        .map_err(|mistakes| format!("the configuration is wrong: {mistakes:?}"))?;
    let base = Snapshot::of(Arc::new(compiled), None, &|path| Err(path.to_owned()))?;
    let kek = crypto::Kek::from_secret(Secret::new(*crypto::random_secret::<32>().expose()));
    let opened = store::embedded::open(&dir.join("data"), &kek)?;
    let keys = Arc::new(opened.keys);
    let key = credential(&opened.store, &keys, now)?;
    let settings = Settings::new("pipeline.example/ledger");
    let opening = Opening::new(dir.join("ledger"), settings, Arc::clone(&keys));
    let (recorder, _) = Recorder::open(opening, now)?;
    let io = control::start::shared(&opened.store, &keys, &Arc::new(recorder), &base)?;
    Ok((Gateway::new(io, net::Pools::new()), key))
}

fn credential(store: &Store, keys: &Keys, now: Timestamp) -> Result<String> {
    let request = CreateKeyRequest {
        integration: "loader",
        label: "",
        is_live: true,
        lasts: None,
    };
    let entropy = Entropy {
        id: KeyId::from_bits(7),
        random: crypto::random_secret(),
    };
    let rules = identity::ApiKeySettings::default();
    let issued = create(&request, &rules, &entropy, &keys.api_key_digest, now);
    let id = issued.record.id.to_string();
    store.transact(vec![Step::put(&kinds::CREDENTIAL, &id, &issued.record)?])?;
    Ok(issued.key.expose().clone())
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Answers every call on every connection with the same item.
fn upstream() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ITEM}",
        ITEM.len()
    );
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    loop {
        while let Some(length) = whole(&seen) {
            seen.drain(..length);
            stream.write_all(response.as_bytes())?;
        }
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            length => seen.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
}

/// The length of the request that these bytes begin with, once it is whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let body: usize = length
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0);
    (bytes.len() >= head + body).then_some(head + body)
}

fn files(scenario: &Scenario, upstream: SocketAddr) -> Files {
    let mut files = Files::new();
    let (responses, checks) = if scenario.is_full {
        ("", "")
    } else {
        (
            "inspection: { answers: { card_number: off, iban: off, private_key: off, service_key: off, stack_trace: off, database_error: off } }\n",
            "    checks: { response: off, inspect: off }\n",
        )
    };
    let objects = if scenario.is_person {
        "    objects: { Item: { id: path.id, person: true } }\n"
    } else {
        ""
    };
    let api =
        format!("{API}    upstream: {{ targets: [\"http://{upstream}\"] }}\n{checks}{objects}");
    for (path, text) in [
        ("portcullis.yaml", format!("{SERVER}{responses}")),
        ("apis/bench.yaml", api),
        ("apis/bench.v1.openapi.yaml", CONTRACT.to_owned()),
        ("integrations/loader.yaml", LOADER.to_owned()),
    ] {
        files.insert(path, text.into_bytes());
    }
    files
}

const SERVER: &str = r#"listeners:
  local: { address: "127.0.0.1:18080", kind: public, plain: true, address_limit: { rate: 1000000/s, burst: 1000000 } }
store: { dir: data }
keys: { kek: "file:kek" }
"#;

const API: &str = "owner: bench@portcullis.example
versions:
  v1:
    contract: bench.v1.openapi.yaml
    state: active
    base_path: /v1
    expose: { local: [getItem, addItem] }
";

const LOADER: &str = "owner: bench@portcullis.example
purpose: Sends the load
review_by: 2099-01-01
credentials: { api_key: {} }
limits: [{ per: integration, rate: 1000000/s, burst: 1000000 }]
grants:
  - { api: bench/v1, operations: [getItem], fields: [id, name, status, note, lines] }
  - { api: bench/v1, operations: [addItem], fields: [id, name, status], writes: [name, status, note, lines] }
";

const CONTRACT: &str = r##"openapi: 3.1.0
info: { title: Bench, version: "1" }
paths:
  /items:
    post:
      operationId: addItem
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/NewItem" } } }
      responses:
        "200":
          description: the item
          content: { application/json: { schema: { $ref: "#/components/schemas/Item" } } }
  /items/{id}:
    get:
      operationId: getItem
      parameters: [{ name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }]
      responses:
        "200":
          description: one item
          content: { application/json: { schema: { $ref: "#/components/schemas/Item" } } }
components:
  schemas:
    Item:
      type: object
      required: [id, name, lines]
      properties:
        id: { type: integer }
        name: { type: string, maxLength: 200 }
        status: { type: string, enum: [open, completed] }
        note: { type: string, maxLength: 2000 }
        lines: { type: array, maxItems: 100, items: { $ref: "#/components/schemas/Line" } }
    NewItem:
      type: object
      required: [name]
      additionalProperties: false
      properties:
        name: { type: string, maxLength: 200 }
        status: { type: string, enum: [open, completed] }
        note: { type: string, maxLength: 2000 }
        lines: { type: array, maxItems: 100, items: { $ref: "#/components/schemas/Line" } }
    Line:
      type: object
      properties:
        sku: { type: string, maxLength: 40 }
        quantity: { type: integer }
        price: { type: number }
"##;

const ITEM: &str = r#"{"id":7,"name":"Boiler service, yearly","status":"completed","note":"Heat exchanger cleaned, pressure vessel checked, flue gas measured; customer asks for a call before the next visit because of the dog.","lines":[{"sku":"HX-401-STAINLESS","quantity":1,"price":181.50},{"sku":"HX-402-STAINLESS","quantity":2,"price":182.50},{"sku":"HX-403-STAINLESS","quantity":3,"price":183.50}]}"#;

const SENT: &str = r#"{"name":"Boiler service, yearly","status":"open","note":"Heat exchanger to be cleaned; customer asks for a call before the visit because of the dog.","lines":[{"sku":"HX-401-STAINLESS","quantity":1,"price":181.50},{"sku":"HX-402-STAINLESS","quantity":2,"price":182.50}]}"#;
