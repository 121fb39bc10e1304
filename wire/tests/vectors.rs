//! Known cases on disk: `wire/vectors/*.txt`, one a file, named by the fault, each with its verdict.
//! They hold for any implementation of the protocol; nothing in them was made by this crate.
//!
//! ```text
//! kind: frame | bundle | ... (see `judge`)
//! verdict: ok, or why it is refused
//! means: what it was decoded to (only with ok)
//! note: one sentence
//! hex: bytes, over as many lines as needed; or   text: one line
//! then: 4194304 x 00 (optional: so many of this byte follow)
//! ```

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::{fs, io};

use wire::basic::Basic;
use wire::body;
use wire::bundle::{AccountMismatch, Bundle, BundleAccepted};
use wire::link_uri::{LinkUri, LinkUriError};
use wire::{AccountId, BlobId, Endpoint, Envelope, Frame, Handle, MessageId, RelayRequest};

/// What became of a payload: its meaning, or the reason it was refused.
type Verdict = Result<String, String>;

#[test]
fn every_vector_gets_its_verdict() {
    let vectors = vectors().expect("the folder of vectors can be read");
    assert!(
        vectors.len() >= 25,
        "only {} vectors were found",
        vectors.len()
    );
    let wrong: Vec<String> = vectors.iter().filter_map(|path| run(path).err()).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_vector_of_unknown_kind_fails() {
    let fields = "kind: nonsense\nverdict: ok\nmeans: x\nnote: x\ntext: x";
    assert!(check("x_y", fields).is_err_and(|why| why.contains("unknown kind")));
}

#[test]
fn a_vector_without_verdict_fails() {
    let fields = "kind: handle\nnote: x\ntext: alice";
    assert!(check("handle_x", fields).is_err_and(|why| why.contains("verdict")));
}

#[test]
fn a_vector_with_the_wrong_verdict_fails() {
    let good = "kind: handle\nverdict: ok\nmeans: Handle(\"alice\")\nnote: x\ntext: alice";
    assert_eq!(check("handle_x", good), Ok(()));
    assert!(
        check(
            "handle_x",
            &good.replace("ok\nmeans: Handle(\"alice\")", "handle is invalid")
        )
        .is_err()
    );
    assert!(
        check(
            "handle_x",
            &good.replace("Handle(\"alice\")", "Handle(\"bob\")")
        )
        .is_err()
    );
}

/// The one place that knows the kinds.
fn judge(kind: &str, payload: &[u8]) -> Option<Verdict> {
    let text = || std::str::from_utf8(payload).map_err(|_| "not UTF-8".to_owned());
    Some(match kind {
        "frame" => frame(payload),
        "bundle" => decoded(Bundle::decode(payload)),
        "bundle_accepted" => decoded(BundleAccepted::decode(payload)),
        "bundle_mismatch" => decoded(AccountMismatch::decode_all(payload)),
        "envelope" => decoded(Envelope::decode(payload)),
        "endpoint" => text().and_then(endpoint),
        "relay_request" => text().and_then(relay_request),
        "link_uri" => text().and_then(link_uri),
        "basic" => text().and_then(|text| decoded(Basic::parse(text))),
        "basic_address" => {
            text().and_then(|text| decoded(Basic::parse(text).and_then(|basic| basic.address())))
        }
        "handle" => text().and_then(|text| decoded(text.parse::<Handle>())),
        "account_id" => text().and_then(|text| decoded(text.parse::<AccountId>())),
        "message_id" => text().and_then(|text| decoded(text.parse::<MessageId>())),
        "blob_id" => text().and_then(|text| match text.parse::<BlobId>() {
            Ok(id) => Ok(format!("{id} {:?}", id.as_bytes())),
            Err(error) => Err(error.to_string()),
        }),
        "register" => decoded(body::from_json::<body::Register>(payload)),
        "link_device" => decoded(body::from_json::<body::LinkDevice>(payload)),
        "set_keys" => decoded(body::from_json::<body::SetKeys>(payload)),
        "pre_key_response" => decoded(body::from_json::<body::PreKeyResponse>(payload)),
        "send_messages" => decoded(body::from_json::<body::SendMessages>(payload)),
        "mismatched_devices" => decoded(body::from_json::<body::MismatchedDevices>(payload)),
        _ => return None,
    })
}

fn decoded<T: Debug, E: Display>(result: Result<T, E>) -> Verdict {
    match result {
        Ok(value) => Ok(format!("{value:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// With headers and path, which `Debug` leaves out.
fn frame(payload: &[u8]) -> Verdict {
    let frame = Frame::decode(payload).map_err(|error| error.to_string())?;
    Ok(match frame {
        Frame::Request(request) => format!("{request:?} {} {:?}", request.path, request.headers),
        Frame::Response(response) => format!("{response:?} {:?}", response.headers),
    })
}

fn endpoint(text: &str) -> Verdict {
    let (verb, path) = text.split_once(' ').ok_or("no verb")?;
    let endpoint = Endpoint::parse(verb, path).ok_or("unknown")?;
    Ok(format!("{endpoint:?}"))
}

fn relay_request(text: &str) -> Verdict {
    let (verb, path) = text.split_once(' ').ok_or("no verb")?;
    let request = RelayRequest::parse(verb, path).ok_or("unknown")?;
    Ok(format!("{request:?}"))
}

fn link_uri(text: &str) -> Verdict {
    match LinkUri::parse(text) {
        Ok(LinkUri {
            address,
            public_key,
            name,
        }) => {
            let sum: u32 = public_key.iter().map(|byte| u32::from(*byte)).sum();
            Ok(format!(
                "address {address}, key {} summing to {sum}, name {name:?}",
                public_key[0]
            ))
        }
        Err(LinkUriError::Malformed) => Err("malformed".to_owned()),
        Err(LinkUriError::Foreign) => Err("foreign".to_owned()),
    }
}

fn vectors() -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let entries = fs::read_dir(folder)?;
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths?;
    paths.sort();
    Ok(paths)
}

fn run(path: &Path) -> Result<(), String> {
    let name = path
        .file_stem()
        .and_then(|name| name.to_str())
        .ok_or("a file without a name")?;
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    check(name, &text)
}

fn check(name: &str, text: &str) -> Result<(), String> {
    let fields = fields(text).map_err(|why| format!("{name}: {why}"))?;
    let field = |key: &str| fields.get(key).ok_or(format!("{name}: no {key}"));
    let (kind, verdict) = (field("kind")?, field("verdict")?);
    field("note")?;
    let payload = payload(&fields).map_err(|why| format!("{name}: {why}"))?;
    let expected = if verdict == "ok" {
        Ok(field("means")?.clone())
    } else {
        Err(verdict.clone())
    };
    let found = judge(kind, &payload).ok_or(format!("{name}: unknown kind {kind}"))?;
    if found == expected {
        return Ok(());
    }
    let said = |verdict: Verdict| verdict.unwrap_or_else(|why| format!("refused: {why}"));
    Err(format!(
        "{name}\n  expected {}\n  found    {}",
        said(expected),
        said(found)
    ))
}

/// `key: value` lines; a line that starts with a space goes on with the value before it.
fn fields(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some(more) = line.strip_prefix(' ') {
            fields
                .get_mut(&last)
                .ok_or("goes on with nothing")?
                .push_str(more);
            continue;
        }
        let (key, value) = line
            .split_once(": ")
            .ok_or(format!("not a field: {line}"))?;
        if !["kind", "verdict", "means", "note", "hex", "text", "then"].contains(&key) {
            return Err(format!("unknown field {key}"));
        }
        last = key.to_owned();
        if fields.insert(last.clone(), value.to_owned()).is_some() {
            return Err(format!("{key} twice"));
        }
    }
    Ok(fields)
}

fn payload(fields: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let mut bytes = match (fields.get("hex"), fields.get("text")) {
        (Some(hex), None) => unhex(hex)?,
        (None, Some(text)) => text.clone().into_bytes(),
        _ => return Err("neither hex nor text, or both".to_owned()),
    };
    if let Some(then) = fields.get("then") {
        let (count, byte) = then.split_once(" x ").ok_or("then: not `count x byte`")?;
        let count: usize = count.parse().map_err(|_| "then: not a count")?;
        let byte = *unhex(byte)?.first().ok_or("then: no byte")?;
        bytes.resize(bytes.len() + count, byte);
    }
    Ok(bytes)
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
    digits
        .chunks(2)
        .map(|pair| byte(pair).map_err(|_| "not hex".to_owned()))
        .collect()
}
