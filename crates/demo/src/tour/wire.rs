//! The tour's line to a running demo: plain listeners byte for byte, TLS listeners with the demo's authority.
//! Exports `Wire`.
//! Used by implementers of `Env`.
//! Start reading at `Wire::send`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use model::Method;

use crate::call::{Call, CallResponse, Listener, send_plain};
use crate::gate::Ports;

/// Where the listeners are, and whom to trust.
#[derive(Debug)]
pub struct Wire {
    ports: Ports,
    ca_pem: Vec<u8>,
    runtime: tokio::runtime::Runtime,
}

impl Wire {
    /// A line to the demo on these ports. `ca_pem` is the text of `.demo/ca.pem`.
    ///
    /// # Errors
    /// When no runtime can be made.
    pub fn new(ports: Ports, ca_pem: Vec<u8>) -> io::Result<Wire> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Wire {
            ports,
            ca_pem,
            runtime,
        })
    }

    /// Sends one call and waits for the whole answer. Not to be called inside a runtime.
    ///
    /// # Errors
    /// A sentence when there is no answer.
    pub fn send(&self, call: &Call, key: Option<&str>) -> Result<CallResponse, String> {
        let port = match call.listener {
            Listener::Local => self.ports.local,
            Listener::Public => self.ports.public,
            Listener::Internal => self.ports.internal,
        };
        if call.listener == Listener::Local {
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
            return send_plain(address, call, key)
                .map_err(|why| format!("no answer from {address}: {why}"));
        }
        let response = self
            .runtime
            .block_on(net::client::send(&self.over_tls(call, key, port)?));
        response.map(read).map_err(|fault| fault.to_string())
    }

    fn over_tls(
        &self,
        call: &Call,
        key: Option<&str>,
        port: u16,
    ) -> Result<net::client::Call, String> {
        let method = Method::parse(&call.method)
            .ok_or_else(|| format!("{} cannot be sent over TLS", call.method))?;
        let mut made =
            net::client::Call::new(method, format!("https://localhost:{port}{}", call.target))
                .trusting(self.ca_pem.clone())
                .body(call.body.clone());
        if let Some(key) = key {
            made = made.header("authorization", format!("Bearer {key}"));
        }
        Ok(call
            .headers
            .iter()
            .fold(made, |made, (name, value)| made.header(name, value)))
    }
}

fn read(response: net::client::ClientResponse) -> CallResponse {
    let fields = response.headers.iter();
    CallResponse {
        status: response.status,
        headers: fields
            .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
        body: response.body,
    }
}
