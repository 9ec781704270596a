//! Reads the texts of a configuration directory and compiles them whole, or says everything that is wrong with them.
//! Exports `compile`, `Compiled`, `render`, `schema`, `reference_markdown`. Pure: texts in, plans or mistakes out.
//! Used by the binary (`check`, `serve`, `schema`), by admin (plan, apply) and by gateway, which runs a `Compiled`.
//! Start reading at `compile`; why this is a room of its own is told in docs/decisions/001.

pub mod api;
pub mod browsers;
mod compile;
pub mod compiled;
mod de;
pub mod entries;
pub mod field_paths;
pub mod files;
pub mod integration;
pub mod leaks;
mod merge;
mod not_offered;
pub mod per;
mod read;
mod reference;
mod removed;
mod render;
mod report;
pub mod rule_files;
pub mod schema;
mod secret_ref;
pub mod server;
mod spanned;
mod unread;
pub mod values;

pub use compile::{Options, compile, compile_after, compile_to_read};
pub use compiled::Compiled;
pub use de::{listed, nearest};
pub use files::Files;
pub use reference::reference_markdown;
pub use removed::{REMOVED_MAX, removed};
pub use render::{Look, render, render_all, render_as};
pub use report::{MISTAKES_MAX, Warning};
pub use rule_files::rule_directories;
pub use schema::{kinds, schema};
pub use secret_ref::SecretRef;
pub use spanned::{At, Located, Map, Place};
pub use unread::Unread;
pub use yaml::Span;
