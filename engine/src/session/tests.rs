//! Two devices with real sessions on memory stores: what a hostile header, an old incarnation, a late message
//! and a replay do. Times are not measured here; what is refused never reaches libsignal.

use futures_util::FutureExt as _;
use libsignal_protocol::{CiphertextMessage, SessionRecord, SignalMessage};
use prost::Message as _;
use rand::SeedableRng as _;
use wire::AccountId;
use wire::body::DevicePreKeys;

use super::*;
use crate::account::{new_device, published_keys};
use crate::record::{AccountRecord, ClockRecord};
use crate::store::Store as _;
use crate::store::memory::MemoryStore;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// A device, its store and its clock.
struct Side {
    account: Account,
    store: MemoryStore,
    rng: ChaCha20Rng,
    now: Timestamp,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

impl Side {
    fn new(number: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let identity = IdentityKeyPair::generate(&mut rng);
        Self::with_identity(number, 1, &identity)
    }

    fn with_identity(number: u8, device: u32, identity: &IdentityKeyPair) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let mut store = MemoryStore::new();
        let now = Timestamp(1_800_000_000_000);
        let reader = store.clone();
        let mut tx = Tx::new(&reader, now);
        let mut clock = ClockRecord {
            next_key: 100 * u32::from(number),
            ..ClockRecord::default()
        };
        let mut record: AccountRecord =
            new_device(&mut tx, &mut clock, identity, String::new(), &mut rng).unwrap();
        record.account = vec![number; 16];
        record.device = device;
        wait(store.commit(&tx.finish().0)).unwrap();
        Self {
            account: Account::read(record).unwrap(),
            store,
            rng,
            now,
        }
    }

    fn address(&self) -> DeviceAddress {
        self.account.address
    }

    fn incarnation(&self) -> Incarnation {
        Incarnation {
            address: self.address(),
            epoch: self.account.registration_id.into(),
        }
    }

    fn keys(&self) -> DevicePreKeys {
        let mut tx = Tx::new(&self.store, self.now);
        let record = &self.account.record;
        let keys = published_keys(&mut tx, record.signed_pre_key, record.last_resort_key);
        let (signed_pre_key, pq_pre_key) = wait(keys).unwrap();
        DevicePreKeys {
            device_id: self.address().device,
            registration_id: self.account.registration_id,
            signed_pre_key,
            pre_key: None,
            pq_pre_key,
        }
    }

    /// One step on loaded sessions, committed.
    fn step<T>(
        &mut self,
        with: DeviceAddress,
        f: impl FnOnce(&mut Sessions, &mut ChaCha20Rng) -> T,
    ) -> T {
        let reader = self.store.clone();
        let mut tx = Tx::new(&reader, self.now);
        let mut sessions = Sessions::new(&self.account);
        wait(sessions.load(&mut tx, with)).unwrap();
        let result = f(&mut sessions, &mut self.rng);
        wait(sessions.store(&mut tx)).unwrap();
        wait(self.store.commit(&tx.finish().0)).unwrap();
        result
    }

    fn meet(&mut self, other: &Self) {
        let identity = other.account.identity.identity_key().serialize();
        let (keys, now) = (other.keys(), self.now);
        self.step(other.address(), |sessions, rng| {
            sessions
                .establish(other.address(), &identity, &keys, now, rng)
                .unwrap();
        });
    }

    fn send(&mut self, to: Incarnation) -> (EnvelopeKind, Vec<u8>) {
        let now = self.now;
        self.step(to.address, |sessions, rng| {
            sessions.encrypt(to, b"text", now, rng).unwrap()
        })
    }

    fn receive(
        &mut self,
        from: DeviceAddress,
        sent: &(EnvelopeKind, Vec<u8>),
    ) -> Result<Incarnation, PeerFault> {
        let ciphertext = Ciphertext::parse(sent.0, &sent.1)?;
        let reader = self.store.clone();
        let mut tx = Tx::new(&reader, self.now);
        let mut sessions = Sessions::new(&self.account);
        wait(sessions.load(&mut tx, from)).unwrap();
        if let Ciphertext::PreKey(message) = &ciphertext {
            wait(sessions.load_pre_keys(&mut tx, message)).unwrap();
        }
        let accept = |padded: Vec<u8>, _| {
            (padded == b"text")
                .then_some(())
                .ok_or(PeerFault::Unreadable)
        };
        let result = sessions.decrypt(from, &ciphertext, self.now, &mut self.rng, accept);
        wait(sessions.store(&mut tx)).unwrap();
        wait(self.store.commit(&tx.finish().0)).unwrap();
        result.map(|((), from)| from)
    }

    fn can_send(&mut self, to: Incarnation) -> bool {
        let now = self.now;
        self.step(to.address, |sessions, _| sessions.can_encrypt(to, now))
    }

    /// Changes the stored libsignal record behind the engine's back.
    fn edit(&mut self, with: DeviceAddress, edit: impl FnOnce(&mut SessionsRecord)) {
        let reader = self.store.clone();
        let mut tx = Tx::new(&reader, self.now);
        let mut record: SessionsRecord = wait(tx.get(&key::session(with))).unwrap().unwrap();
        edit(&mut record);
        tx.put(&key::session(with), &record);
        wait(self.store.commit(&tx.finish().0)).unwrap();
    }
}

/// Alice and Bob after a message each way.
fn talking() -> (Side, Side) {
    let (mut alice, mut bob) = (Side::new(1), Side::new(2));
    alice.meet(&bob);
    round(&mut alice, &mut bob);
    (alice, bob)
}

fn round(alice: &mut Side, bob: &mut Side) {
    let first = alice.send(bob.incarnation());
    bob.receive(alice.address(), &first).unwrap();
    let answer = bob.send(alice.incarnation());
    alice.receive(bob.address(), &answer).unwrap();
}

/// The message again, with another counter; no key fits it any more.
fn with_counter(sent: &(EnvelopeKind, Vec<u8>), counter: u32) -> (EnvelopeKind, Vec<u8>) {
    let change = |bytes: &[u8]| {
        let mut inner = SignalMessageStructure::decode(&bytes[1..bytes.len() - 8]).unwrap();
        inner.counter = Some(counter);
        [
            &bytes[..1],
            &inner.encode_to_vec(),
            &bytes[bytes.len() - 8..],
        ]
        .concat()
    };
    let bytes = match sent.0 {
        EnvelopeKind::PreKey => {
            let mut outer = PreKeyStructure::decode(&sent.1[1..]).unwrap();
            outer.message = change(&outer.message);
            [&sent.1[..1], &outer.encode_to_vec()].concat()
        }
        EnvelopeKind::Ciphertext
        | EnvelopeKind::ServerReceipt
        | EnvelopeKind::Sealed
        | EnvelopeKind::Plaintext => change(&sent.1),
    };
    (sent.0, bytes)
}

/// libsignal's `SignalMessage`, as far as it is changed here.
#[derive(Clone, PartialEq, prost::Message)]
struct SignalMessageStructure {
    #[prost(bytes = "vec", optional, tag = "1")]
    ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pq_ratchet: Option<Vec<u8>>,
}

/// libsignal's `PreKeySignalMessage`.
#[derive(Clone, PartialEq, prost::Message)]
struct PreKeyStructure {
    #[prost(uint32, optional, tag = "5")]
    registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "1")]
    pre_key_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    signed_pre_key_id: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    kyber_pre_key_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "8")]
    kyber_ciphertext: Option<Vec<u8>>,
    #[prost(bytes = "vec", tag = "2")]
    base_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    identity_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    message: Vec<u8>,
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
    let mut outer = PreKeyStructure::decode(&bytes[1..]).unwrap();
    outer.identity_key = identity.into_vec();
    (kind, [&bytes[..1], &outer.encode_to_vec()].concat())
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

/// S-1, S-14: a device id that is given away again.
#[test]
fn two_incarnations_of_a_device_never_share_a_session() {
    let (mut alice, mut old) = talking();
    let mut new = Side::with_identity(6, 1, &old.account.identity);
    new.account.address = old.address();
    assert_ne!(new.incarnation(), old.incarnation());
    assert!(!alice.can_send(new.incarnation()));
    alice.meet(&new);
    let hello = alice.send(new.incarnation());
    assert_eq!(
        new.receive(alice.address(), &hello),
        Ok(alice.incarnation())
    );
    // What the old one had sent before can still be read, and says who it was.
    let late = old.send(alice.incarnation());
    assert_eq!(alice.receive(old.address(), &late), Ok(old.incarnation()));
    let answer = new.send(alice.incarnation());
    assert_eq!(alice.receive(new.address(), &answer), Ok(new.incarnation()));
}

/// The trap of A.3: libsignal makes an archived state current again when one late message comes.
#[test]
fn a_late_message_does_not_bring_a_session_back_that_is_to_be_renewed() {
    let (mut alice, mut bob) = talking();
    let late = bob.send(alice.incarnation());
    alice.step(bob.address(), |sessions, _| {
        sessions.renew(bob.incarnation())
    });
    assert!(!alice.can_send(bob.incarnation()));
    alice.receive(bob.address(), &late).unwrap();
    assert!(!alice.can_send(bob.incarnation()));
    alice.meet(&bob);
    assert!(alice.can_send(bob.incarnation()));
}

/// S-50.
#[test]
fn a_session_is_renewed_by_age_and_when_nobody_answers() {
    let (mut alice, mut bob) = talking();
    alice.now = Timestamp(alice.now.0 + 89 * DAY);
    assert!(alice.can_send(bob.incarnation()));
    alice.now = Timestamp(alice.now.0 + DAY);
    assert!(!alice.can_send(bob.incarnation()));
    alice.meet(&bob);
    round(&mut alice, &mut bob);
    let mut sent = 0;
    while alice.can_send(bob.incarnation()) {
        alice.send(bob.incarnation());
        sent += 1;
    }
    assert_eq!(sent, UNANSWERED_MAX + 1);
}

/// A.3, Kyber prekeys: a last-resort key serves many sessions, but each first message only one.
#[test]
fn a_first_message_makes_one_session_however_often_it_is_replayed() {
    let (mut alice, mut bob) = (Side::new(1), Side::new(2));
    alice.meet(&bob);
    let first = alice.send(bob.incarnation());
    bob.receive(alice.address(), &first).unwrap();
    assert_eq!(
        bob.receive(alice.address(), &first),
        Err(PeerFault::Duplicate)
    );
    // The session is long deleted, and the same bytes come again.
    bob.edit(alice.address(), |record| record.incarnations.clear());
    assert_eq!(
        bob.receive(alice.address(), &first),
        Err(PeerFault::Unreadable)
    );
    alice.meet(&bob); // an honest new start with the same last-resort key
    let again = alice.send(bob.incarnation());
    assert!(bob.receive(alice.address(), &again).is_ok());
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

/// S-33.
#[test]
fn both_may_begin_at_once_and_they_still_converge() {
    for lost in [false, true] {
        let (mut alice, mut bob) = (Side::new(1), Side::new(2));
        alice.meet(&bob);
        bob.meet(&alice);
        let (from_alice, from_bob) = (alice.send(bob.incarnation()), bob.send(alice.incarnation()));
        if !lost {
            bob.receive(alice.address(), &from_alice).unwrap();
        }
        alice.receive(bob.address(), &from_bob).unwrap();
        for _ in 0..15 {
            round(&mut alice, &mut bob);
        }
        let message = alice.send(bob.incarnation());
        assert_eq!(
            message.0,
            EnvelopeKind::Ciphertext,
            "nobody starts over any more"
        );
    }
}

/// S-31: messages that were on their way when the session was replaced.
#[test]
fn late_and_reordered_messages_are_read_in_the_sessions_they_were_made_in() {
    let (mut alice, mut bob) = talking();
    let mut late: Vec<_> = (0..5).map(|_| alice.send(bob.incarnation())).collect();
    alice.meet(&bob);
    let new = alice.send(bob.incarnation());
    bob.receive(alice.address(), &new).unwrap();
    late.reverse();
    for message in &late {
        bob.receive(alice.address(), message).unwrap();
        assert_eq!(
            bob.receive(alice.address(), message),
            Err(PeerFault::Duplicate)
        );
    }
    round(&mut alice, &mut bob);
}

/// V9, S-2: a session says whom it is with; another key never continues it.
#[test]
fn another_identity_key_is_noticed_before_anything_is_decrypted() {
    let (alice, mut bob) = talking();
    let mut impostor = Side::new(8);
    impostor.account.address = alice.address();
    impostor.meet(&bob);
    let sent = impostor.send(bob.incarnation());
    let before = bob.store.snapshot();
    bob.edit(alice.address(), |_| ());
    assert_eq!(
        bob.receive(alice.address(), &sent),
        Err(PeerFault::Untrusted)
    );
    assert_eq!(bob.store.snapshot(), before);
}

#[test]
fn the_counter_of_what_was_sealed_is_known() {
    let (mut alice, bob) = talking();
    let (_, bytes) = alice.send(bob.incarnation());
    let message = CiphertextMessage::SignalMessage(bytes.as_slice().try_into().unwrap());
    assert_eq!(ciphertext::counter(&message), Some(0));
}
