//! Finds libdpdk, if it shall be linked.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    if std::env::var_os("CARGO_FEATURE_DPDK").is_none() {
        return;
    }
    let pkg_config = |args: &[&str]| Command::new("pkg-config").args(args).output().ok();
    // `src/sys/ffi.rs` has the structs of this version.
    let there =
        pkg_config(&["--exists", "libdpdk >= 22.11 libdpdk < 22.12"]).is_some_and(|out| out.status.success());
    let found = pkg_config(&["--variable=libdir", "libdpdk"]).filter(|_| there);
    let Some(found) = found else {
        println!(
            "cargo::error=pkg-config finds no libdpdk 22.11: `apt-get install libdpdk-dev pkg-config` on Debian 12, or build \
             without the feature `dpdk`"
        );
        return;
    };
    // The two whose functions are called; they name what they need.
    println!("cargo:rustc-link-search=native={}", String::from_utf8_lossy(&found.stdout).trim());
    for library in ["rte_pipeline", "rte_eal"] {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
}
