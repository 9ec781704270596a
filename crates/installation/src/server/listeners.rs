//! What the sockets of a server are made of.
//! Exports `listener`.
//! Used by `server::start`.
//! Start reading at `listener`.

use std::sync::Arc;

use config::compiled::{ListenerSettings, ServerSettings};
use net::{Bounds, DescriptorShare, ListenerSpec};

use crate::certificates::Slots;

/// One listener for net.
pub fn listener(
    settings: &ListenerSettings,
    server: &ServerSettings,
    slots: &Slots,
    descriptors: &Arc<DescriptorShare>,
) -> ListenerSpec {
    let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let mut spec = ListenerSpec::new(Arc::clone(&settings.name), settings.address);
    spec.tls = slots.get(&settings.name).cloned();
    spec.descriptors = Arc::clone(descriptors);
    spec.connections_max = whole(settings.connections_max);
    spec.per_address_connections_max = whole(settings.connections_per_address_max);
    spec.bounds = Bounds {
        idle: server.timeouts.idle,
        head_read: server.timeouts.head,
        body_grace: server.timeouts.body,
        write_grace: server.timeouts.reply,
        handshake: server.timeouts.handshake,
        ..Bounds::default()
    };
    spec
}
