//! Compiles the `.proto` file to Rust, without `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["guideway/v1/control.proto"], ["proto"])?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]).btree_map(["."]);
    let services = tonic_prost_build::configure().build_transport(false);
    services.compile_fds_with_config(descriptors, config)?;
    Ok(())
}
