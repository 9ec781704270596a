//! A simulation of everything that changes the running state; see `tests`.
//! Exports nothing.
//! Used by this crate's tests and by `cargo xtask prove control`.
//! Start reading at `tests`.

mod memory;
mod tests;
