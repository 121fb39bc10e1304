//! Taking in a signed list and its certificates: everything is checked before anything is changed.
//! Where they came from does not matter; who is told of what they say is for the caller.

use libsignal_protocol::{IdentityKey, PublicKey};
use sha2::{Digest, Sha256};
use wire::AccountId;
use wire::body::DeviceInfo;
use wire::certificate::{Certificate, Key, Role, SignedCertificate};
use wire::device_list::{DeviceList, Reason, SignedList};

use crate::account::Account;
use crate::guard;
use crate::peers;
use crate::record::{PeerDevice, PeerRecord};

/// A list and certificates, as somebody claims them to be an account's.
pub(crate) struct Listing<'a> {
    pub(crate) account: AccountId,
    /// The key that the account is known by, if it is.
    pub(crate) pinned: Option<&'a IdentityKey>,
    /// This device's own key, which no other device has.
    pub(crate) own: &'a IdentityKey,
    /// A [`SignedList`].
    pub(crate) list: &'a [u8],
    /// [`SignedCertificate`]s.
    pub(crate) certificates: Vec<&'a [u8]>,
}

/// What a list came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is the newest we know, and was or is taken in.
    Taken,
    /// We know a newer one.
    Older,
    /// It is not the list that we know under this version (T11).
    Forked,
    /// It is good, but signed by another key than the account is known by.
    OtherKey(Key),
    /// It is no list of this account.
    Refused,
}

/// Takes a list in. For an account that is not known yet it also says what its key is.
pub(crate) fn take(peer: &mut PeerRecord, listing: &Listing<'_>, now: u64) -> Outcome {
    let Ok(signed) = SignedList::decode(listing.list) else {
        return Outcome::Refused;
    };
    let Some(key) = signer(&signed, listing.account) else {
        return Outcome::Refused;
    };
    let is_first = listing.pinned.is_none();
    match listing.pinned {
        Some(pinned) if *pinned != key => return Outcome::OtherKey(signed.list.account_key),
        Some(_) => {}
        None if key == *listing.own => return Outcome::Refused, // nobody else has it (V2)
        None => peer.identity = signed.list.account_key.to_vec(),
    }
    let list = signed.list;
    match super::list(peer) {
        Some(known) if list.version < known.version => return Outcome::Older,
        Some(known) if list.version == known.version && list != known => {
            peer.forked_list = true;
            return Outcome::Forked;
        }
        Some(known) if known.version.checked_add(1) == Some(list.version) => {
            if list.previous != hash(&known) {
                peer.forked_list = true;
                return Outcome::Forked;
            }
            adopt(peer, &list, listing.list, now);
        }
        Some(known) if list.version == known.version => {}
        Some(_) | None => adopt(peer, &list, listing.list, now),
    }
    for bytes in &listing.certificates {
        if let Some(certificate) = vouched(bytes, &list, &key, listing.own) {
            note(peer, &certificate, is_first, now);
        }
    }
    Outcome::Taken
}

/// What the relay says of an own device: its certificate counts if our own list names it.
pub(crate) fn note_own(peer: &mut PeerRecord, own: &Account, info: &DeviceInfo, now: u64) {
    let Some(certificate) = info
        .certificate
        .as_ref()
        .filter(|_| info.id != own.address.device)
    else {
        return;
    };
    let list = peer.list.clone();
    let listing = Listing {
        account: own.id(),
        pinned: Some(&own.account_key),
        own: own.identity.identity_key(),
        list: &list,
        certificates: vec![certificate.0.as_slice()],
    };
    take(peer, &listing, now);
}

/// By which a list is known.
pub(super) fn hash(list: &DeviceList) -> [u8; 32] {
    Sha256::digest(list.encode()).into()
}

/// By which a list names a certificate.
pub(super) fn certificate_hash(certificate: &Certificate) -> [u8; 32] {
    Sha256::digest(certificate.encode()).into()
}

/// Version and hash of the newest list that we know of an account; 0 and nothing if there is none.
pub(crate) fn newest(peer: &PeerRecord) -> (u64, Vec<u8>) {
    super::list(peer).map_or((0, Vec::new()), |list| (list.version, hash(&list).to_vec()))
}

/// The key that has signed a list of this account.
fn signer(signed: &SignedList, account: AccountId) -> Option<IdentityKey> {
    let SignedList { list, signature } = signed;
    let key = guard::identity_key(&list.account_key).ok()?;
    let body = DeviceList::signed_by_account(&list.encode());
    let good = list.account == account && verifies(key.public_key(), &body, signature);
    good.then_some(key)
}

fn verifies(key: &PublicKey, body: &[u8], signature: &[u8]) -> bool {
    key.verify_signature(body, signature)
}

/// The newer list replaces the older one, and ends what it does not name.
fn adopt(peer: &mut PeerRecord, list: &DeviceList, bytes: &[u8], now: u64) {
    peer.list = bytes.to_vec();
    peer.forked_list = false; // whatever there was, both sides of it have ended here
    if list.version >= peer.newer_list {
        (peer.newer_list, peer.newer_list_at) = (0, 0);
    }
    let mut ended = Vec::new();
    for known in peer
        .devices
        .iter_mut()
        .filter(|known| !known.key.is_empty())
    {
        let is = |device: wire::DeviceId, epoch| {
            known.device == u32::from(device) && known.certificate_epoch == epoch
        };
        let mut revoked = list.revoked.iter();
        let revoked = revoked.find(|revoked| is(revoked.device, revoked.epoch));
        if revoked.is_some_and(|revoked| revoked.reason != Reason::Retired) {
            known.refused = true;
        }
        let listed = list
            .entries
            .iter()
            .any(|entry| is(entry.device, entry.epoch));
        if !listed && known.stale_since == 0 {
            ended.extend(wire::DeviceId::try_from(known.device));
        }
    }
    for device in ended {
        peers::mark_stale(peer, device, now);
    }
}

/// A certificate that is in the list and signed by both keys, for a key that nobody else is known by.
fn vouched(
    bytes: &[u8],
    list: &DeviceList,
    account_key: &IdentityKey,
    own: &IdentityKey,
) -> Option<Certificate> {
    let signed = SignedCertificate::decode(bytes).ok()?;
    let body = signed.certificate.encode();
    let hash = certificate_hash(&signed.certificate);
    let Certificate {
        address,
        epoch,
        key,
        role,
        account_key: issuer,
        ..
    } = signed.certificate;
    let mut entries = list.entries.iter();
    let listed = entries.any(|entry| {
        entry.device == address.device && entry.epoch == epoch && entry.certificate == hash
    });
    let device_key = guard::identity_key(&key).ok()?;
    let is_new = device_key != *account_key && device_key != *own;
    let of_account = address.account == list.account && issuer == list.account_key;
    if !listed || !is_new || !of_account || role == Role::Owner {
        return None;
    }
    let by_account = Certificate::signed_by_account(&body);
    let by_device = Certificate::signed_by_device(&body);
    let good = verifies(account_key.public_key(), &by_account, &signed.by_account)
        && verifies(device_key.public_key(), &by_device, &signed.by_device);
    good.then_some(signed.certificate)
}

/// Whether the newest list names this certificate, and its account key has signed it.
pub(crate) fn names(peer: &PeerRecord, certificate: &[u8]) -> bool {
    let list = super::list(peer);
    list.is_some_and(|list| {
        let key = guard::identity_key(&list.account_key);
        // It is our own: there is no other key that it could not be of.
        key.is_ok_and(|key| vouched(certificate, &list, &key, &key).is_some())
    })
}

/// A device that the account's key vouches for.
fn note(peer: &mut PeerRecord, certificate: &Certificate, is_first: bool, now: u64) {
    let (device, incarnation) = (
        certificate.address.device,
        u32::from(certificate.registration_id),
    );
    if !peers::is_known(peer, device, incarnation) {
        peers::add_device(peer, device, incarnation, now);
    }
    let number = u32::from(device);
    let is_it =
        |known: &&mut PeerDevice| known.device == number && known.registration_id == incarnation;
    if let Some(known) = peer.devices.iter_mut().find(is_it) {
        known.key = certificate.key.to_vec();
        known.certificate_epoch = certificate.epoch;
        known.role = u32::from(certificate.role as u8);
        known.until = certificate.not_after;
        known.capabilities = certificate.capabilities.bits().into();
        if known.since == 0 {
            known.since = now.max(1);
            known.from_start = is_first;
        }
        if known.label_commitment != certificate.label_commitment {
            known.label_commitment = certificate.label_commitment.to_vec();
            known.label.clear();
        }
        known.uncertified = false;
    }
}
