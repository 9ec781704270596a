//! Bars: figures the product promises, measured against the real binary and reported by `testkit::bar`.
//! Run small with the suite, at their own scale by `cargo xtask prove NAME`.
//! One module per bar.

mod blocks;
mod leaks;
mod objects;
mod record;
mod searches;
mod upstreams;
