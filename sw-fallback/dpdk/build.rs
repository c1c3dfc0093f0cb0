//! Finds libdpdk, if it shall be linked.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    if std::env::var_os("CARGO_FEATURE_DPDK").is_none() {
        return;
    }
    let asked = Command::new("pkg-config").args(["--variable=libdir", "libdpdk"]).output();
    let found = asked.ok().filter(|out| out.status.success());
    let Some(found) = found else {
        println!(
            "cargo::error=pkg-config finds no libdpdk: `apt-get install libdpdk-dev pkg-config`, or build without the \
             feature `dpdk`"
        );
        return;
    };
    // The two whose functions are called; they name what they need.
    println!("cargo:rustc-link-search=native={}", String::from_utf8_lossy(&found.stdout).trim());
    for library in ["rte_pipeline", "rte_eal"] {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
}
