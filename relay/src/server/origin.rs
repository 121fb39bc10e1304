//! Which pages may open sockets here: our own, and those that were allowed by name.
//!
//! A browser sends `Origin` with every socket and a page can't change it; native clients send none and
//! are no danger, since they have no cookies or network position of a victim.

use axum::http::{HeaderMap, Uri, header};

use crate::config::Config;

/// The rule of this relay.
#[derive(Debug)]
pub(super) struct Rule {
    allowed: Vec<String>,
    loopback_only: bool,
}

impl Rule {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            allowed: config
                .allow_origin
                .iter()
                .map(|name| host_of(name))
                .collect(),
            loopback_only: config.dev,
        }
    }

    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return true;
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if !origin.contains("://") {
            return false; // "null": a sandboxed frame or a file
        }
        let origin = host_of(origin);
        if self.allowed.contains(&origin) {
            return true;
        }
        // With --dev a name that someone else points at 127.0.0.1 is not our own page.
        if self.loopback_only && !is_loopback(&origin) {
            return false;
        }
        host(headers).is_some_and(|host| host.eq_ignore_ascii_case(&origin))
    }
}

/// The `Host` of a request, if it is a name with or without a port and nothing else.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let clean = !host.is_empty()
        && host.len() <= 255
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b));
    clean.then_some(host)
}

fn host_of(origin: &str) -> String {
    let rest = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    rest.trim_end_matches('/').to_ascii_lowercase()
}

fn is_loopback(host: &str) -> bool {
    let name = format!("http://{host}")
        .parse::<Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned))
        .unwrap_or_default();
    let ip = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || ip
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &Rule, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        rule.allows(&headers)
    }

    fn rule(allowed: &[&str], loopback_only: bool) -> Rule {
        Rule {
            allowed: allowed.iter().map(|name| host_of(name)).collect(),
            loopback_only,
        }
    }

    #[test]
    fn only_our_own_pages_and_named_ones_open_sockets() {
        let rule = rule(&["https://app.example"], false);
        assert!(allows(&rule, "relay.example", None));
        assert!(allows(
            &rule,
            "relay.example",
            Some("https://relay.example")
        ));
        assert!(allows(&rule, "relay.example", Some("https://APP.example")));
        assert!(!allows(
            &rule,
            "relay.example",
            Some("https://evil.example")
        ));
        assert!(!allows(
            &rule,
            "relay.example",
            Some("https://relay.example:81")
        ));
        assert!(!allows(&rule, "relay.example", Some("null")));
    }

    #[test]
    fn with_dev_a_foreign_name_for_loopback_is_refused() {
        let rule = rule(&[], true);
        assert!(allows(
            &rule,
            "localhost:8480",
            Some("http://localhost:8480")
        ));
        assert!(allows(&rule, "[::1]:8480", Some("http://[::1]:8480")));
        assert!(!allows(
            &rule,
            "evil.example:8480",
            Some("http://evil.example:8480")
        ));
    }

    #[test]
    fn a_host_with_odd_characters_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "a; script-src *".parse().unwrap());
        assert_eq!(host(&headers), None);
    }
}
