//! `guideway ctl vip`.

use super::file::VipName;
use super::show;
use crate::Done;
use crate::control::remote::Remote;
use clap::Subcommand;
use control_proto::v1::*;
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// All VIPs, or those of a pool.
    List {
        /// The pool.
        #[arg(long, default_value = "")]
        pool: String,
    },
    /// Leads an address, protocol and port (or any port) to a pool.
    #[command(after_help = "Examples:
  guideway ctl vip bind 203.0.113.10:80/tcp web
  guideway ctl vip bind [2001:db8::10]:any/udp dns --stateless")]
    Bind(Bind),
    /// Ends that.
    Unbind {
        /// `ADDRESS:PORT/tcp`, `ADDRESS:any/udp`, `[IPV6]:PORT/tcp`.
        vip: VipName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Bind {
    /// `ADDRESS:PORT/tcp`, `ADDRESS:any/udp`, `[IPV6]:PORT/tcp`. An exact port goes before any.
    vip: VipName,
    /// The pool.
    pool: String,
    /// Every packet goes by the ring.
    #[arg(long)]
    stateless: bool,
    /// Echo is answered.
    #[arg(long)]
    echo: bool,
    /// Too-big packets are answered with ICMP.
    #[arg(long)]
    too_big: bool,
    /// Time-out class of its flows.
    #[arg(long, value_name = "N", default_value_t = 0)]
    timeout_class: u32,
    /// Moves a VIP that is there; its flows stay.
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(what: &What, remote: &mut Remote, json: bool) -> Done {
    match what {
        What::List { pool } => {
            let request = ListVipsRequest { pool: pool.clone() };
            let reply = remote.call(request, async |client, request| client.list_vips(request).await).await?;
            if json {
                show::print(&reply.vips.iter().map(show::vip_json).collect());
            } else {
                show::vips(&reply.vips);
            }
        }
        What::Bind(bind) => {
            let request = BindVipToPoolRequest {
                pool: bind.pool.clone(),
                address: bind.vip.address.clone(),
                protocol: bind.vip.protocol.into(),
                port: bind.vip.port,
                flags: Some(VipFlags { stateless: bind.stateless, echo: bind.echo, too_big: bind.too_big }),
                timeout_class: bind.timeout_class,
                replace: bind.replace,
            };
            let vip =
                remote.call(request, async |client, request| client.bind_vip_to_pool(request).await).await?;
            if json {
                show::print(&show::vip_json(&vip));
            } else {
                show::vips(&[vip]);
            }
        }
        What::Unbind { vip } => {
            let (address, protocol, port) = (vip.address.clone(), vip.protocol.into(), vip.port);
            let request = UnbindVipRequest { address, protocol, port };
            remote.call(request, async |client, request| client.unbind_vip(request).await).await?;
            if json {
                show::print(&json!({"unbound": show::vip_name(&vip.address, vip.protocol, vip.port)}));
            } else {
                println!("unbound");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
