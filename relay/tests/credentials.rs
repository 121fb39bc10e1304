//! Registration with the platform's tokens, for every kind of key that is taken.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use support::person::Person;
use support::{Relay, Socket, register_with};
use wire::Endpoint;
use wire::body::{Capabilities, Refusal, from_json};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");

fn public(name: &str) -> String {
    format!("{KEYS}/{name}-public.pem")
}

fn private(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(KEYS).join(format!("{name}-private.pem"))).unwrap()
}

fn soon() -> u64 {
    jsonwebtoken::get_current_timestamp() + 300
}

fn jwt(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).unwrap()
}

/// The status and code of a registration as `alice`.
async fn outcome(relay: &Relay, credential: Option<String>) -> (u16, String) {
    let mut alice = Person::new("alice", 1);
    let answer = register_with(relay.port(), &mut alice, credential).await;
    let code = from_json::<Refusal>(&answer.body).map(|refusal| refusal.code);
    (answer.status, code.unwrap_or_default())
}

fn refused() -> (u16, String) {
    (401, "credential_refused".to_owned())
}

#[tokio::test]
async fn a_token_of_each_kind_of_key_registers_its_handle() {
    let ed = EncodingKey::from_ed_pem(&private("ed")).unwrap();
    let ec = EncodingKey::from_ec_pem(&private("ec")).unwrap();
    let rsa = EncodingKey::from_rsa_pem(&private("rsa")).unwrap();
    for (name, algorithm, key) in [
        ("ed", Algorithm::EdDSA, ed),
        ("ec", Algorithm::ES256, ec),
        ("rsa", Algorithm::RS256, rsa),
    ] {
        let relay = Relay::start(&["--jwt-key", &public(name)]).await;
        let good = jwt(
            algorithm,
            &key,
            &json!({ "handle": "alice", "exp": soon() }),
        );
        assert_eq!(outcome(&relay, None).await, refused());
        assert_eq!(outcome(&relay, Some(good)).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_for_this_handle_now_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let secret = "a secret of more than thirty-two bytes";
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let rules = ["--jwt-issuer", "platform", "--jwt-audience", "lockstep"];
    let secret_file = ["--jwt-secret", file.to_str().unwrap()];
    let claim = ["--jwt-handle-claim", "sub"];
    let relay = Relay::start(&[&rules[..], &secret_file, &claim].concat()).await;

    let key = EncodingKey::from_secret(secret.as_bytes());
    let good = json!({ "sub": "alice", "exp": soon(), "iss": "platform", "aud": "lockstep" });
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        jwt(Algorithm::HS256, &key, &claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        jwt(Algorithm::HS256, &key, &claims)
    };
    let other_key = EncodingKey::from_secret(b"another secret of more than 32 bytes");
    for bad in [
        changed("sub", json!("bob")),
        changed("sub", json!(7)),
        changed("exp", json!(1_000_000)),
        changed("nbf", json!(soon())),
        changed("iss", json!("elsewhere")),
        changed("aud", json!("another")),
        without("sub"),
        without("exp"),
        without("iss"),
        without("aud"),
        jwt(Algorithm::HS256, &other_key, &good),
        jwt(Algorithm::HS512, &key, &good),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.".to_owned(),
        "nonsense".to_owned(),
    ] {
        assert_eq!(outcome(&relay, Some(bad)).await, refused());
    }
    let good = jwt(Algorithm::HS256, &key, &good);
    assert_eq!(outcome(&relay, Some(good)).await.0, 200);
}

#[tokio::test]
async fn a_public_key_is_never_taken_for_a_shared_secret() {
    let relay = Relay::start(&["--jwt-key", &public("rsa")]).await;
    let pem = std::fs::read(public("rsa")).unwrap();
    let claims = json!({ "handle": "alice", "exp": soon() });
    let forged = jwt(Algorithm::HS256, &EncodingKey::from_secret(&pem), &claims);
    assert_eq!(outcome(&relay, Some(forged)).await, refused());
}

#[tokio::test]
async fn capabilities_say_whether_a_credential_is_needed() {
    for (arguments, needed) in [
        (vec!["--dev"], false),
        (vec!["--jwt-key", &public("ed")], true),
    ] {
        let relay = Relay::start(&arguments).await;
        let mut socket = Socket::open(relay.port()).await;
        let answer = socket.ask(Endpoint::Capabilities, &[]).await;
        let capabilities: Capabilities = from_json(&answer.body).unwrap();
        assert_eq!(capabilities.credential_required, needed);
        assert!(capabilities.bundles && capabilities.handles);
    }
}
