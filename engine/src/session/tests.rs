//! Two devices with real sessions on memory stores: what an old incarnation, a late message and a replay do.
//! What is forged stands in `hostile`.

mod hostile;
mod side;

use libsignal_protocol::CiphertextMessage;
use wire::EnvelopeKind;

use super::*;
use side::{Side, round, talking};

const DAY: u64 = 24 * 60 * 60 * 1000;

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
