//! Everything that runs in the lab: servers, the load balancer, the backends' `decap`.

use super::plane::DataPlane;
use super::screen::say;
use super::switch::{Start, Switch};
use super::{entries, interrupt};
use crate::lab::{BACKENDS, Child, LB, Lab, Plan, VIP_PORT, VIP4, VIP6};
use crate::lab::{folder, kept_mark, pins};
use crate::run::{capture, on_path};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
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
    /// The load balancer.
    pub balancer: Switch,
    /// The backends' data planes.
    pub decaps: Vec<Switch>,
    servers: Vec<Child>,
    /// The network.
    pub lab: Lab,
    folders: Folders,
}

impl Stage {
    /// Builds the lab, compiles the pipelines, and starts everything.
    ///
    /// # Errors
    /// Any step fails, or the user stops it; what was started until then ends.
    pub fn set(plan: &Plan, plane: DataPlane, guideway: &Path, start: Instant) -> Result<Self> {
        let tag = Lab::own_tag();
        let folders = Folders { tag: tag.clone(), keep: false };
        let (files, pins) = (folder(&tag), pins(&tag));
        fs::create_dir(&files).with_context(|| format!("making {}", files.display()))?;
        for pipeline in ["l4lb", "decap"] {
            compile(guideway, plane, pipeline, &files, start)?;
        }
        say(start, "building the lab: 3 clients, a router, a load balancer, 4 backends");
        let lab = Lab::build(&tag, plan)?;
        let host_port = match plane {
            DataPlane::Xdp => {
                lab.pass_programs(plan)?;
                None
            }
            DataPlane::Native | DataPlane::Memory => Some(host_ports(&lab, plan, start)?),
        };
        interrupt::check()?;
        let mut servers = Vec::new();
        for name in BACKENDS {
            servers.push(server(&lab, name, &files)?);
        }
        say(start, &format!("starting the {plane} data planes: l4lb on {LB}, decap on the backends"));
        let begin = |pipeline, node, text: &str| {
            let host_port = host_port.filter(|_| node != LB);
            let how = Start { guideway, plane, pipeline, node, folder: &files, pins: &pins, host_port };
            Switch::start(&how, lab.space(node)?, text)
        };
        let mut balancer = begin("l4lb", LB, &entries::load_balancer(plan, 1, &[]).text()?)?;
        let inner = entries::backend_node(plan).text()?;
        let decaps: Result<Vec<Switch>> = BACKENDS.iter().map(|name| begin("decap", name, &inner)).collect();
        let mut decaps = decaps?;
        balancer.ready()?;
        decaps.iter_mut().try_for_each(Switch::ready)?;
        servers.iter_mut().try_for_each(|server| server.wait_for("ready", 1, Duration::from_secs(10)))?;
        Ok(Self { balancer, decaps, servers, lab, folders })
    }

    /// Leaves everything up, and prints how to look inside.
    ///
    /// # Errors
    /// The mark that protects the lab from the next demo can't be written.
    pub fn keep(&mut self, plan: &Plan) -> Result<()> {
        let tag = self.lab.tag().to_owned();
        fs::write(kept_mark(&tag), "").context("marking the lab as kept")?;
        self.balancer.keep();
        self.decaps.iter_mut().for_each(Switch::keep);
        self.servers.iter_mut().for_each(Child::keep);
        self.lab.keep();
        self.folders.keep = true;
        let files = folder(&tag);
        eprintln!(
            "\nThe lab {tag} is up. Inside:\n\
             \x20   ip netns exec {tag}-c4 curl -i http://{VIP4}/\n\
             \x20   ip netns exec {tag}-c6 curl -i -g 'http://[{VIP6}]/'\n\
             \x20   ip netns exec {tag}-c4 ping -c 3 {VIP4}\n\
             {}\n\
             \x20   ip netns exec {tag}-router tcpdump -ni b1       (encapsulated packets to b1, {})\n\
             \x20   ls {}                                  (entries, artefacts, logs)\n\
             Take it down: cargo xtask demo --down {tag}",
            self.balancer.look_inside(&tag),
            plan.node("b1").v4(2),
            files.display()
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

fn server(lab: &Lab, name: &'static str, files: &Path) -> Result<Child> {
    let own = std::env::current_exe().context("finding our own binary")?;
    let mut command = Command::new(own);
    command.args(["lab-server", "--name", name]);
    command.arg(format!("--listen={VIP4}:{VIP_PORT}")).arg(format!("--listen=[{VIP6}]:{VIP_PORT}"));
    Child::start(
        &format!("HTTP server on {name}"),
        lab.space(name)?,
        command,
        &files.join(format!("{name}.http.log")),
    )
}
