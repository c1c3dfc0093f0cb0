//! Compiles the `.proto` files to Rust and to a descriptor set, without `protoc`.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;
use prost_types::FileDescriptorSet;

const FILES: [&str; 5] = [
    "guideway/v1/bundle.proto",
    "p4/config/v1/p4info.proto",
    "p4/config/v1/p4types.proto",
    "p4/v1/p4data.proto",
    "p4/v1/p4runtime.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]).btree_map(["."]).include_file("messages.rs");
    compile(config, descriptors)?;
    Ok(())
}

#[cfg(not(feature = "grpc"))]
fn compile(mut config: prost_build::Config, descriptors: FileDescriptorSet) -> std::io::Result<()> {
    config.compile_fds(descriptors)
}

#[cfg(feature = "grpc")]
fn compile(config: prost_build::Config, descriptors: FileDescriptorSet) -> std::io::Result<()> {
    let services = tonic_prost_build::configure().build_transport(false);
    services.compile_fds_with_config(descriptors, config)
}
