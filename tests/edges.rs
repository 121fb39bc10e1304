//! The edges between crates that must not be there, read from what Cargo would build.
//!
//! Invariants: the relay has no code that could decrypt; the engine has no browser and no runtime; wire has no cryptography.
//! Only normal dependencies count, on the machine the test runs on: what tests and build scripts use does not ship.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

type Checked = Result<(), Broken>;

/// Which rule is broken, and where; shown as it is written.
struct Broken(String);

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names of all crates that `package` reaches.
fn reached_by(package: &str) -> Result<BTreeSet<String>, Broken> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--package",
            package,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| Broken(format!("cargo tree: {error}")))?;
    if !output.status.success() {
        return Err(Broken(format!(
            "cargo tree -p {package}: {}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    Ok(names
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect())
}

/// A name that ends in `*` stands for all that begin so.
fn stands_for(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn never(package: &str, patterns: &[&str]) -> Checked {
    let reached = reached_by(package)?;
    let forbidden = |name: &&String| patterns.iter().any(|pattern| stands_for(pattern, name));
    let broken: Vec<&str> = reached
        .iter()
        .filter(forbidden)
        .map(String::as_str)
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Broken(format!(
        "{package} reaches {}; cargo tree -p {package} -i NAME shows how",
        broken.join(", ")
    )))
}

#[test]
fn the_relay_has_no_code_that_could_decrypt() -> Checked {
    never(
        "relay",
        &[
            "engine",
            "lockstep",
            "libsignal-protocol*",
            "spqr*",
            "signal-crypto*",
        ],
    )
}

#[test]
fn the_engine_has_no_browser_and_no_runtime() -> Checked {
    let runtimes = ["async-std", "futures-executor", "smol", "tokio*"];
    never("engine", &runtimes)?;
    never(
        "engine",
        &[
            "idb",
            "js-sys",
            "relay",
            "rexie",
            "wasm-bindgen*",
            "web-sys",
        ],
    )
}

#[test]
fn wire_has_no_cryptography_and_nothing_of_ours() -> Checked {
    let ciphers = [
        "aes*",
        "blake*",
        "chacha20*",
        "cipher",
        "ctr",
        "ghash",
        "openssl*",
        "poly1305",
        "ring",
        "rsa",
        "rustls*",
    ];
    let keys = [
        "boring*",
        "curve25519*",
        "ed25519*",
        "elliptic-curve",
        "libcrux*",
        "p256",
        "x25519*",
    ];
    let hashes = ["digest", "hkdf", "hmac", "md-5", "sha1", "sha2", "sha3"];
    never("wire", &ciphers)?;
    never("wire", &keys)?;
    never("wire", &hashes)?;
    never(
        "wire",
        &[
            "engine",
            "libsignal*",
            "lockstep",
            "rand",
            "relay",
            "signal-crypto*",
            "spqr*",
        ],
    )
}

/// Without this, a tree that could not be read would pass for one without edges.
#[test]
fn the_edges_that_must_be_there_are_seen() -> Checked {
    for (package, needed) in [
        ("engine", "wire"),
        ("engine", "libsignal-protocol*"),
        ("relay", "wire"),
        ("lockstep", "engine"),
    ] {
        if !reached_by(package)?
            .iter()
            .any(|name| stands_for(needed, name))
        {
            return Err(Broken(format!("{package} is not seen to reach {needed}")));
        }
    }
    Ok(())
}
