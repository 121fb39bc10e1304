//! The command line, with environment variables behind it. It says what is wrong in one sentence.
//! It opens nothing but the key file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use wire::limits::DEVICES_MAX;

use crate::core::Core;
use crate::core::credential::{CredentialCheck, JwtCheck, JwtKey, JwtRules};

/// The Lockstep relay: stores and forwards what it cannot read.
#[derive(Clone, Debug, Parser)]
#[command(name = "lockstep-relay", version)]
pub struct Config {
    /// Anybody may register any free handle; for development, on a loopback address only
    #[arg(long, env = "LOCKSTEP_DEV")]
    pub dev: bool,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "LOCKSTEP_LISTEN", default_value = "127.0.0.1:8480")]
    pub listen: SocketAddr,
    /// The database file; made if it is not there
    #[arg(long, env = "LOCKSTEP_DATA", default_value = ".lockstep/relay.db")]
    pub data: PathBuf,
    /// Folder for the bytes of attachments; without it, one beside the database
    #[arg(long, env = "LOCKSTEP_BLOBS")]
    pub blobs: Option<PathBuf>,
    /// Folder to serve at /
    #[arg(long, env = "LOCKSTEP_WWW")]
    pub www: Option<PathBuf>,
    /// Folder to serve at /pkg/
    #[arg(long, env = "LOCKSTEP_PKG")]
    pub pkg: Option<PathBuf>,
    /// Host (with port) of a page that may open sockets here besides our own; may be repeated
    #[arg(long, env = "LOCKSTEP_ALLOW_ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<String>,
    /// PEM file with the public key (RSA, EC or Ed25519) of the platform's tokens
    #[arg(long, env = "LOCKSTEP_JWT_KEY", conflicts_with = "jwt_secret")]
    pub jwt_key: Option<PathBuf>,
    /// File with the shared secret of the platform's tokens (HS256), at least 32 bytes
    #[arg(long, env = "LOCKSTEP_JWT_SECRET")]
    pub jwt_secret: Option<PathBuf>,
    /// Tokens must be from this issuer
    #[arg(long, env = "LOCKSTEP_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,
    /// Tokens must be for this audience
    #[arg(long, env = "LOCKSTEP_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// The claim that names the handle
    #[arg(long, env = "LOCKSTEP_JWT_HANDLE_CLAIM", default_value = "handle")]
    pub jwt_handle_claim: String,
    /// Devices of one account, at most 16
    #[arg(long, env = "LOCKSTEP_MAX_DEVICES", default_value_t = DEVICES_MAX)]
    pub max_devices: usize,
}

impl Config {
    /// Where the bytes of blobs are: `relay.blobs` beside `relay.db`, if no other folder was named.
    #[must_use]
    pub fn blobs_folder(&self) -> PathBuf {
        let beside = || self.data.with_extension("blobs");
        self.blobs.clone().unwrap_or_else(beside)
    }

    /// The rules that follow from it.
    ///
    /// # Errors
    /// A sentence to print.
    pub fn core(&self) -> Result<Core, String> {
        if !(1..=DEVICES_MAX).contains(&self.max_devices) {
            return Err(format!("--max-devices is from 1 to {DEVICES_MAX}"));
        }
        Ok(Core {
            credentials: self.credentials()?,
            devices_max: self.max_devices,
        })
    }

    fn credentials(&self) -> Result<CredentialCheck, String> {
        let key = match (&self.jwt_key, &self.jwt_secret) {
            (Some(path), _) => Some(JwtKey::Pem(read(path)?)),
            (None, Some(path)) => Some(JwtKey::Secret(without_newline(read(path)?))),
            (None, None) => None,
        };
        if self.dev && !self.listen.ip().is_loopback() {
            return Err(format!(
                "--dev lets anybody register, so it listens on a loopback address only, not on {}",
                self.listen.ip()
            ));
        }
        match key {
            Some(key) => {
                let rules = JwtRules {
                    issuer: self.jwt_issuer.clone(),
                    audience: self.jwt_audience.clone(),
                    handle_claim: Some(self.jwt_handle_claim.clone()),
                };
                JwtCheck::new(&key, rules).map(|check| CredentialCheck::Jwt(Box::new(check)))
            }
            None if self.dev => Ok(CredentialCheck::Nobody),
            None => Err(
                "who may register? give --jwt-key FILE (or --jwt-secret FILE), or --dev to let anybody"
                    .to_owned(),
            ),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{} can't be read: {error}", path.display()))
}

/// Editors end a file with one; nobody means it to be part of the secret.
fn without_newline(mut secret: Vec<u8>) -> Vec<u8> {
    while matches!(secret.last(), Some(b'\n' | b'\r')) {
        secret.pop();
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Config {
        Config::try_parse_from(std::iter::once(&"lockstep-relay").chain(arguments)).unwrap()
    }

    #[test]
    fn dev_refuses_every_address_but_loopback() {
        let error = config(&["--dev", "--listen", "0.0.0.0:1"])
            .core()
            .unwrap_err();
        assert!(error.contains("loopback"), "{error}");
        config(&["--dev", "--listen", "127.0.0.1:1"])
            .core()
            .unwrap();
        config(&["--dev", "--listen", "[::1]:1"]).core().unwrap();
    }

    #[test]
    fn without_dev_a_key_is_needed() {
        let error = config(&[]).core().unwrap_err();
        assert!(error.contains("--jwt-key"), "{error}");
    }

    #[test]
    fn more_devices_than_the_protocol_allows_are_refused() {
        config(&["--dev", "--max-devices", "17"])
            .core()
            .unwrap_err();
        config(&["--dev", "--max-devices", "0"]).core().unwrap_err();
    }
}
