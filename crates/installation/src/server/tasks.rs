//! What runs beside the requests: maintenance, health checks, the look for changed files, the announcement.
//! Exports `beside`, `deliveries`, `announced`.
//! Used by `server::start`.
//! Start reading at `beside`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::Compiled;
use control::delivery::Delivery;
use control::maintenance::{Maintenance, Witness};
use control::supervisor::Task;
use control::{Control, announcement, socket};
use gateway::SharedState;
use store::{Fault, Store};

use super::{Host, Watch, panics};

/// How often changed files are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// What runs beside the requests.
pub(super) fn beside(
    control: &Arc<Control>,
    witness: &Witness,
    watch: Watch,
    host: Host,
) -> Vec<Task> {
    let maintenance = Maintenance {
        control: Arc::clone(control),
        witness: Arc::clone(witness),
        panics: panics::take,
        say: host.say,
    };
    let (watching, checked) = (Arc::clone(control), Arc::clone(control));
    let mut tasks = vec![
        Task {
            name: "maintenance".into(),
            is_waited_for: true,
            work: Box::new(move |stop| maintenance.work(stop)),
        },
        Task {
            name: "health".into(),
            is_waited_for: false,
            work: Box::new(move |_| checked.io.iter().for_each(|io| health(io, host))),
        },
    ];
    if watch == Watch::Files {
        tasks.push(Task {
            name: "files".into(),
            is_waited_for: false,
            work: Box::new(move |stop| {
                while !stop.wait(LOOK) {
                    watching.reload_on_change();
                }
            }),
        });
    }
    tasks
}

/// What delivers records, for each destination of the configuration. Each of them is told of records from here on.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn deliveries(
    compiled: &Compiled,
    apart: &[PathBuf],
    io: &Arc<SharedState>,
    store: &Store,
    host: Host,
) -> Result<Vec<Task>, Fault> {
    let mut tasks = Vec::new();
    for (name, settings) in &compiled.server.destinations {
        let delivery = Delivery::new(name, settings, apart, io, store, host.say)?;
        tasks.extend(delivery.map(Delivery::into_task));
    }
    Ok(tasks)
}

/// Whether the server can still be found by its directory is looked at so often.
const ANNOUNCED: Duration = Duration::from_secs(1);

/// Keeps saying where the server is found, whatever is cleared away beside it. A stop waits for it: what is withdrawn then
/// must not be said again.
pub(super) fn announced(dir: &Path, data: &Path) -> Task {
    let (dir, socket) = (dir.to_path_buf(), data.join(socket::NAME));
    Task {
        name: "announcement".into(),
        is_waited_for: true,
        work: Box::new(move |stop| {
            while !stop.wait(ANNOUNCED) {
                announcement::renew(&dir, &socket);
            }
        }),
    }
}

/// Active health checks of whatever upstreams the snapshot names.
fn health(io: &Arc<SharedState>, host: Host) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        (host.say)("portcullis: no active health checks: the runtime cannot be made");
        return;
    };
    let current = || {
        let snapshot = io.snapshot.load();
        let upstreams = snapshot.versions.iter();
        upstreams
            .filter_map(|version| version.upstream.clone())
            .collect()
    };
    tokio::task::LocalSet::new().block_on(&runtime, net::upstream::watch_health(current));
}
