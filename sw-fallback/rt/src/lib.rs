//! no_std support for generated Rust: packet views, tables, hashes, the flow table.
