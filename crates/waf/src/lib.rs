//! Finds attacks in the texts a contract leaves free: rules in, findings out.
//! Exports `compile` and `inspect`. Pure: no clock, no files, no tasks, no other room.
//! Used by the gateway's stage `inspect`; usable without it.
//! Start reading at `inspect::inspect`; the rules we ship are in `pack`.

// First: what it defines is known to the files below it.
#[macro_use]
mod syntax;

pub mod body;
pub mod bytes;
pub mod detector;
mod directed;
mod field_plan;
pub mod finding;
pub mod hosts;
mod image;
mod inspect;
mod language;
pub mod leak;
mod markup;
mod operands;
pub mod pack;
pub mod part;
mod plan;
mod prose;
mod prove;
mod run;
pub mod scan;
pub mod seclang;
mod sensitivity;
mod serial;
pub mod settings;
mod transform;
pub mod views;

pub use detector::{InjectionDetector, Libinjection, Sentences};
pub use field_plan::{FieldPlan, Proof};
pub use finding::{Class, Finding, Findings};
pub use hosts::HostPattern;
pub use inspect::inspect;
pub use language::FieldLanguage;
pub use leak::{Leak, LeakKind, LeakScanner, masked};
pub use part::{Part, PartKind, Place, RequestFacts};
pub use plan::{Plan, compile, compile_again};
pub use settings::{Exclusion, LoadError, RuleFile, RuleFiles, Settings};
