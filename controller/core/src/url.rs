//! The readiness URL of a backend.

use crate::Refusal;
use control_proto::v1::probe::How;
use control_proto::v1::{HttpProbe, Probe, TcpProbe};
use std::net::IpAddr;

/// Bytes of a URL at most.
const LONGEST: usize = 2048;

/// The probe that `url` asks for, of a backend at `address`. The probe always goes to the backend's own address: another
/// host's word says nothing about it.
pub(crate) fn probe(url: &str, address: IpAddr) -> Result<Probe, Refusal> {
    let bad = |why: String| Refusal::invalid(format!("readiness URL `{}`: {why}", shown(url)));
    if url.len() > LONGEST {
        return Err(bad(format!("{} bytes; at most {LONGEST}", url.len())));
    }
    if let Some(c) = url.chars().find(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        return Err(bad(format!("the character {c:?} has to be percent-encoded")));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(bad("write http://, https:// or tcp://, as in http:///ready or tcp://:8080".into()));
    };
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(cut);
    if authority.contains('@') {
        return Err(bad("a user's name has no place in it".into()));
    }
    let (host, port) = host_and_port(authority).map_err(bad)?;
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>()
        && ip != address
    {
        return Err(bad(format!(
            "{ip} can't be reached as this backend, which is at {address}; leave the host out, as in {scheme}:///ready"
        )));
    }
    let how = match scheme {
        "http" | "https" => {
            let path = path.split('#').next().unwrap_or_default();
            let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            How::Http(HttpProbe {
                tls: scheme == "https",
                path,
                host: host.to_owned(),
                ..HttpProbe::default()
            })
        }
        "tcp" if path.is_empty() || path == "/" => How::Tcp(TcpProbe {}),
        "tcp" => return Err(bad("tcp:// has no path".into())),
        other => return Err(bad(format!("`{other}` is none of http, https and tcp"))),
    };
    Ok(Probe { how: Some(how), port, ..Probe::default() })
}

fn host_and_port(authority: &str) -> Result<(&str, u32), String> {
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address.
        Some((_, port)) if port.ends_with(']') => (authority, None),
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port = match port {
        None => 0,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 => u32::from(port),
            _ => return Err(format!("`{}` is no port (1 to 65535)", shown(text))),
        },
    };
    let legal = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok()),
        None => host.len() <= 253 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    if !legal {
        return Err(format!("`{}` is no host; IPv6 addresses stand in brackets", shown(host)));
    }
    Ok((host, port))
}

/// As much as fits into a message.
fn shown(text: &str) -> String {
    let cut = text.chars().take(80).collect::<String>();
    if cut.len() < text.len() { format!("{cut}...") } else { cut }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(url: &str, wanted: Result<(&str, u32, &str), &str>) {
        let read = probe(url, "10.1.0.11".parse().unwrap());
        match wanted {
            Ok((host, port, path)) => {
                let read = read.unwrap_or_else(|e| panic!("{url}: {e}"));
                assert_eq!(read.port, port, "{url}");
                let (read_host, read_path) = match read.how.unwrap() {
                    How::Http(http) => {
                        assert_eq!(http.tls, url.starts_with("https"), "{url}");
                        (http.host, http.path)
                    }
                    How::Tcp(_) => (String::new(), String::new()),
                };
                assert_eq!((read_host.as_str(), read_path.as_str()), (host, path), "{url}");
            }
            Err(part) => {
                let text = read.expect_err(url).text;
                assert!(text.contains(part), "{url}: {text}");
            }
        }
    }

    #[test]
    fn urls() {
        check("http:///ready", Ok(("", 0, "/ready")));
        check("http://:8080", Ok(("", 8080, "/")));
        check("https://shop.example:8443/a?b=c#d", Ok(("shop.example", 8443, "/a?b=c")));
        check("http://10.1.0.11?x", Ok(("10.1.0.11", 0, "/?x")));
        check("tcp://:9000", Ok(("", 9000, "")));
        check("http://10.1.0.12/ready", Err("10.1.0.12 can't be reached as this backend"));
        check("http://[2001:db8::1]:80/", Err("can't be reached"));
        check("http://2001:db8::1/", Err("brackets"));
        check("http://:0/", Err("`0` is no port"));
        check("http://:70000/", Err("`70000` is no port"));
        check("http://a b/", Err("percent-encoded"));
        check("ftp://a/", Err("`ftp` is none of"));
        check("/ready", Err("write http://"));
        check("tcp://:1/x", Err("has no path"));
        check("http://me@a/", Err("user"));
        check(&format!("http://{}", "a".repeat(3000)), Err("at most 2048"));
    }
}
