//! The lab without root: a user namespace in which we are root of our own network.

use crate::sys;
use anyhow::{Context, Result};
use std::fs;

/// Moves this process into a user, network and mount namespace of its own, where it may build the lab.
/// It must have only one thread, so this comes before everything that starts one.
///
/// # Errors
/// Unprivileged user namespaces are off on this machine (`user.max_user_namespaces`, or the system's
/// security policy).
pub fn enter_unprivileged() -> Result<()> {
    let meta = fs::metadata("/proc/self").context("reading our own user id")?;
    let (uid, gid) = {
        use std::os::unix::fs::MetadataExt;
        (meta.uid(), meta.gid())
    };
    sys::unshare_user_net_mount().context("making an unprivileged user namespace")?;
    // The kernel lets an ordinary user map groups only after giving up setgroups.
    fs::write("/proc/self/setgroups", "deny").context("giving up setgroups")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("mapping our user to root")?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("mapping our group to root")?;
    // `ip netns` keeps its names in /run/netns: give it a /run of our own.
    sys::mount_fresh("tmpfs", "/run").context("mounting a /run of our own")
}
