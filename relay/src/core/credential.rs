//! Who may take or join which handle: the platform's signed token (a JWT), or anybody with `--dev`.
//! It does not know where keys come from. A token counts only for the handle it names, and only until it expires.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use wire::Handle;
use wire::limits::CREDENTIAL_MAX;

use super::{Failure, refused_as};
use crate::limits::CREDENTIAL_LEEWAY_S;

/// The rule of this relay.
#[derive(Debug)]
pub enum CredentialCheck {
    /// `--dev`: any handle for anybody.
    Nobody,
    /// Tokens of the platform.
    Jwt(Box<JwtCheck>),
}

/// How a platform's tokens are checked.
pub struct JwtCheck {
    key: DecodingKey,
    validation: Validation,
    handle_claim: String,
}

impl fmt::Debug for JwtCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key: _,
            validation,
            handle_claim,
        } = self;
        write!(f, "JwtCheck({:?}, {handle_claim})", validation.algorithms)
    }
}

/// What signs the platform's tokens.
#[derive(Clone)]
pub enum JwtKey {
    /// A public key: RSA, P-256, P-384 or Ed25519.
    Pem(Vec<u8>),
    /// A shared secret, for HS256.
    Secret(Vec<u8>),
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(_) => f.write_str("Pem"),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

/// Which tokens of that key count.
#[derive(Clone, Debug, Default)]
pub struct JwtRules {
    /// `iss` must be this.
    pub issuer: Option<String>,
    /// `aud` must hold this.
    pub audience: Option<String>,
    /// Which claim names the handle; `handle` if nothing else is said.
    pub handle_claim: Option<String>,
}

impl JwtCheck {
    /// From a key and rules.
    ///
    /// # Errors
    /// A sentence, if the key is of no kind that is known or a secret too short to be one.
    pub fn new(key: &JwtKey, rules: JwtRules) -> Result<Self, String> {
        let (key, algorithms) = match key {
            JwtKey::Pem(pem) => public_key(pem)?,
            JwtKey::Secret(secret) if secret.len() < SECRET_MIN => {
                return Err(format!("a JWT secret has at least {SECRET_MIN} bytes"));
            }
            JwtKey::Secret(secret) => (DecodingKey::from_secret(secret), vec![Algorithm::HS256]),
        };
        let mut validation = Validation::default();
        validation.algorithms = algorithms;
        // Time is an argument here, so expiry is checked below and not by the library.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let mut required = vec!["exp"];
        if let Some(issuer) = &rules.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &rules.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        Ok(Self {
            key,
            validation,
            handle_claim: rules.handle_claim.unwrap_or_else(|| "handle".to_owned()),
        })
    }

    /// Whom a token names, if it is good now.
    fn named(&self, token: &str, now: u64) -> Option<Handle> {
        let token = jsonwebtoken::decode::<Value>(token, &self.key, &self.validation).ok()?;
        let now_s = now / 1000;
        let time = |name: &str| token.claims.get(name).and_then(Value::as_f64);
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds since 1970 are exact in a double"
        )]
        let (early, late) = (
            now_s.saturating_sub(CREDENTIAL_LEEWAY_S) as f64,
            (now_s + CREDENTIAL_LEEWAY_S) as f64,
        );
        let in_time = time("exp").is_some_and(|exp| exp > early)
            && token
                .claims
                .get("nbf")
                .is_none_or(|_| time("nbf").is_some_and(|nbf| nbf <= late));
        let named = token.claims.get(&self.handle_claim).and_then(Value::as_str);
        let named = named.filter(|_| in_time);
        named.and_then(|named| named.parse().ok())
    }
}

impl CredentialCheck {
    /// Whether registration needs a credential.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Jwt(_) => true,
        }
    }

    /// Refuses with 401 unless the credential is good for this handle now.
    pub(super) fn check(
        &self,
        credential: Option<&str>,
        handle: &Handle,
        now: u64,
    ) -> Result<(), Failure> {
        let good = match self {
            Self::Nobody => true,
            Self::Jwt(_) => self.named(credential, now)?.as_ref() == Some(handle),
        };
        if good { Ok(()) } else { Err(bad()) }
    }

    /// Whom the credential names; nobody, if none is wanted. Refuses with 401 one that is wanted and not good.
    pub(super) fn named(
        &self,
        credential: Option<&str>,
        now: u64,
    ) -> Result<Option<Handle>, Failure> {
        match self {
            Self::Nobody => Ok(None),
            Self::Jwt(check) => {
                let jwt = credential.filter(|jwt| jwt.len() <= CREDENTIAL_MAX);
                let named = jwt.and_then(|jwt| check.named(jwt, now));
                named.map(Some).ok_or_else(bad)
            }
        }
    }
}

fn bad() -> Failure {
    refused_as(401, "credential_refused")
}

/// The kind of key says which algorithms count, never the token.
fn public_key(pem: &[u8]) -> Result<(DecodingKey, Vec<Algorithm>), String> {
    if let Ok(key) = DecodingKey::from_ed_pem(pem) {
        return Ok((key, vec![Algorithm::EdDSA]));
    }
    if let Ok(key) = DecodingKey::from_ec_pem(pem) {
        return Ok((key, vec![Algorithm::ES256, Algorithm::ES384]));
    }
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        let rsa = [
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ];
        return Ok((key, rsa.to_vec()));
    }
    Err("the JWT key is no PEM public key of RSA, EC or Ed25519".to_owned())
}

/// HS256 is as strong as its secret.
const SECRET_MIN: usize = 32;
