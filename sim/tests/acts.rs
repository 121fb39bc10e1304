//! What people do to messages: it is the same on every device of both, whoever did it, whatever came first.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::{Action, Draft};
use engine::output::{Message, MessageKind};
use engine::store::Table;
use engine::store::memory::{Crash, Keep};
use engine::{Command, Refusal, Reply, refused};
use sim::{Cast, ClientId, World};
use wire::MessageId;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn edit(message: MessageId, text: &str) -> Command {
    Command::Act(Action::Edit {
        message,
        text: text.to_owned(),
    })
}

fn react(message: MessageId, emoji: &str) -> Command {
    Command::Act(Action::React {
        message,
        emoji: (!emoji.is_empty()).then(|| emoji.to_owned()),
    })
}

fn remove(message: MessageId, everyone: bool) -> Command {
    Command::Act(Action::Remove { message, everyone })
}

fn done(world: &mut World, id: ClientId, command: Command) {
    assert_eq!(world.ask(id, command), Ok(Reply::Done));
}

/// What all see of a message; they have to agree.
fn seen(world: &mut World, cast: Cast, n: usize) -> Message {
    let views = [
        (cast.alice, "bob"),
        (cast.second, "bob"),
        (cast.bob, "alice"),
    ]
    .map(|(id, with)| world.thread(id, with).swap_remove(n));
    let [first, second, theirs] = views;
    assert_eq!(first, second);
    let content = |m: &Message| {
        let Message {
            id,
            kind,
            text,
            quote,
            earlier,
            reactions,
            ..
        } = m.clone();
        (id, kind, text, quote, earlier, reactions)
    };
    assert_eq!(content(&first), content(&theirs));
    first
}

#[test]
fn an_edit_by_any_device_of_the_author_is_seen_by_all_and_the_first_text_is_kept() {
    let mut world = World::new(300);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "helo");
    done(&mut world, cast.second, edit(id, "hello"));
    let message = seen(&mut world, cast, 0);
    assert_eq!(message.text, "hello");
    assert_eq!(message.earlier[0].text, "helo");
    let foreign = world.ask(cast.bob, edit(id, "mine"));
    assert_eq!(foreign, Err(Refusal::NotAuthor));
}

#[test]
fn reactions_of_both_stand_at_a_message_and_can_be_taken_back() {
    let mut world = World::new(301);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "hello");
    done(&mut world, cast.bob, react(id, "👍"));
    done(&mut world, cast.second, react(id, "🎉"));
    done(&mut world, cast.bob, react(id, "❤️"));
    let emojis = |message: Message| -> Vec<String> {
        message.reactions.into_iter().map(|r| r.emoji).collect()
    };
    let mut both = emojis(seen(&mut world, cast, 0));
    both.sort();
    assert_eq!(both, ["❤️", "🎉"]);
    done(&mut world, cast.alice, react(id, "")); // the other device's
    assert_eq!(emojis(seen(&mut world, cast, 0)), ["❤️"]);
    let strange = world.ask(cast.bob, react(id, "two words"));
    assert_eq!(strange, Err(Refusal::NoEmoji));
}

#[test]
fn a_message_deleted_for_everyone_says_nothing_anywhere() {
    let mut world = World::new(302);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "sorry");
    let foreign = world.ask(cast.bob, remove(id, true));
    assert_eq!(foreign, Err(Refusal::NotAuthor));
    done(&mut world, cast.second, remove(id, true));
    let message = seen(&mut world, cast, 0);
    assert_eq!(
        (message.kind, message.text.as_str()),
        (MessageKind::Deleted, "")
    );
    assert_eq!(unread(&mut world, cast.bob), 0);
    let gone = world.ask(cast.alice, edit(id, "back"));
    assert_eq!(gone, Err(Refusal::UnknownMessage));
}

#[test]
fn a_message_deleted_for_oneself_goes_on_own_devices_alone() {
    let mut world = World::new(303);
    let cast = Cast::new(&mut world);
    world.send(cast.bob, "alice", "stays");
    let id = world.send(cast.bob, "alice", "goes");
    done(&mut world, cast.second, remove(id, false));
    for own in [cast.alice, cast.second] {
        assert_eq!(world.texts(own, "bob"), ["stays"]);
        assert_eq!(unread(&mut world, own), 1);
    }
    assert_eq!(world.texts(cast.bob, "alice"), ["stays", "goes"]);
    // What is done to it later does not bring it back.
    done(&mut world, cast.bob, edit(id, "again"));
    assert_eq!(world.texts(cast.alice, "bob"), ["stays"]);
}

#[test]
fn after_a_day_nothing_can_be_changed_for_everyone() {
    let mut world = World::new(304);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "said");
    world.now += DAY + 1;
    assert_eq!(world.ask(cast.alice, edit(id, "x")), Err(Refusal::TooLate));
    assert_eq!(
        world.ask(cast.alice, remove(id, true)),
        Err(Refusal::TooLate)
    );
    done(&mut world, cast.bob, react(id, "👍"));
    assert_eq!(seen(&mut world, cast, 0).reactions.len(), 1);
}

#[test]
fn a_message_is_edited_ten_times_and_no_more() {
    let mut world = World::new(305);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "0");
    for n in 1..=10 {
        done(&mut world, cast.alice, edit(id, &n.to_string()));
    }
    let more = world.ask(cast.alice, edit(id, "11"));
    assert_eq!(more, Err(Refusal::TooManyEdits));
    let message = seen(&mut world, cast, 0);
    assert_eq!((message.text.as_str(), message.earlier.len()), ("10", 10));
}

#[test]
fn an_answer_quotes_what_it_answers() {
    let mut world = World::new(306);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "tea or coffee?");
    let draft = Draft {
        text: "tea".to_owned(),
        quote: Some(id),
        attachments: Vec::new(),
    };
    let to = "alice".to_owned();
    let sent = world.ask(cast.bob, Command::Send { to, draft });
    assert!(matches!(sent, Ok(Reply::MessageId(_))));
    let quote = seen(&mut world, cast, 1).quote;
    let quote = quote.map(|quote| (quote.id, quote.text));
    assert_eq!(quote, Some((id, "tea or coffee?".to_owned())));
    let draft = Draft {
        text: "what?".to_owned(),
        quote: Some(MessageId::from_bytes([9; 16])),
        attachments: Vec::new(),
    };
    let to = "alice".to_owned();
    let unknown = world.ask(cast.bob, Command::Send { to, draft });
    assert_eq!(unknown, Err(Refusal::UnknownMessage));
}

/// M-4: Bob can't read the message at first, and reads what was done to it by another device before it comes again.
#[test]
fn what_is_done_to_a_message_may_come_before_it() {
    for (seed, acts) in [
        (310, &["edit"][..]),
        (311, &["react"]),
        (312, &["delete"]),
        (313, &["react", "edit", "delete"]),
    ] {
        let mut world = World::new(seed);
        let cast = Cast::new(&mut world);
        world.send(cast.alice, "bob", "hello");
        world.send(cast.second, "bob", "hello from here");
        world.send(cast.bob, "alice", "hi");
        world.set_network(cast.bob, false);
        let id = world.send(cast.alice, "bob", "lost");
        world.set_network(cast.alice, false);
        for act in acts {
            let command = match *act {
                "edit" => edit(id, "edited"),
                "react" => react(id, "👍"),
                _ => remove(id, true),
            };
            done(&mut world, cast.second, command);
        }
        let store = &world.client(cast.bob).store;
        store.edit(Table::Sessions, |at, _| match at.last() {
            Some(1) => Keep::No, // Alice's first device
            _ => Keep::Yes,
        });
        world.set_network(cast.bob, true);
        let early = world.client(cast.bob).store.snapshot().count(Table::Early);
        assert_eq!(early, acts.len());
        world.kill(cast.bob); // it is remembered
        world.open(cast.bob);
        world.set_network(cast.alice, true);
        world.pass_ms(60_000);
        let message = seen(&mut world, cast, 3);
        match *acts.last().unwrap_or(&"") {
            "edit" => assert_eq!(message.text, "edited"),
            "react" => assert_eq!(message.reactions.len(), 1),
            _ => assert_eq!(message.kind, MessageKind::Deleted),
        }
        let early = world.client(cast.bob).store.snapshot().count(Table::Early);
        assert_eq!(early, 0);
    }
}

/// M-5.
#[test]
fn a_page_that_dies_at_any_commit_loses_no_act_and_does_none_twice() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 1..12 {
            let mut world = World::new(320 + n);
            let cast = Cast::new(&mut world);
            let id = world.send(cast.alice, "bob", "one");
            world.crash_at(cast.alice, n, crash);
            for text in ["two", "three"] {
                while world.try_ask(cast.alice, edit(id, text)).is_none() {
                    world.open(cast.alice);
                }
            }
            for _ in 0..2 {
                if !world.client(cast.alice).is_open() {
                    world.open(cast.alice); // the second time it died of its daily upkeep
                }
                world.pass_ms(60_000);
            }
            let message = seen(&mut world, cast, 0);
            assert_eq!(message.text, "three", "crash at {n}, {crash:?}");
        }
    }
}

#[test]
fn an_act_by_a_device_whose_clock_is_behind_still_counts() {
    let mut world = World::new(350);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.alice, "bob", "one");
    done(&mut world, cast.alice, react(id, "👍"));
    world.now -= 3 * 60 * 60 * 1000;
    done(&mut world, cast.second, react(id, "🎉"));
    done(&mut world, cast.second, edit(id, "two"));
    let message = seen(&mut world, cast, 0);
    assert_eq!(message.text, "two");
    assert_eq!(message.reactions[0].emoji, "🎉");
}

fn unread(world: &mut World, id: ClientId) -> u32 {
    match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(list)) => list[0].unread,
        other => panic!("no conversations: {other:?}"),
    }
}

/// A hostile client can write it; it counts on no device, and what was done is seen to have been done.
#[test]
fn an_edit_or_deletion_by_who_did_not_write_it_is_refused_and_counted_on_every_device() {
    let mut world = World::new(391);
    let cast = Cast::new(&mut world);
    world.send(cast.bob, "alice", "hello");
    let id = world.send(cast.alice, "bob", "hers");
    let [hers, his] = [cast.alice, cast.bob].map(|id| match world.ask(id, Command::Account) {
        Ok(Reply::Account(account)) => *account.id.as_bytes(),
        other => panic!("no account: {other:?}"),
    });
    let believe_it_is_his = |_: &[u8], record: &mut Vec<u8>| {
        let found = record.windows(16).position(|bytes| bytes == hers);
        if let Some(at) = found {
            record[at..at + 16].copy_from_slice(&his);
        }
        Keep::Yes
    };
    let before = [cast.alice, cast.second].map(|id| refused(&world.client(id).store.snapshot()));
    world
        .client(cast.bob)
        .store
        .edit(Table::Messages, believe_it_is_his);
    done(&mut world, cast.bob, edit(id, "his"));
    done(&mut world, cast.bob, remove(id, true));
    assert_eq!(
        world.thread(cast.bob, "alice").pop().unwrap().kind,
        MessageKind::Deleted
    );
    for own in [cast.alice, cast.second] {
        assert_eq!(world.thread(own, "bob").pop().unwrap().text, "hers");
    }
    let after = [cast.alice, cast.second].map(|id| refused(&world.client(id).store.snapshot()));
    assert_eq!(after, before.map(|count| count + 2));
}

/// The bytes of a number as protobuf writes it.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}

/// Puts other bytes in the place of these, as long as they are, wherever they stand in a table.
fn forge(world: &World, of: ClientId, table: Table, these: &[u8], others: &[u8]) {
    assert_eq!(these.len(), others.len());
    let forge = |_: &[u8], record: &mut Vec<u8>| {
        for at in 0..record.len().saturating_sub(these.len() - 1) {
            if record[at..].starts_with(these) {
                record[at..at + these.len()].copy_from_slice(others);
            }
        }
        Keep::Yes
    };
    world.client(of).store.edit(table, forge);
}

#[test]
fn what_is_malformed_or_comes_too_late_is_refused_and_counted_on_every_device() {
    let mut world = World::new(392);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.bob, "alice", "from him");
    let sent_at = world.thread(cast.bob, "alice")[0].sent_at.0;
    let counts = |world: &World| {
        [cast.alice, cast.second].map(|id| refused(&world.client(id).store.snapshot()))
    };
    let before = counts(&world);
    // A reaction with something that is no emoji, of the same length.
    world.set_network(cast.bob, false);
    done(&mut world, cast.bob, react(id, "👍"));
    world.kill(cast.bob);
    forge(
        &world,
        cast.bob,
        Table::Outbox,
        "👍".as_bytes(),
        b"\n\n\n\n",
    );
    world.open(cast.bob);
    world.set_network(cast.bob, true);
    world.pass_ms(60_000);
    assert_eq!(counts(&world), before.map(|count| count + 1));
    // An edit two days later, by a client that believes it wrote the message just now.
    world.pass_ms(2 * DAY);
    let lately = varint(world.now - 1_000);
    forge(&world, cast.bob, Table::Messages, &varint(sent_at), &lately);
    done(&mut world, cast.bob, edit(id, "from him, otherwise"));
    world.pass_ms(60_000);
    assert_eq!(world.texts(cast.bob, "alice"), ["from him, otherwise"]);
    for own in [cast.alice, cast.second] {
        let message = world.thread(own, "bob").swap_remove(0);
        assert_eq!(
            (message.text.as_str(), message.reactions.len()),
            ("from him", 0)
        );
    }
    assert_eq!(counts(&world), before.map(|count| count + 2));
}
