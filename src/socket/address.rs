//! Where the relay is, as the application wrote it, checked once.
//! `http` and `https` are taken for `ws` and `wss`, so that `location.origin` is an address.

use web_sys::Url;

/// The address of a relay: scheme, host and perhaps a folder; no query, no fragment, no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayAddress {
    base: String,
}

impl RelayAddress {
    /// Parses an address, or tells that it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::new(text).ok()?;
        let scheme = match url.protocol().as_str() {
            "ws:" | "http:" => "ws",
            "wss:" | "https:" => "wss",
            _ => return None,
        };
        let extra = [url.username(), url.password(), url.search(), url.hash()];
        if url.host().is_empty() || extra.iter().any(|part| !part.is_empty()) {
            return None;
        }
        let folder = url.pathname();
        let base = format!("{scheme}://{}{}", url.host(), folder.trim_end_matches('/'));
        Some(Self { base })
    }

    /// The address of something else at this path below the relay's address.
    #[must_use]
    pub fn http_url(&self, path: &str) -> String {
        // `ws` and `wss` are to `http` and `https` as they look.
        let url = self.socket_url(path);
        url.replacen("ws", "http", 1)
    }

    /// The address of a socket at this path below the relay's address.
    #[must_use]
    pub fn socket_url(&self, path: &str) -> String {
        format!("{}/{}", self.base, path.trim_start_matches('/'))
    }
}
