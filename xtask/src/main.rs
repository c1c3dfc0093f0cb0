//! Demo, tests, benches and checks of the workspace.
fn main() {}
