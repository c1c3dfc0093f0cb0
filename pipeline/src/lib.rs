//! What a user's crate names: the pipeline macro, the standard headers, the built-in pipelines.
