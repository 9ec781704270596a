//! One connection as a stream of bytes.
