//! Who this device is: its account, its address, its keys; and the prekeys it publishes.
//!
//! An account is first *pending* (stored, but the relay has not agreed), then ours. It does not
//! know how the relay is asked.

use hkdf::Hkdf;
use libsignal_protocol::kem;
use libsignal_protocol::{
    GenericSignedPreKey, IdentityKey, IdentityKeyPair, KeyPair, KyberPreKeyRecord, PreKeyRecord,
    PrivateKey, SignedPreKeyRecord, Timestamp as KeyTimestamp,
};
use rand::RngCore;
use rand_chacha::ChaCha20Rng;
use sha2::Sha256;
use wire::basic::Basic;
use wire::body::{AccountAttributes, Base64, KeyId, PreKey, SetKeys, SignedPreKey};
use wire::certificate::{Role, SignedCertificate};
use wire::{AccountId, DeviceAddress, DeviceId, Handle, RegistrationId};

use crate::error::{Error, StoreFault};
use crate::guard;
use crate::input::Timestamp;
use crate::limits::ONE_TIME_KEYS_BATCH;
use crate::record::{AccountRecord, ClockRecord, PreKeyKind, key};
use crate::service::Service;
use crate::session::{identity_pair, serialized};
use crate::store::Table;
use crate::tx::Tx;
use crate::{dated, device_name, output, staff};
use zeroize::Zeroizing;

/// This device, as stored.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) address: DeviceAddress,
    pub(crate) registration_id: RegistrationId,
    /// What sessions and prekeys of this device rest on: the account's key, or one of its own.
    pub(crate) identity: IdentityKeyPair,
    /// What people verify.
    pub(crate) account_key: IdentityKey,
    /// Unknown between being linked and the first sign-in, and on a plain Signal service.
    pub(crate) handle: Option<Handle>,
    pub(crate) record: AccountRecord,
}

impl Account {
    /// From its record.
    pub(crate) fn read(record: AccountRecord) -> Result<Self, StoreFault> {
        let damaged = StoreFault::Damaged { table: "meta" };
        let address = DeviceAddress {
            account: AccountId::from_slice(&record.account).map_err(|_| damaged)?,
            device: DeviceId::try_from(record.device).map_err(|_| damaged)?,
        };
        let identity = identity_pair(&record.identity)?;
        let account_key = match record.account_key.as_slice() {
            [] => *identity.identity_key(),
            key => guard::identity_key(key).map_err(|_| damaged)?,
        };
        Ok(Self {
            address,
            registration_id: record.registration_id.try_into().map_err(|_| damaged)?,
            identity,
            account_key,
            handle: record.handle.parse().ok(),
            record,
        })
    }

    /// Its own account and nobody else's.
    pub(crate) fn id(&self) -> AccountId {
        self.address.account
    }

    /// It holds the account's key: it may link, remove and sign.
    pub(crate) fn is_owner(&self) -> bool {
        self.record.account_key.is_empty()
    }

    /// What this device is to its account.
    pub(crate) fn role(&self) -> Role {
        let certificate = SignedCertificate::decode(&self.record.certificate);
        certificate.map_or(Role::Owner, |signed| signed.certificate.role)
    }

    /// The header that signs this device in.
    pub(crate) fn authorization(&self) -> (String, String) {
        let basic = Basic::device(self.address, &self.record.password);
        ("authorization".to_owned(), basic.header())
    }

    /// Whether there is all to show that its service has: with us a handle, which comes with the first sign-in.
    pub(crate) fn is_ready(&self) -> bool {
        self.handle.is_some() || self.is_plain()
    }

    /// On a service without our additions.
    pub(crate) fn is_plain(&self) -> bool {
        self.record.service() == Some(Service::Signal)
    }

    /// As applications see it, once it is ready.
    pub(crate) fn view(&self) -> Option<output::Account> {
        self.is_ready().then(|| output::Account {
            id: self.id(),
            handle: self.handle.clone(),
            device: self.address.device,
            device_name: self.record.device_name.clone(),
            role: self.role(),
            staff: staff::own_grant(self),
            unlinked: self.unlinked(),
        })
    }

    /// Why this is no device any more, if it is none.
    pub(crate) fn unlinked(&self) -> Option<output::Unlinked> {
        let AccountRecord {
            unlinked,
            unlinked_why,
            ..
        } = self.record;
        unlinked.then(|| output::Unlinked::from_number(unlinked_why))
    }
}

/// What names of own devices are encrypted to: a key that all of them have, whatever their roles.
pub(crate) fn names_key(record: &AccountRecord) -> Result<IdentityKeyPair, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    let derived = Hkdf::<Sha256>::new(None, &record.profile_key).expand(NAMES_INFO, &mut bytes[..]);
    derived.map_err(|_| Error::Bug("HKDF refuses 32 bytes"))?;
    let private = PrivateKey::deserialize(&bytes[..])
        .map_err(|_| Error::Bug("32 bytes are no private key"))?;
    IdentityKeyPair::try_from(private).map_err(|_| Error::Bug("a private key without a public one"))
}

const NAMES_INFO: &[u8] = b"Lockstep device names 1";

/// For an incarnation of a device.
pub(crate) fn draw_registration_id(rng: &mut ChaCha20Rng) -> RegistrationId {
    RegistrationId::from_random((rng.next_u32() & 0xFFFF) as u16)
}

/// A device that is not yet one: everything it needs but the relay's consent.
pub(crate) fn new_device(
    tx: &mut Tx<'_>,
    clock: &mut ClockRecord,
    identity: &IdentityKeyPair,
    device_name: String,
    rng: &mut ChaCha20Rng,
) -> Result<AccountRecord, Error> {
    let mut password = [0; 16];
    rng.fill_bytes(&mut password);
    let mut profile_key = vec![0; 32];
    rng.fill_bytes(&mut profile_key);
    let registration = draw_registration_id(rng);
    let signed = make_signed(tx, clock, identity.private_key(), rng)?;
    let last_resort = make_kyber(
        tx,
        clock,
        PreKeyKind::KyberLastResort,
        identity.private_key(),
        rng,
    )?;
    Ok(AccountRecord {
        registration_id: registration.into(),
        password: hex(&password),
        identity: identity.serialize().into_vec(),
        device_name,
        profile_key,
        signed_pre_key: u32::from(signed.key_id),
        last_resort_key: u32::from(last_resort.key_id),
        keys_at: tx.now.0,
        ..AccountRecord::default()
    })
}

/// The successors of the long-lived prekeys. They are published before they are used: the record names them
/// apart until the relay has confirmed them.
pub(crate) fn next_keys(
    tx: &mut Tx<'_>,
    clock: &mut ClockRecord,
    account: &mut Account,
    rng: &mut ChaCha20Rng,
) -> Result<(), Error> {
    let private = *account.identity.private_key();
    let signed = make_signed(tx, clock, &private, rng)?;
    let last_resort = make_kyber(tx, clock, PreKeyKind::KyberLastResort, &private, rng)?;
    let record = &mut account.record;
    record.next_signed_pre_key = signed.key_id.into();
    record.next_last_resort_key = last_resort.key_id.into();
    record.next_keys_at = tx.now.0;
    Ok(())
}

/// Long-lived prekeys, as published: the signed one and the last-resort one with these ids.
pub(crate) async fn published_keys(
    tx: &mut Tx<'_>,
    signed_id: u32,
    last_resort_id: u32,
) -> Result<(SignedPreKey, SignedPreKey), Error> {
    let damaged = StoreFault::Damaged {
        table: Table::PreKeys.name(),
    };
    let at = key::pre_key(PreKeyKind::Signed, signed_id);
    let signed = tx.get_bytes(Table::PreKeys, &at).await?.ok_or(damaged)?;
    let signed = SignedPreKeyRecord::deserialize(&signed).map_err(|_| damaged)?;
    let at = key::pre_key(PreKeyKind::KyberLastResort, last_resort_id);
    let kyber = tx.get_bytes(Table::PreKeys, &at).await?.ok_or(damaged)?;
    let kyber = KyberPreKeyRecord::deserialize(&kyber).map_err(|_| damaged)?;
    let public = signed.public_key().map_err(|_| damaged)?.serialize();
    let signed_key = published(signed_id, &public, signed.signature())?;
    let public = kyber.public_key().map_err(|_| damaged)?.serialize();
    Ok((
        signed_key,
        published(last_resort_id, &public, kyber.signature())?,
    ))
}

/// What a device says of itself when it registers or is linked.
pub(crate) fn attributes(
    record: &AccountRecord,
    identity: &IdentityKeyPair,
    rng: &mut ChaCha20Rng,
) -> Result<AccountAttributes, Error> {
    let names = match record.service() {
        Some(Service::Signal) => *identity, // as Signal's clients do
        Some(Service::Lockstep) | None => names_key(record)?,
    };
    let name = device_name::encrypt(&record.device_name, names.identity_key(), rng);
    Ok(AccountAttributes {
        fetches_messages: true,
        registration_id: record
            .registration_id
            .try_into()
            .map_err(|_| Error::Bug("stored registration id is out of range"))?,
        pni_registration_id: None,
        name: Base64(name),
        capabilities: [("spqr".to_owned(), true), ("lockstep".to_owned(), true)].into(),
    })
}

/// A fresh batch of one-time prekeys of both kinds, stored, and as published.
pub(crate) fn one_time_keys(
    tx: &mut Tx<'_>,
    clock: &mut ClockRecord,
    account: &Account,
    rng: &mut ChaCha20Rng,
) -> Result<SetKeys, Error> {
    let mut keys = SetKeys::default();
    for _ in 0..ONE_TIME_KEYS_BATCH {
        let id = next_key(clock);
        let pair = KeyPair::generate(rng);
        let record = PreKeyRecord::new(id.into(), &pair);
        let bytes = record
            .serialize()
            .map_err(|_| Error::Bug("prekey does not serialize"))?;
        tx.put_bytes(
            Table::PreKeys,
            &key::pre_key(PreKeyKind::OneTime, id),
            bytes,
        );
        let public_key = Base64(pair.public_key.serialize().into_vec());
        keys.pre_keys.push(PreKey {
            key_id: key_id(id)?,
            public_key,
        });
        let private = account.identity.private_key();
        keys.pq_pre_keys.push(make_kyber(
            tx,
            clock,
            PreKeyKind::KyberOneTime,
            private,
            rng,
        )?);
    }
    Ok(keys)
}

fn make_signed(
    tx: &mut Tx<'_>,
    clock: &mut ClockRecord,
    identity: &PrivateKey,
    rng: &mut ChaCha20Rng,
) -> Result<SignedPreKey, Error> {
    let id = dated::next(clock, tx.device_time);
    let pair = KeyPair::generate(rng);
    let public = pair.public_key.serialize();
    let signature = sign(identity, &public, rng)?;
    let record = SignedPreKeyRecord::new(id.into(), key_time(tx.now), &pair, &signature);
    tx.put_bytes(
        Table::PreKeys,
        &key::pre_key(PreKeyKind::Signed, id),
        serialized(&record)?,
    );
    published(id, &public, Ok(signature.into_vec()))
}

/// With `new`: libsignal's `generate` reads a clock, which browsers' wasm has not.
fn make_kyber(
    tx: &mut Tx<'_>,
    clock: &mut ClockRecord,
    kind: PreKeyKind,
    identity: &PrivateKey,
    rng: &mut ChaCha20Rng,
) -> Result<SignedPreKey, Error> {
    let id = match kind {
        PreKeyKind::KyberLastResort => dated::next(clock, tx.device_time),
        PreKeyKind::OneTime
        | PreKeyKind::Signed
        | PreKeyKind::KyberOneTime
        | PreKeyKind::UsedBaseKey => next_key(clock),
    };
    let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, rng);
    let public = pair.public_key.serialize();
    let signature = sign(identity, &public, rng)?;
    let record = KyberPreKeyRecord::new(id.into(), key_time(tx.now), &pair, &signature);
    tx.put_bytes(
        Table::PreKeys,
        &key::pre_key(kind, id),
        serialized(&record)?,
    );
    published(id, &public, Ok(signature.into_vec()))
}

fn sign(identity: &PrivateKey, public: &[u8], rng: &mut ChaCha20Rng) -> Result<Box<[u8]>, Error> {
    identity
        .calculate_signature(public, rng)
        .map_err(|_| Error::Bug("own key can't sign"))
}

fn published(
    id: u32,
    public: &[u8],
    signature: Result<Vec<u8>, libsignal_protocol::SignalProtocolError>,
) -> Result<SignedPreKey, Error> {
    Ok(SignedPreKey {
        key_id: key_id(id)?,
        public_key: Base64(public.to_vec()),
        signature: Base64(signature.map_err(|_| StoreFault::Damaged { table: "prekeys" })?),
    })
}

/// One sequence for one-time keys of both kinds, apart from the ids with a day: libsignal finds Kyber keys by id alone.
fn next_key(clock: &mut ClockRecord) -> u32 {
    clock.next_key = clock.next_key % (dated::FIRST - 1) + 1;
    clock.next_key
}

fn key_id(id: u32) -> Result<KeyId, Error> {
    KeyId::try_from(id).map_err(|_| Error::Bug("key id is out of range"))
}

fn key_time(now: Timestamp) -> KeyTimestamp {
    KeyTimestamp::from_epoch_millis(now.0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
