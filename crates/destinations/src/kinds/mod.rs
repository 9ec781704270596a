//! Every kind of destination: one file per kind, listed here.
//! Exports `Settings`, which has a field for each kind. To add one: write `kinds/NAME.rs`, then add it here in both places.
//! Used by `settings`, and by config through it.
//! Start reading at the list.

pub(crate) mod file;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Destination;

/// Declares the field for the settings of each kind, and what goes through all of them.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident: $settings:ident,)*) => {
        /// One destination: exactly one kind, with its settings.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default, rename = "Destination")]
        #[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
        pub struct Settings {
            $($(#[doc = $doc])* pub $name: Option<$name::$settings>,)*
        }

        /// The names of all kinds.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl Settings {
            /// The kinds that are written, with their names.
            pub(crate) fn written(&self) -> Vec<(&'static str, &dyn Destination)> {
                let mut all: Vec<(&'static str, &dyn Destination)> = Vec::new();
                $(if let Some(settings) = &self.$name {
                    all.push((stringify!($name), settings));
                })*
                all
            }
        }
    };
}

// Sorted by name.
kinds! {
    /// A file or a named pipe on this machine, one record to a line.
    file: FileSettings,
}
