//! One request on its way: what arrived, how far it came, and what the record will say.
//! Exports `RequestState` and `Stop`.
//! Opened by the service, read and written by the stages.
//! Start reading at `RequestState`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use model::{DecisionId, Event, Head, Headers, KeyId, Monotonic, Peer, Refusal, Stage, Timestamp};

use net::HeldBytes;

use crate::SharedState;
use crate::browsers::Page;
use crate::concurrency::ConcurrencyPermit;
use crate::cursor::{Question, Resume};
use crate::reserved::Reserved;
use crate::stages::unchanged::LookedUp;

/// Why the road ended early.
#[derive(Debug)]
pub enum Stop {
    /// The caller's: a judge said no.
    Refused(Box<Refusal>),
    /// Ours or the upstream's: the caller sees 502, 503 or 504.
    Failed(Box<Refusal>),
}

impl From<Box<Refusal>> for Stop {
    fn from(refusal: Box<Refusal>) -> Self {
        Stop::Refused(refusal)
    }
}

impl Stop {
    /// What to answer.
    pub fn refusal(&self) -> &Refusal {
        match self {
            Stop::Refused(refusal) | Stop::Failed(refusal) => refusal,
        }
    }
}

/// What an upstream has been sent for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sent {
    /// Nothing.
    #[default]
    Nothing,
    /// A look-up of an object, and not yet the call itself.
    LookUp,
    /// The call, which reads.
    Read,
    /// The call, which may have changed something.
    Write,
}

/// One request on its way.
pub struct RequestState<'a, 'b> {
    /// The decision's id, also the caller's reference.
    pub id: DecisionId,
    /// Wall time at the first byte, for records and expiry.
    pub now: Timestamp,
    /// The same moment by the clock that nobody can set, for limits and blocks.
    pub moment: Monotonic,
    /// For measuring.
    pub started: Instant,
    /// The other end.
    pub peer: Arc<Peer>,
    /// The client's address: the socket's, or the first untrusted hop's behind a trusted proxy.
    pub address: IpAddr,
    /// The head; taken by stage `http`.
    pub head: Option<Head>,
    /// Gateways that the request came through, this one included, as `Via` names them to the upstream.
    pub via: Arc<str>,
    /// The body; read by stage `validate`, after the caller was accepted.
    pub body: &'a mut net::Body<'b>,
    /// The stage being walked.
    pub stage: Stage,
    /// Media types to ask the upstream for, as agreed on with the caller by stage `validate`.
    pub accept: Option<Arc<str>>,
    /// Where the page begins, by the caller's own cursor.
    pub resume: Resume,
    /// The question that this cursor belongs to, until it is compared with the one that is asked.
    pub sealed: Option<Question>,
    /// How many items the caller asks for.
    pub size: Option<u32>,
    /// Fields for the answer that stages before the upstream know (deprecation, limits).
    pub response_headers: Headers,
    /// What the page of a browser that asks may do with the answer.
    pub page: Option<Page>,
    /// The object that the request changes, as it was when it was judged.
    pub looked_up: Option<LookedUp>,
    /// What the ledger will say; stages add what they learn.
    pub event: Event,
    /// Places among requests at once; kept until the answer is taken by its reader.
    pub turns: Vec<ConcurrencyPermit>,
    /// Shares of limits that count failures alone, until it is known whether this call failed.
    pub reserved: Vec<Reserved>,
    /// Room that the upstream's answers take in memory; kept until the answer is taken by its reader.
    pub held: HeldBytes,
    /// Stable code of the refusal or fault; empty while there is none.
    pub code: &'static str,
    /// Who is charged for refusals once a credential has proven it. Before that, strangers at the address are.
    pub charged_to: Option<Charged>,
    /// Whether the request was taken from its credential's share at its address.
    pub is_charged_at_address: bool,
    /// Whether its operation is known, and with it whom its path names.
    pub has_operation: bool,
    /// What an upstream has been sent.
    pub sent: Sent,
    /// What the upstream answered to the call itself.
    pub answered: Option<u16>,
    /// Where the record goes if the work is given up; `None` once the record was handed over.
    pub unrecorded: Option<&'a SharedState>,
}

/// Who is charged for refusals.
#[derive(Clone, Debug)]
pub struct Charged {
    /// The credential.
    pub credential: KeyId,
    /// No credential was shown: nobody is proven, and what is refused counts for strangers at the address.
    pub is_anonymous: bool,
    /// Its integration.
    pub integration: Arc<str>,
    /// The person it named.
    pub user: Option<Arc<str>>,
}

impl RequestState<'_, '_> {
    /// Marks the stage being entered.
    pub fn enter(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// Who is charged, where a credential has proven them.
    pub fn proven(&self) -> Option<&Charged> {
        self.charged_to
            .as_ref()
            .filter(|caller| !caller.is_anonymous)
    }

    /// The listener that accepted the connection.
    pub fn listener(&self) -> &str {
        &self.peer.listener
    }
}
