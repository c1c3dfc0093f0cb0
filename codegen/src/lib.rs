//! Fits a verified pipeline to a target and emits its artefacts.
