//! A network in namespaces: clients, a router, two load-balancer nodes, a node for the control plane, and backends.
//!
//! ```text
//!   c4 ──┐                    ┌── b1
//!   c6 ──┤                    ├── b2
//!  mss ──┼── router (kernel) ─┼── b3
//!  lb1 ──┤                    ├── b4
//!  lb2 ──┘                    └── ctl
//! ```
//!
//! Every node hangs on the router by one veth link of 1,500 bytes. What goes to a VIP the router shares out to `lb1` and
//! `lb2` by its 5-tuple, and when the link of one is down, all to the other. Nothing leads out of the lab: no namespace
//! has a link to the host.
//!
//! A [`Lab`] is a guard: dropping it stops what runs inside and deletes every namespace. A lab whose maker
//! was killed is removed by [`reap`], which the next demo calls.

mod child;
mod netns;
mod plan;
mod reap;
mod userns;

pub use child::Child;
pub use netns::Netns;
pub use plan::{BACKENDS, CLIENTS, CTL, LBS, MTU, Node, Plan, ROUTER, VIP_PORT, VIP4, VIP6};
pub(crate) use reap::{folder, kept_mark, pins};
pub use reap::{reap, tear_down};
pub use userns::enter_unprivileged;

use crate::run::{capture, on_path};
use crate::sys;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// A lab that is up.
#[derive(Debug)]
pub struct Lab {
    tag: String,
    spaces: BTreeMap<&'static str, Netns>,
    keep: bool,
}

impl Lab {
    /// The name of a new lab of this process: `gw` and its process id.
    #[must_use]
    pub fn own_tag() -> String {
        format!("gw{}", std::process::id())
    }

    /// Builds the lab named `tag`.
    ///
    /// # Errors
    /// A namespace, a link or a setting is refused; what was made until then is removed.
    pub fn build(tag: &str, plan: &Plan) -> Result<Self> {
        let mut lab = Self { tag: tag.to_owned(), spaces: BTreeMap::new(), keep: false };
        for name in plan.names() {
            lab.spaces.insert(name, Netns::create(&format!("{tag}-{name}"))?);
        }
        for name in plan.names() {
            let settings = plan.settings(name);
            lab.space(name)?.run(move || write_settings(&settings))??;
        }
        lab.space(ROUTER)?.run(share_out_by_ports)??;
        ip(None, &plan.links(tag)).context("making the links")?;
        for name in plan.names() {
            let space = lab.space(name)?;
            let interfaces = plan.interfaces(name);
            space.run(move || interfaces.iter().try_for_each(|i| without_offloads(i)))??;
            ip(Some(space.name()), &plan.addresses(name)).with_context(|| format!("setting up {name}"))?;
        }
        Ok(lab)
    }

    /// The lab's name.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The namespace of node `name`.
    ///
    /// # Errors
    /// The plan has no such node.
    pub fn space(&self, name: &str) -> Result<&Netns> {
        self.spaces.get(name).with_context(|| format!("the lab has no node {name}"))
    }

    /// Puts an XDP program that passes everything on each of the router's links. What a program sends
    /// by XDP_TX out of a veth is lost unless the far end runs an XDP program too.
    ///
    /// # Errors
    /// The kernel refuses the program or the driver its attachment.
    pub fn pass_programs(&self, plan: &Plan) -> Result<()> {
        let interfaces = plan.interfaces(plan::ROUTER);
        self.space(plan::ROUTER)?.run(move || {
            let program = sys::load_xdp_pass().context("loading the XDP program that passes everything")?;
            interfaces.iter().try_for_each(|interface| {
                sys::attach_xdp(interface, &program).with_context(|| {
                    format!("attaching the XDP program that passes everything to {interface}")
                })
            })
        })?
    }

    /// Makes a way into each backend's host beside its interface: what is sent out of `name` is received as if it
    /// had come by that.
    ///
    /// # Errors
    /// The links can't be made.
    pub fn host_ports(&self, plan: &Plan, name: &str) -> Result<()> {
        for backend in BACKENDS {
            let mac = plan.node(backend).mac();
            let lines = format!(
                "link add {name} type veth peer name {name}-host address {mac}\nlink set {name} up\nlink set {name}-host up\n"
            );
            ip(Some(self.space(backend)?.name()), &lines).with_context(|| format!("setting up {backend}"))?;
        }
        Ok(())
    }

    /// Takes the link of node `name` down, at its own end: the router sees that the carrier is gone.
    ///
    /// # Errors
    /// There is no such node.
    pub fn cut(&self, name: &str) -> Result<()> {
        ip(Some(self.space(name)?.name()), "link set eth0 down\n")
            .with_context(|| format!("cutting {name} off"))
    }

    /// Brings the link of node `name` back, with its addresses and routes.
    ///
    /// # Errors
    /// There is no such node.
    pub fn mend(&self, name: &str, plan: &Plan) -> Result<()> {
        ip(Some(self.space(name)?.name()), &plan.addresses(name))
            .with_context(|| format!("mending {name}'s link"))
    }

    /// Leaves the lab up when this guard goes.
    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.keep {
            for space in self.spaces.values() {
                space.remove();
            }
        }
    }
}

/// Runs `ip` over `lines`, one command a line, inside `space`.
fn ip(space: Option<&str>, lines: &str) -> Result<()> {
    let mut command = Command::new(ip_program());
    if let Some(space) = space {
        command.args(["-netns", space]);
    }
    capture(command.args(["-batch", "-"]), lines).map(drop)
}

fn ip_program() -> PathBuf {
    on_path(&["ip"]).unwrap_or_else(|| "ip".into())
}

/// Writes kernel settings, `(path below /proc/sys/net, value)`, of the calling thread's namespace.
fn write_settings(settings: &[(String, &'static str)]) -> Result<()> {
    for (path, value) in settings {
        std::fs::write(format!("/proc/sys/net/{path}"), value)
            .with_context(|| format!("setting net/{path} to {value}"))?;
    }
    Ok(())
}

/// Has the router share flows out by addresses, protocol and ports as they stand in the packet: policy 3 with these fields.
/// Policy 1 would take the hash that a sender's socket leaves with a packet on a veth, and that one changes with each
/// time-out of a retransmission: the flow would go to the other node then. A kernel before 5.14 has nothing better.
fn share_out_by_ports() -> Result<()> {
    const FIELDS: &str = "55";
    for family in ["ipv4", "ipv6"] {
        let set = |name: &str, value: &str| {
            std::fs::write(format!("/proc/sys/net/{family}/fib_multipath_hash_{name}"), value)
        };
        let by_fields = set("fields", FIELDS).and_then(|()| set("policy", "3"));
        by_fields
            .or_else(|_| set("policy", "1"))
            .context("setting the router's fib_multipath_hash_policy")?;
    }
    Ok(())
}

/// A veth leaves checksums and segmentation to a device that isn't there; a data plane would see both undone.
fn without_offloads(interface: &str) -> Result<()> {
    use sys::Offload::{Gro, Gso, ScatterGather, Tso, TxChecksum};
    for offload in [Tso, Gso, TxChecksum, ScatterGather, Gro] {
        sys::set_offload(interface, offload, false)
            .with_context(|| format!("turning {offload:?} of {interface} off"))?;
    }
    Ok(())
}
