//! Two engines that write to each other, taken apart into the steps that are timed and those that are not.
//! A text costs: `seal` (stored, encrypted, committed), `carry` (the relay; not ours), `open` (decrypted, stored).

use crate::client::Client;
use crate::relay::Relay;
use crate::text;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Alice,
    /// The other.
    Bob,
}

/// Two accounts with a device each.
pub struct Talk {
    relay: Relay,
    alice: Party,
    bob: Party,
}

struct Party {
    client: Client,
    /// Sent, not seen by the relay.
    sent: Vec<Vec<u8>>,
    /// Delivered, not yet given to the engine.
    waiting: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Talk")
    }
}

impl Default for Talk {
    fn default() -> Self {
        Self::new()
    }
}

impl Talk {
    /// Two engines with a session that both have used.
    #[must_use]
    pub fn new() -> Self {
        let mut relay = Relay::default();
        let mut party = |handle, seed| Party {
            client: Client::register(&mut relay, handle, seed),
            sent: Vec::new(),
            waiting: Vec::new(),
        };
        let (alice, bob) = (party("alice", 1), party("bob", 2));
        let mut talk = Self { relay, alice, bob };
        for from in [Side::Alice, Side::Bob, Side::Alice] {
            talk.seal(from, 5);
            talk.carry();
            let opened = talk.open(Side::Alice, 1) + talk.open(Side::Bob, 1);
            assert_eq!(opened, 1, "a message was lost");
            talk.carry();
        }
        talk
    }

    /// One side writes a text of so many bytes: stored, encrypted, committed. Timed.
    pub fn seal(&mut self, from: Side, bytes: usize) {
        let to = match from {
            Side::Alice => "bob",
            Side::Bob => "alice",
        };
        let party = self.party(from);
        let frames = party.client.send(to, text(bytes));
        party.sent.extend(frames);
    }

    /// What was sent reaches the relay, its answers come back, and envelopes become frames. Not timed.
    pub fn carry(&mut self) {
        let Self { relay, alice, bob } = self;
        for party in [&mut *alice, &mut *bob] {
            let frames = std::mem::take(&mut party.sent);
            party.client.settle(relay, frames);
        }
        for party in [alice, bob] {
            let address = party.client.address.expect("it has registered");
            party.waiting.extend(relay.deliver(address));
        }
    }

    /// Up to so many delivered envelopes, as one batch: decrypted, stored, committed, acked. Timed.
    /// Gives how many there were.
    pub fn open(&mut self, to: Side, batch: usize) -> usize {
        let party = self.party(to);
        let count = batch.min(party.waiting.len());
        let frames: Vec<Vec<u8>> = party.waiting.drain(..count).collect();
        if count > 0 {
            let sent = party.client.hear(frames);
            assert!(sent.len() >= count, "an envelope was not acked");
            party.sent.extend(sent);
        }
        count
    }

    fn party(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Alice => &mut self.alice,
            Side::Bob => &mut self.bob,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_seals_the_other_opens() {
        let mut talk = Talk::new();
        for _ in 0..10 {
            talk.seal(Side::Alice, 200);
            talk.carry();
        }
        assert_eq!((talk.open(Side::Bob, 4), talk.open(Side::Bob, 128)), (4, 6));
        assert_eq!(talk.open(Side::Alice, 128), 0);
    }
}
