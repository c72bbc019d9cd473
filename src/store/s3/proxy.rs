/*! Proxies as the environment names them: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`,
in capitals or not, with `USER:PASSWORD@` before the host where a proxy wants to know who asks.

The HTTP client reads them by itself; here they are checked and named, never with a password. What
is on this machine or its own link (the sandbox, a local endpoint, a machine's metadata) is not gone
to through a proxy, whatever they say.
*/

use std::env;
use std::fmt;
use std::net::IpAddr;

use crate::store::{ErrorKind, StoreError};

/// A proxy, and who names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// The variable.
    pub(super) variable: &'static str,
    /// `http://HOST:PORT`, without user and password.
    url: String,
}

/// What requests to an endpoint go through; AWS's own endpoint when `None`. An error is a proxy
/// that cannot be used.
pub(super) fn to(endpoint: Option<&str>) -> Result<Option<Proxy>, StoreError> {
    find(endpoint.unwrap_or("https://amazonaws.com"), |name| {
        env::var(name).ok()
    })
}

/// Whether a client for an endpoint needs to know of proxies. An endpoint that the settings do not
/// tell may be AWS's, or the one of AWS_ENDPOINT_URL or a profile.
pub(super) fn are_wanted(endpoint: Option<&str>) -> Result<bool, StoreError> {
    if endpoint.is_some() {
        return Ok(to(endpoint)?.is_some());
    }
    let plain = find("http://anywhere.invalid", |name| env::var(name).ok());
    Ok(to(None)?.is_some() || plain.is_ok_and(|proxy| proxy.is_some()))
}

/// Whether a URL is of this machine or its own link.
pub(super) fn is_at_hand(url: &str) -> bool {
    let host = host_of(url);
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    match host.parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback(),
        Err(_) => false,
    }
}

fn find(url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, StoreError> {
    let first = |names: [&'static str; 2]| {
        let said = names
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)));
        said.filter(|(_, text)| !text.is_empty())
    };
    let is_plain = url.starts_with("http://");
    let own = if is_plain {
        first(["HTTP_PROXY", "http_proxy"])
    } else {
        first(["HTTPS_PROXY", "https_proxy"])
    };
    let Some((name, text)) = own.or_else(|| first(["ALL_PROXY", "all_proxy"])) else {
        return Ok(None);
    };
    let none = first(["NO_PROXY", "no_proxy"]);
    if is_at_hand(url) || none.is_some_and(|(_, list)| lists(&list, host_of(url))) {
        return Ok(None);
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", &text));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let proxy = Proxy {
        variable: name,
        url: format!("{scheme}://{place}"),
    };
    if matches!(scheme, "http" | "https")
        && !place.is_empty()
        && !text.contains(char::is_whitespace)
    {
        return Ok(Some(proxy));
    }
    let message = format!(
        "{proxy} cannot be used; write {name}=http://[USER:PASSWORD@]HOST:PORT, or add the endpoint's host to NO_PROXY"
    );
    Err(StoreError::new("connect", "", ErrorKind::Fatal, message))
}

/// Whether a list of hosts has a host or a domain it is in. Networks are left to the HTTP client.
fn lists(list: &str, host: &str) -> bool {
    list.split(',').map(str::trim).any(|one| {
        let domain = one.trim_start_matches('.');
        one == "*"
            || (!domain.is_empty() && host == domain)
            || host.ends_with(&format!(".{domain}"))
    })
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    if let Some(bracketed) = place.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    place.split(':').next().unwrap_or_default()
}

impl Proxy {
    /// What to say when it refuses to let anything through.
    pub(super) fn refusal(&self) -> String {
        let name = self.variable;
        format!("{self} refuses us (407): check the user and the password in {name}")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} ({})", self.url, self.variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_proxies() {
        const AWS: &str = "https://s3.eu-west-1.amazonaws.com";
        let both = "HTTP_PROXY=http://u:secret@p:1 https_proxy=q:2";
        for (variables, url, expected) in [
            ("", AWS, ""),
            (both, AWS, "the proxy http://q:2 (https_proxy)"),
            (
                both,
                "http://store.example",
                "the proxy http://p:1 (HTTP_PROXY)",
            ),
            (both, "http://127.0.0.1:9000", ""),
            (both, "http://[::1]:9000/", ""),
            (both, "http://localhost", ""),
            (both, "http://bucket.localhost:1", ""),
            (both, "http://169.254.169.254/latest", ""),
            (
                "ALL_PROXY=https://u:p%40ss@p:1/",
                AWS,
                "the proxy https://p:1 (ALL_PROXY)",
            ),
            (
                "HTTPS_PROXY=http://u:p@ss@p:1",
                AWS,
                "the proxy http://p:1 (HTTPS_PROXY)",
            ),
            ("ALL_PROXY=http://p NO_PROXY=a.b,.amazonaws.com", AWS, ""),
            (
                "ALL_PROXY=http://p NO_PROXY=azonaws.com",
                AWS,
                "the proxy http://p (ALL_PROXY)",
            ),
            ("ALL_PROXY=http://p no_proxy=*", AWS, ""),
            (
                "HTTPS_PROXY= ALL_PROXY=http://p",
                AWS,
                "the proxy http://p (ALL_PROXY)",
            ),
            (
                "ALL_PROXY=socks5://u:secret@p:1",
                AWS,
                "refused: socks5://p:1",
            ),
            ("HTTPS_PROXY=http://u:secret@", AWS, "refused: http://"),
        ] {
            let value = |name: &str| {
                let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
                pairs
                    .find(|(one, _)| *one == name)
                    .map(|(_, value)| value.to_owned())
            };
            let told = match find(url, value) {
                Ok(None) => String::new(),
                Ok(Some(proxy)) => proxy.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(!told.contains("secret") && !told.contains("ss@"), "{told}");
            match expected.strip_prefix("refused: ") {
                Some(place) => assert!(
                    told.contains(&format!("{place} (")) && told.contains("cannot be used"),
                    "{told}"
                ),
                None => assert_eq!(told, expected, "{variables} {url}"),
            }
        }
    }
}
