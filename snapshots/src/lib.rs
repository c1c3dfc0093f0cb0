//! Golden and differential tests over dropped cases: one folder, one pipeline, one more test on every target.
pub mod packet;
