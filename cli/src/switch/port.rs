//! A port as it is written: `1@eth0`, `1@tap:gw0`, `1@pcap:in.pcap:out.pcap`, `1@ring:/dev/shm/lb`.

use std::fmt;
use std::str::FromStr;

/// A port's number and its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortArg {
    pub(crate) number: u32,
    pub(crate) device: String,
}

impl fmt::Display for PortArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.number, self.device)
    }
}

impl PortArg {
    /// True for the name of an interface, which has no colon in it.
    pub(crate) fn is_interface(&self) -> bool {
        !self.device.contains(':')
    }
}

/// An interface's name, as the kernel allows it.
pub(crate) fn interface(name: &str) -> Result<String, String> {
    let allowed = |c: char| !c.is_whitespace() && !"/:".contains(c);
    if name.is_empty() || name.len() > 15 || !name.chars().all(allowed) {
        return Err(format!("`{name}` is no interface name: 1 to 15 bytes, without space, `/` and `:`"));
    }
    Ok(name.to_owned())
}

impl FromStr for PortArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, device) = text.split_once('@').ok_or("write N@IFACE, as in 1@eth0")?;
        let number = number.parse().map_err(|_| format!("`{number}` is no port number"))?;
        match device.split_once(':') {
            None => drop(interface(device)?),
            Some(("tap", name)) => drop(interface(name)?),
            Some(("pcap", files)) if !files.is_empty() && !files.starts_with(':') => {}
            Some(("pcap", _)) => return Err("write N@pcap:IN or N@pcap:IN:OUT".into()),
            Some(("ring", path)) if !path.is_empty() => {}
            Some(("ring", _)) => return Err("write N@ring:FILE, as in 1@ring:/dev/shm/lb".into()),
            Some((kind, _)) => {
                return Err(format!(
                    "there is no device `{kind}:`; there are N@IFACE, N@tap:NAME, N@pcap:IN[:OUT], N@ring:FILE"
                ));
            }
        }
        Ok(Self { number, device: device.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_a_number_and_a_device() {
        for good in [
            "7@eth0",
            "0@tap:gw0",
            "1@pcap:in.pcap",
            "1@pcap:in.pcap:out.pcap",
            "1@ring:/dev/shm/lb",
            "4294967295@veth-a.100",
        ] {
            assert_eq!(good.parse::<PortArg>().map(|p| p.to_string()).as_deref(), Ok(good));
        }
        for wrong in [
            "eth0",
            "x@eth0",
            "1@",
            "1@a-name-far-too-long",
            "-1@eth0",
            "1@tap:",
            "1@pcap:",
            "1@pcap::out",
            "1@ring:",
            "1@a/b",
            "1@udp:x",
            "4294967296@eth0",
        ] {
            assert!(wrong.parse::<PortArg>().is_err(), "{wrong}");
        }
    }
}
