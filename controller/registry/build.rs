//! Compiles our part of etcd's API to Rust, without `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["etcd.proto"], ["proto"])?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]);
    let services = tonic_prost_build::configure().build_server(false).build_transport(false);
    services.compile_fds_with_config(descriptors, config)?;
    Ok(())
}
