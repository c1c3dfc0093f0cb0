//! Everything that runs in the lab: servers, load balancers with their agents, the backends' `decap`, the control plane.

use super::balancer::Balancer;
use super::control::Control;
use super::plane::DataPlane;
use super::screen::say;
use super::switch::{Start, Switch};
use super::{entries, interrupt};
use crate::lab::{BACKENDS, CTL, Child, LBS, Lab, Plan, VIP_PORT, VIP4, VIP6};
use crate::lab::{folder, kept_mark, pins};
use crate::run::{capture, on_path};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The folder and the pins of one lab; they go with it.
#[derive(Debug)]
struct Folders {
    tag: String,
    keep: bool,
}

impl Drop for Folders {
    fn drop(&mut self) {
        if !self.keep {
            // Either may never have been made.
            let _absent = fs::remove_dir_all(pins(&self.tag));
            let _absent = fs::remove_dir_all(folder(&self.tag));
        }
    }
}

/// The lab with everything in it. Fields are dropped in this order: processes, then the lab, then files.
#[derive(Debug)]
pub struct Stage {
    /// What the switches run.
    pub plane: DataPlane,
    /// Controller and checkers.
    pub control: Control,
    /// The load-balancer nodes.
    pub balancers: Vec<Balancer>,
    /// The backends' data planes.
    pub decaps: Vec<Switch>,
    /// The backends' HTTP servers, by backend.
    pub servers: BTreeMap<&'static str, Child>,
    /// The network.
    pub lab: Lab,
    /// Who is who.
    pub plan: Plan,
    files: PathBuf,
    folders: Folders,
}

impl Stage {
    /// Builds the lab, compiles the pipelines, starts everything, and waits until every backend is in service.
    ///
    /// # Errors
    /// Any step fails, or the user stops it; what was started until then ends.
    pub fn set(plane: DataPlane, guideway: &Path, start: Instant) -> Result<Self> {
        let (tag, plan) = (Lab::own_tag(), Plan::default());
        let folders = Folders { tag: tag.clone(), keep: false };
        let (files, pins) = (folder(&tag), pins(&tag));
        fs::create_dir(&files).with_context(|| format!("making {}", files.display()))?;
        for pipeline in ["l4lb", "decap"] {
            compile(guideway, plane, pipeline, &files, start)?;
        }
        say(
            start,
            "building the lab: 3 clients, a router, 2 load balancers, 4 backends, the control plane's node",
        );
        let lab = Lab::build(&tag, &plan)?;
        let host_port = match plane {
            DataPlane::Xdp => {
                lab.pass_programs(&plan)?;
                None
            }
            DataPlane::Native | DataPlane::Dpdk | DataPlane::Memory => Some(host_ports(&lab, &plan, start)?),
        };
        interrupt::check()?;
        say(start, "starting a controller, 3 checkers and the backends' servers");
        let control = Control::start(guideway, &lab, &plan, &files)?;
        let servers = BACKENDS.iter().map(|name| Ok((*name, server(&lab, &plan, name, &files)?)));
        let servers = servers.collect::<Result<_>>()?;
        say(
            start,
            &format!(
                "starting the {plane} data planes: l4lb on {}, decap on the backends",
                LBS.join(" and ")
            ),
        );
        let how = |pipeline, node, host_port, entries| Start {
            guideway,
            plane,
            pipeline,
            node,
            folder: &files,
            pins: &pins,
            host_port,
            entries,
        };
        let balancer = |name| Balancer::start(&how("l4lb", name, None, None), lab.space(name)?);
        let balancers = LBS.into_iter().map(balancer).collect::<Result<_>>()?;
        let inner = entries::backend_node(&plan).text()?;
        let decap =
            |name| Switch::start(&how("decap", name, host_port, Some(inner.clone())), lab.space(name)?);
        let decaps = BACKENDS.into_iter().map(decap).collect::<Result<_>>()?;
        let mut stage = Self { plane, control, balancers, decaps, servers, lab, plan, files, folders };
        stage.settle(start)?;
        Ok(stage)
    }

    /// Waits for everything in turn, and tells the controller what there is.
    fn settle(&mut self, start: Instant) -> Result<()> {
        self.servers
            .values_mut()
            .try_for_each(|server| server.wait_for("ready", 1, Duration::from_secs(60)))?;
        self.control.ready()?;
        self.control.apply(&self.plan)?;
        let address = Control::address(&self.plan);
        self.decaps.iter_mut().try_for_each(Switch::ready)?;
        self.balancers.iter_mut().try_for_each(|balancer| balancer.obey(&address, &self.files))?;
        say(
            start,
            "data planes are ready; an agent on each load balancer takes its tables from the controller",
        );
        self.control.in_service()?;
        say(start, "the checkers agree on every backend, and both nodes have the rings in force");
        Ok(())
    }

    /// Fails when a process that nobody meant to end has ended.
    ///
    /// # Errors
    /// One has.
    pub fn alive(&mut self) -> Result<()> {
        self.balancers.iter_mut().try_for_each(Balancer::alive)
    }

    /// Brings back what the story took away, as far as a process or a link can.
    fn restore(&mut self) -> Result<()> {
        for name in LBS {
            self.lab.mend(name, &self.plan)?;
        }
        for name in BACKENDS {
            if self.servers.get_mut(name).is_none_or(|server| server.alive().is_err()) {
                let server = server(&self.lab, &self.plan, name, &self.files)?;
                self.servers.insert(name, server);
            }
        }
        self.control.start_controller()?;
        self.control.apply(&self.plan)
    }

    /// Leaves everything up, and prints how to look inside.
    ///
    /// # Errors
    /// Something can't be brought back, or the mark that protects the lab from the next demo can't be written.
    pub fn keep(&mut self) -> Result<()> {
        self.restore()?;
        let tag = self.lab.tag().to_owned();
        fs::write(kept_mark(&tag), "").context("marking the lab as kept")?;
        self.control.keep();
        self.balancers.iter_mut().for_each(Balancer::keep);
        self.decaps.iter_mut().for_each(Switch::keep);
        self.servers.values_mut().for_each(Child::keep);
        self.lab.keep();
        self.folders.keep = true;
        let (lb, controller) = (LBS[0], Control::address(&self.plan));
        eprintln!(
            "\nThe lab {tag} is up, with everything in it in service again. Inside:\n\
             \x20   ip netns exec {tag}-c4 curl -i http://{VIP4}/\n\
             \x20   ip netns exec {tag}-c6 curl -i -g 'http://[{VIP6}]/'\n\
             \x20   ip netns exec {tag}-c4 ping -c 3 {VIP4}\n\
             \x20   ip netns exec {tag}-{CTL} guideway ctl --controller {controller} backend list      (status, events, drain)\n\
             \x20   ip netns exec {tag}-{lb} guideway flows --limit 10\n\
             \x20   ip netns exec {tag}-{lb} curl http://127.0.0.1:9572/metrics\n\
             \x20   ip netns exec {tag}-router tcpdump -ni b1       (encapsulated packets to b1, {})\n\
             \x20   ls {}                                  (entries, artefacts, logs)\n\
             Take it down: cargo xtask demo --down {tag}",
            self.plan.node("b1").v4(2),
            self.files.display()
        );
        let tools = [("curl", "curl"), ("ping", "iputils-ping"), ("tcpdump", "tcpdump")];
        let missing: Vec<&str> = tools.iter().filter(|t| on_path(&[t.0]).is_none()).map(|t| t.1).collect();
        if !missing.is_empty() {
            eprintln!("Of these tools some are not here yet: apt-get install {}", missing.join(" "));
        }
        Ok(())
    }
}

/// The name of the way into a backend's host for what `decap` has unwrapped. The switch makes a tap of that name;
/// where taps are not to be had, it is one end of a veth that is made here.
fn host_ports(lab: &Lab, plan: &Plan, start: Instant) -> Result<&'static str> {
    const NAME: &str = "gw0";
    let tun = fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    if let Err(error) = tun {
        say(
            start,
            &format!("/dev/net/tun can't be opened ({error}): packets enter the backends by veths instead"),
        );
        lab.host_ports(plan, NAME)?;
    }
    Ok(NAME)
}

fn compile(guideway: &Path, plane: DataPlane, pipeline: &str, files: &Path, start: Instant) -> Result<()> {
    let began = Instant::now();
    let mut command = Command::new(guideway);
    command.args(["compile", "--target", &plane.to_string(), "--pipeline", pipeline, "--out"]);
    capture(command.arg(files.join("out").join(pipeline)), "")?;
    say(start, &format!("compiled {pipeline} for {plane} in {:.0?}", began.elapsed()));
    interrupt::check()
}

/// It listens on the VIPs for clients, and on the backend's own addresses for probes.
fn server(lab: &Lab, plan: &Plan, name: &'static str, files: &Path) -> Result<Child> {
    let own = std::env::current_exe().context("finding our own binary")?;
    let mut command = Command::new(own);
    command.args(["lab-server", "--name", name]);
    let node = plan.node(name);
    for v4 in [VIP4, node.v4(2)] {
        command.arg(format!("--listen={v4}:{VIP_PORT}"));
    }
    for v6 in [VIP6, node.v6(2)] {
        command.arg(format!("--listen=[{v6}]:{VIP_PORT}"));
    }
    Child::start(
        &format!("HTTP server on {name}"),
        lab.space(name)?,
        command,
        &files.join(format!("{name}.http.log")),
    )
}
