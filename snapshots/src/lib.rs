//! Golden, differential and reject tests over dropped cases.
