//! The data plane under an agent.

use super::process::GUIDEWAY;
use super::{Lab, until};
use p4runtime_bench::lab::{INSIDE, Switch as Ours};
use std::path::Path;
use std::process::Command;

/// It ends with this.
pub(crate) enum Switch {
    Ours(Ours),
    Bmv2(snapshots::bmv2::Switch),
}

impl Switch {
    /// Runs `l4lb` on this target.
    pub(crate) async fn start(lab: &Lab, target: &str) -> Self {
        if target != "bmv2" {
            return Self::start_with(lab, target, &[]);
        }
        let switch = Self::Bmv2(snapshots::bmv2::Switch::on(INSIDE).unwrap());
        switch.load().await;
        switch
    }

    /// Ours, with further arguments.
    pub(crate) fn start_with(lab: &Lab, target: &str, more: &[&str]) -> Self {
        Self::Ours(Ours::start(Path::new(GUIDEWAY), &lab.world, target, more).unwrap())
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Ours(ours) => ours.address().to_owned(),
            Self::Bmv2(bmv2) => format!("127.0.0.1:{}", bmv2.p4runtime),
        }
    }

    /// What its P4Runtime server can do.
    pub(crate) fn profile(&self) -> &'static str {
        match self {
            Self::Ours(_) => "guideway",
            Self::Bmv2(_) => "bmv2",
        }
    }

    /// BMv2 ends, and begins without a program.
    pub(crate) fn lose_program(&mut self) {
        let Self::Bmv2(bmv2) = self else { panic!("ours has one as long as it runs") };
        bmv2.restart().unwrap();
    }

    /// `guideway load`, as an operator does it: above the agent, who is back when it is done.
    pub(crate) async fn load(&self) {
        let at = self.address();
        until("BMv2 is loaded", async || {
            let args = ["load", "--target", "bmv2", "--address", &at, "--election-id", "2000"];
            let done = Command::new(GUIDEWAY).args(args).output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            if done.status.success() { Ok(()) } else { Err(said) }
        })
        .await;
    }
}
