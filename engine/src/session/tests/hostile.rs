//! What somebody makes who knows everything but the keys: counters, identities, ratchets and signatures that are not what
//! they should be. Times are not measured here; what is refused never reaches libsignal.

use libsignal_protocol::{IdentityKeyPair, PreKeySignalMessage, SessionRecord, SignalMessage};
use prost::Message as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use wire::{AccountId, EnvelopeKind};

use super::super::{PeerFault, Sessions, states};
use super::side::{Side, round, talking};
use crate::account::Account;
use crate::guard::tests::pair;
use crate::guard::tests::pair::rebuilt;

/// The message again, with another counter; no key fits it any more.
fn with_counter((kind, bytes): &(EnvelopeKind, Vec<u8>), counter: u32) -> (EnvelopeKind, Vec<u8>) {
    let bytes = match kind {
        EnvelopeKind::PreKey => {
            let first = PreKeySignalMessage::try_from(bytes.as_slice()).unwrap();
            let message = pair::with_counter(first.message(), counter);
            let again = rebuilt(&first, *first.base_key(), *first.identity_key(), message);
            again.serialized().to_vec()
        }
        EnvelopeKind::Ciphertext
        | EnvelopeKind::ServerReceipt
        | EnvelopeKind::Sealed
        | EnvelopeKind::Plaintext => {
            let message = SignalMessage::try_from(bytes.as_slice()).unwrap();
            pair::with_counter(&message, counter).serialized().to_vec()
        }
    };
    (*kind, bytes)
}

/// What the guard says of a message, without libsignal.
fn planned(bob: &mut Side, alice: &Side, sent: &(EnvelopeKind, Vec<u8>)) -> Result<(), PeerFault> {
    let message = SignalMessage::try_from(sent.1.as_slice()).unwrap();
    bob.step(alice.address(), |sessions, _| {
        let entry = sessions.sessions.get(alice.incarnation()).unwrap();
        states::plan(&entry.record, &message, false).map(|_| ())
    })
}

/// V3.
#[test]
fn a_counter_far_ahead_on_a_known_chain_never_reaches_libsignal() {
    let (mut alice, mut bob) = talking();
    let known = alice.send(bob.incarnation());
    bob.receive(alice.address(), &known).unwrap();
    let next = alice.send(bob.incarnation());
    for (counter, fine) in [
        (2, true),
        (2_001, true),
        (2_003, false),
        (24_000, false),
        (u32::MAX, false),
    ] {
        let forged = with_counter(&next, counter);
        assert_eq!(
            planned(&mut bob, &alice, &forged).is_ok(),
            fine,
            "{counter}"
        );
        assert!(bob.receive(alice.address(), &forged).is_err());
    }
    assert!(bob.receive(alice.address(), &next).is_ok());
}

/// V3: on a chain that nobody knows every state is tried, so all of them share one budget.
#[test]
fn a_counter_far_into_a_new_chain_is_refused_the_sooner_the_more_states_there_are() {
    let (mut alice, mut bob) = talking();
    let mut limits = Vec::new();
    for _ in 0..4 {
        let honest = alice.send(bob.incarnation());
        let message = SignalMessage::try_from(honest.1.as_slice());
        if message.is_ok() {
            let limit = (0..=12)
                .map(|n| 200 * n)
                .take_while(|n| planned(&mut bob, &alice, &with_counter(&honest, *n)).is_ok())
                .last();
            limits.push(limit.unwrap());
        }
        let first = {
            bob.receive(alice.address(), &honest).unwrap();
            alice.step(bob.address(), |sessions, _| {
                sessions.renew(bob.incarnation())
            });
            alice.meet(&bob);
            alice.send(bob.incarnation())
        };
        bob.receive(alice.address(), &first).unwrap();
        let answer = bob.send(alice.incarnation());
        alice.receive(bob.address(), &answer).unwrap();
    }
    assert_eq!(limits, [2_000, 1_400, 1_000, 1_000]);
    assert_eq!(states::new_chain_limit(6), 816);
}

/// V2: with our own identity key at both ends libsignal has no limit at all.
#[test]
fn a_first_message_between_own_devices_may_not_jump_either() {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let identity = IdentityKeyPair::generate(&mut rng);
    let mut laptop = Side::with_identity(3, 1, &identity);
    let mut phone = Side::with_identity(4, 2, &identity);
    phone.account.address.account = laptop.account.address.account;
    laptop.meet(&phone);
    let first = laptop.send(phone.incarnation());
    for counter in [2_001, 60_000, u32::MAX] {
        let forged = with_counter(&first, counter);
        let from = laptop.address();
        assert_eq!(
            phone.receive(from, &forged),
            Err(PeerFault::Unreadable),
            "{counter}"
        );
    }
    assert!(phone.receive(laptop.address(), &first).is_ok());
}

/// V2: our own key is nobody else's.
#[test]
fn a_stranger_with_our_own_identity_key_is_refused() {
    let bob = Side::new(2);
    let mut thief = Side::with_identity(7, 1, &bob.account.identity);
    let mut bob = bob;
    thief.meet(&Side::new(5)); // a thief has sessions like anybody
    let identity = bob.account.identity.identity_key().serialize();
    let (keys, now, to) = (bob.keys(), thief.now, bob.address());
    let established = thief.step(to, |sessions, rng| {
        sessions.establish(to, &identity, &keys, now, rng)
    });
    assert_eq!(
        established,
        Err(PeerFault::Untrusted),
        "our own client does not even try"
    );
    let sent = forge_self_session(&mut thief, &bob);
    assert_eq!(
        bob.receive(thief.address(), &sent),
        Err(PeerFault::Untrusted)
    );
}

/// A first message by a client without our rule.
fn forge_self_session(thief: &mut Side, bob: &Side) -> (EnvelopeKind, Vec<u8>) {
    let identity = bob.account.identity.identity_key().serialize();
    let mut naive = Account::read(thief.account.record.clone()).unwrap();
    naive.address.account = AccountId::from_bytes([0xFF; 16]);
    naive.identity = IdentityKeyPair::generate(&mut thief.rng);
    naive.account_key = *naive.identity.identity_key();
    let mut sessions = Sessions::new(&naive);
    sessions.sessions.add(bob.address(), Vec::new());
    sessions
        .establish(
            bob.address(),
            &identity,
            &bob.keys(),
            thief.now,
            &mut thief.rng,
        )
        .unwrap();
    let (kind, bytes) = sessions
        .encrypt(bob.incarnation(), b"text", thief.now, &mut thief.rng)
        .unwrap();
    let honest = PreKeySignalMessage::try_from(bytes.as_slice()).unwrap();
    let (base_key, message) = (*honest.base_key(), honest.message().clone());
    let own = *bob.account.identity.identity_key();
    let forged = rebuilt(&honest, base_key, own, message);
    (kind, forged.serialized().to_vec())
}

/// V6.
#[test]
fn a_peer_that_does_without_the_post_quantum_ratchet_is_refused() {
    let (mut alice, mut bob) = (Side::new(1), Side::new(2));
    alice.meet(&bob);
    alice.edit(bob.address(), |record| {
        let session = &mut record.incarnations[0].session;
        *session = without_post_quantum(session);
    });
    let to = bob.incarnation();
    assert!(!alice.can_send(to), "our own client would not send so");
    let stripped = alice.send(to);
    let before = bob.store.snapshot();
    assert_eq!(
        bob.receive(alice.address(), &stripped),
        Err(PeerFault::Unreadable)
    );
    assert_eq!(bob.store.snapshot(), before);
}

/// A libsignal record whose current state has no post-quantum ratchet (field 15).
fn without_post_quantum(record: &[u8]) -> Vec<u8> {
    let record = SessionRecord::deserialize(record).unwrap();
    let mut outer = OuterStructure::decode(record.serialize().unwrap().as_slice()).unwrap();
    let mut fields = outer.current.take().unwrap();
    let tag = [0x7A]; // field 15, bytes
    let at = (0..fields.len())
        .rev()
        .find(|at| fields[*at..].starts_with(&tag) && ends_with_field(&fields[at + 1..]))
        .unwrap();
    fields.truncate(at);
    outer.current = Some(fields);
    outer.encode_to_vec()
}

/// The rest is one length and as many bytes.
fn ends_with_field(rest: &[u8]) -> bool {
    let mut bytes = rest;
    prost::encoding::decode_varint(&mut bytes)
        .is_ok_and(|length| usize::try_from(length) == Ok(bytes.len()) && !bytes.is_empty())
}

#[derive(Clone, PartialEq, prost::Message)]
struct OuterStructure {
    #[prost(bytes = "vec", optional, tag = "1")]
    current: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    archived: Vec<Vec<u8>>,
}

/// V7: a signature can be changed into another valid one, so nothing may be told apart by it.
#[test]
fn a_mauled_signature_is_the_same_key_and_the_same_session() {
    let (mut alice, mut bob) = talking();
    let mut keys = bob.keys();
    maul(&mut keys.signed_pre_key.signature.0);
    maul(&mut keys.pq_pre_key.signature.0);
    let identity = bob.account.identity.identity_key().serialize();
    let (now, to) = (alice.now, bob.address());
    let established = alice.step(to, |sessions, rng| {
        sessions.establish(to, &identity, &keys, now, rng)
    });
    assert_eq!(established, Ok(()));
    alice.edit(to, |record| assert_eq!(record.incarnations.len(), 1));
    round(&mut alice, &mut bob);
}

/// Adds the group's order to the scalar in the second half; the top bit is a sign of its own.
fn maul(signature: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let before = signature.to_vec();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_ne!(signature, before.as_slice());
}
