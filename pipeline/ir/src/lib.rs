//! The pipeline as plain data, its proofs, and the oracle that defines what it means.
