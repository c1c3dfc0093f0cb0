//! VIPs come and go.

use super::{Told, Work};
use crate::state::VipKey;
use crate::{Refusal, check};
use control_proto::v1;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// VIP numbers are 16 bits; 0 stays unused.
const NUMBERS: std::ops::Range<u32> = 1..1 << 16;

pub(crate) fn key(address: &str, protocol: i32, port: u32) -> Result<VipKey, Refusal> {
    let address = check::address(address, "VIP address")?;
    if address.is_loopback() {
        return Err(Refusal::invalid(format!("VIP address {address} is this host's own everywhere")));
    }
    let protocol = match check::protocol(protocol)? {
        v1::Protocol::Udp => 17,
        _ => 6,
    };
    Ok(VipKey { address, protocol, port: check::port(port, "VIP port")? })
}

impl Work<'_> {
    pub(super) fn bind(&mut self, request: &v1::BindVipToPoolRequest) -> Result<Told, Refusal> {
        let key = key(&request.address, request.protocol, request.port)?;
        if request.timeout_class >= self.new.settings.timeout_classes {
            return Err(Refusal::invalid(format!(
                "time-out class {}: there are 0 to {}",
                request.timeout_class,
                self.new.settings.timeout_classes - 1
            )));
        }
        self.can_carry(&request.pool, key)?;
        let flags = Some(request.flags.unwrap_or_default());
        if let Some(there) = self.new.vips.get(&key) {
            let wanted = v1::Vip {
                pool: request.pool.clone(),
                flags,
                timeout_class: request.timeout_class,
                ..there.clone()
            };
            if *there == wanted {
                return Ok(Told::Vip(key));
            }
            if !request.replace && there.pool != wanted.pool {
                return Err(Refusal::invalid(format!(
                    "VIP {key} overlaps: it leads to pool `{}` already",
                    there.pool
                )));
            }
            if !request.replace {
                return Err(Refusal::exists(format!(
                    "VIP {key} is there, with other flags or another time-out class"
                )));
            }
            self.event("vip.changed", &request.pool, "", key.to_string());
            Arc::make_mut(&mut self.new.vips).insert(key, wanted);
            return Ok(Told::Vip(key));
        }
        self.vip_room(key)?;
        let vips = Arc::clone(&self.new.vips);
        let has = |n| vips.values().any(|v| v.number == n);
        let number = self.new.vip_numbers.take(&NUMBERS, self.now, has);
        let number = number
            .ok_or_else(|| Refusal::failed("all 65,535 VIP numbers were in use within the last hour"))?;
        let vip = v1::Vip {
            pool: request.pool.clone(),
            address: key.address.to_string(),
            protocol: i32::from(key.protocol),
            port: u32::from(key.port),
            flags,
            timeout_class: request.timeout_class,
            number,
            hash_key: self.random,
        };
        Arc::make_mut(&mut self.new.vips).insert(key, vip);
        self.event("vip.bound", &request.pool, "", format!("{key}, number {number}"));
        Ok(Told::Vip(key))
    }

    /// Packets of an IPv6 VIP need backends with IPv6 addresses.
    fn can_carry(&self, pool: &str, key: VipKey) -> Result<(), Refusal> {
        let pool = self.pool(pool)?;
        for backend in pool.backends.values() {
            let address = backend.spec.address.parse::<IpAddr>();
            if address == Ok(key.address) {
                return Err(Refusal::invalid(format!(
                    "{} is the address of a backend, `{}`",
                    key.address, backend.spec.name
                )));
            }
            if key.address.is_ipv6() && matches!(address, Ok(IpAddr::V4(_))) {
                return Err(Refusal::invalid(format!(
                    "VIP {key} is IPv6, and backend `{}` of pool `{}` is IPv4: IPv6 packets reach IPv6 backends only",
                    backend.spec.name, pool.about.name
                )));
            }
        }
        Ok(())
    }

    fn vip_room(&self, key: VipKey) -> Result<(), Refusal> {
        let room = &self.new.settings;
        let same = |k: &&VipKey| k.address.is_ipv4() == key.address.is_ipv4();
        let family: Vec<VipKey> = self.new.vips.keys().filter(same).copied().chain([key]).collect();
        let exact = family.iter().filter(|k| k.port != 0).count();
        let addresses: BTreeSet<IpAddr> = family.iter().map(|k| k.address).collect();
        let any = family.len() - exact + addresses.len();
        if exact > room.vips as usize {
            return Err(Refusal::failed(format!(
                "there are {} VIPs with a port, as many as there is room for",
                room.vips
            )));
        }
        if any > room.any as usize {
            return Err(Refusal::failed(format!(
                "addresses of VIPs and VIPs for any port are {} together, as many as there is room for",
                room.any
            )));
        }
        Ok(())
    }

    pub(super) fn unbind(&mut self, request: &v1::UnbindVipRequest) -> Result<Told, Refusal> {
        let key = key(&request.address, request.protocol, request.port)?;
        if !self.new.vips.contains_key(&key) {
            return Ok(Told::Nothing);
        }
        if let Some(vip) = Arc::make_mut(&mut self.new.vips).remove(&key) {
            let until = self.now + self.new.settings.reuse_after_ms;
            self.new.vip_numbers.give_back(vip.number, self.now, until);
            self.event("vip.unbound", &vip.pool, "", key.to_string());
        }
        Ok(Told::Nothing)
    }
}
