//! What a device has missed for whatever reason, its person's other devices give it, and the other way round; what it was never
//! meant to have they do not.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::{Action, AppCommand};
use engine::output::{AppReply, AppValue, MessageKind, Notice};
use engine::store::Table;
use engine::store::memory::{Crash, Keep};
use engine::{Command, Event, Reply, held};
use sim::{Cast, ClientId, World};
use wire::MessageId;

const MINUTE: u64 = 60 * 1000;
const DAY: u64 = 24 * 60 * MINUTE;

/// Whatever waits at the relay is lost.
fn lose_mail(world: &mut World) {
    let much_later = world.now + 31 * DAY;
    world.relay.sweep(much_later);
}

/// Everybody is away for some days and then comes back, one day after the other, as pages do.
fn pass_days(world: &mut World, online: &[ClientId], days: u64) {
    for _ in 0..days {
        for id in online {
            world.kill(*id);
        }
        world.now += DAY;
        for id in online {
            world.open(*id);
        }
        world.pass_ms(2 * MINUTE);
    }
}

/// Alice's devices have compared what they have.
fn repaired(world: &mut World, cast: Cast) {
    pass_days(world, &[cast.alice, cast.second, cast.bob], 2);
    world.pass_ms(10 * MINUTE);
}

/// All that both of Alice's devices show and hold is the same.
fn agree(world: &mut World, cast: Cast) {
    let threads = [cast.alice, cast.second].map(|id| world.thread(id, "bob"));
    assert!(
        threads[0] == threads[1],
        "{:?} and {:?}",
        world.texts(cast.alice, "bob"),
        world.texts(cast.second, "bob")
    );
    let held = [cast.alice, cast.second].map(|id| held(&world.client(id).store.snapshot()));
    assert_eq!(held[0], held[1]);
    let unread = [cast.alice, cast.second].map(|id| unread(world, id));
    assert_eq!(unread[0], unread[1]);
}

fn unread(world: &mut World, id: ClientId) -> Vec<u32> {
    match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(list)) => list.iter().map(|c| c.unread).collect(),
        other => panic!("no conversations: {other:?}"),
    }
}

fn act(world: &mut World, id: ClientId, action: Action) {
    assert_eq!(world.ask(id, Command::Act(action)), Ok(Reply::Done));
}

fn put(world: &mut World, id: ClientId, key: &str, value: &str) {
    let (key, value) = (key.to_owned(), AppValue::Json(value.to_owned()));
    let set = Command::App(AppCommand::Set { key, value });
    assert_eq!(world.ask(id, set), Ok(Reply::Done));
}

fn got(world: &mut World, id: ClientId, key: &str) -> Option<AppValue> {
    let key = key.to_owned();
    match world.ask(id, Command::App(AppCommand::Get { key })) {
        Ok(Reply::App(AppReply::Value(value))) => value,
        other => panic!("no value: {other:?}"),
    }
}

fn read(world: &mut World, id: ClientId, message: MessageId) {
    let conversation = "bob".to_owned();
    let read = Command::MarkRead {
        conversation,
        message,
    };
    assert_eq!(world.ask(id, read), Ok(Reply::Done));
}

fn notices(world: &World, id: ClientId) -> Vec<Notice> {
    let events = world.client(id).events.iter();
    let notices = events.filter_map(|event| {
        let Event::Notify(notice) = event else {
            return None;
        };
        Some(notice.clone())
    });
    notices.collect()
}

/// Bytes that a browser has sent to own devices alone since it had sent so many bundles, each.
fn own_messages(world: &World, id: ClientId, since: usize) -> Vec<usize> {
    let bundles = world.client(id).bundles();
    let parts = bundles[since..]
        .iter()
        .flat_map(|bundle| &bundle.recipients);
    let messages = parts.flat_map(|part| &part.messages);
    messages.map(|message| message.content.len()).collect()
}

fn bundles(world: &World, id: ClientId) -> usize {
    world.client(id).bundles().len()
}

/// A world in which Alice and Bob have talked.
fn talking(seed: u64) -> (World, Cast) {
    let mut world = World::new(seed);
    let cast = Cast::new(&mut world);
    world.send(cast.alice, "bob", "hello");
    world.send(cast.bob, "alice", "hi");
    world.pass_ms(20 * MINUTE);
    (world, cast)
}

#[test]
fn what_was_lost_on_its_way_to_one_device_comes_from_the_other() {
    let (mut world, cast) = talking(400);
    world.kill(cast.second);
    world.send(cast.alice, "bob", "mine");
    let theirs = world.send(cast.bob, "alice", "theirs");
    world.send(cast.bob, "alice", "unread");
    act(
        &mut world,
        cast.alice,
        Action::React {
            message: theirs,
            emoji: Some("👍".to_owned()),
        },
    );
    read(&mut world, cast.alice, theirs);
    put(&mut world, cast.alice, "drafts/a", "1");
    world.pass_ms(MINUTE);
    lose_mail(&mut world);
    world.open(cast.second);
    assert_eq!(world.texts(cast.second, "bob"), ["hello", "hi"]);
    repaired(&mut world, cast);
    let all = ["hello", "hi", "mine", "theirs", "unread"];
    assert_eq!(world.texts(cast.second, "bob"), all);
    assert_eq!(unread(&mut world, cast.second), [1]);
    assert!(got(&mut world, cast.second, "drafts/a").is_some());
    agree(&mut world, cast);
    let told = world.client(cast.second).told().map(|m| m.text.clone());
    let told: Vec<String> = told.collect();
    assert!(told.contains(&"unread".to_owned()), "{told:?}");
}

#[test]
fn what_each_of_two_devices_has_missed_the_other_has() {
    let (mut world, cast) = talking(401);
    world.kill(cast.second);
    let first = world.send(cast.alice, "bob", "of the first");
    put(&mut world, cast.alice, "drafts/a", "1");
    lose_mail(&mut world);
    world.open(cast.second);
    world.kill(cast.alice);
    world.send(cast.second, "bob", "of the second");
    world.send(cast.bob, "alice", "to the second");
    put(&mut world, cast.second, "drafts/b", "2");
    lose_mail(&mut world);
    world.open(cast.alice);
    act(
        &mut world,
        cast.alice,
        Action::Edit {
            message: first,
            text: "of the first, edited".to_owned(),
        },
    );
    repaired(&mut world, cast);
    let all = [
        "hello",
        "hi",
        "of the first, edited",
        "of the second",
        "to the second",
    ];
    assert_eq!(world.texts(cast.alice, "bob"), all);
    agree(&mut world, cast);
}

#[test]
fn what_was_removed_on_one_device_goes_on_the_other_and_does_not_come_back() {
    let (mut world, cast) = talking(402);
    let removed = world.send(cast.alice, "bob", "for me alone");
    let deleted = world.send(cast.alice, "bob", "for everyone");
    world.kill(cast.second);
    act(
        &mut world,
        cast.alice,
        Action::Remove {
            message: removed,
            everyone: false,
        },
    );
    act(
        &mut world,
        cast.alice,
        Action::Remove {
            message: deleted,
            everyone: true,
        },
    );
    world.pass_ms(MINUTE);
    lose_mail(&mut world);
    world.open(cast.second);
    assert_eq!(world.texts(cast.second, "bob").len(), 4);
    repaired(&mut world, cast);
    assert_eq!(world.texts(cast.alice, "bob"), ["hello", "hi", ""]);
    agree(&mut world, cast);
}

#[test]
fn a_message_that_one_device_could_never_read_takes_its_place_there() {
    let (mut world, cast) = talking(403);
    world
        .client(cast.second)
        .store
        .edit(Table::Sessions, |_, _| Keep::No);
    world.kill(cast.second);
    world.send(cast.bob, "alice", "hard to read");
    world.kill(cast.bob); // who could send it again
    world.kill(cast.alice); // who has it
    world.open(cast.second);
    world.pass_ms(MINUTE);
    let kinds = |world: &mut World| -> Vec<MessageKind> {
        let thread = world.thread(cast.second, "bob");
        thread.into_iter().map(|message| message.kind).collect()
    };
    assert_eq!(kinds(&mut world)[2], MessageKind::Waiting);
    pass_days(&mut world, &[cast.alice, cast.second], 2);
    assert_eq!(kinds(&mut world), [MessageKind::Text; 3]);
    assert_eq!(world.texts(cast.second, "bob")[2], "hard to read");
    agree(&mut world, cast);
}

#[test]
fn an_edit_that_one_device_could_never_read_leaves_no_place_there() {
    let (mut world, cast) = talking(413);
    let theirs = world.send(cast.bob, "alice", "first");
    world.run();
    let store = world.client(cast.second).store.clone();
    store.edit(Table::Sessions, |_, _| Keep::No);
    world.kill(cast.second);
    let edit = Action::Edit {
        message: theirs,
        text: "edited".to_owned(),
    };
    act(&mut world, cast.bob, edit);
    world.kill(cast.bob);
    world.kill(cast.alice);
    world.open(cast.second);
    world.pass_ms(MINUTE);
    assert_eq!(world.thread(cast.second, "bob").len(), 4);
    pass_days(&mut world, &[cast.alice, cast.second], 2);
    assert_eq!(world.texts(cast.second, "bob"), ["hello", "hi", "edited"]);
    assert_eq!(store.snapshot().count(Table::Waiting), 0);
    agree(&mut world, cast);
}

#[test]
fn a_device_that_was_away_for_17_days_gets_all_that_went_on_without_it() {
    let (mut world, cast) = talking(404);
    world.kill(cast.second);
    for day in 0..17 {
        pass_days(&mut world, &[cast.alice, cast.bob], 1);
        world.send(cast.alice, "bob", &format!("day {day}"));
        world.send(cast.bob, "alice", &format!("answer {day}"));
        put(&mut world, cast.alice, "diary/day", &day.to_string());
    }
    world.open(cast.second);
    repaired(&mut world, cast);
    assert_eq!(world.texts(cast.second, "bob").len(), 2 + 2 * 17);
    agree(&mut world, cast);
}

#[test]
fn devices_that_agree_tell_each_other_one_small_message_a_day() {
    let (mut world, cast) = talking(405);
    repaired(&mut world, cast);
    let before = [cast.alice, cast.second].map(|id| (id, bundles(&world, id)));
    pass_days(&mut world, &[cast.alice, cast.second, cast.bob], 10);
    for (id, before) in before {
        let sent = own_messages(&world, id, before);
        assert!((9..=11).contains(&sent.len()), "{} messages", sent.len());
        assert!(sent.iter().all(|len| *len < 700), "{sent:?}");
    }
}

#[test]
fn a_device_that_comes_back_after_some_hours_is_compared_at_once() {
    let (mut world, cast) = talking(414);
    repaired(&mut world, cast);
    let devices = [cast.alice, cast.second];
    let before = devices.map(|id| bundles(&world, id));
    for _ in 0..5 {
        world.kill(cast.second);
        world.pass_ms(20 * MINUTE);
        world.open(cast.second);
        world.pass_ms(MINUTE);
    }
    assert_eq!(devices.map(|id| bundles(&world, id)), before, "not again");
    world.kill(cast.second);
    world.send(cast.bob, "alice", "lost");
    lose_mail(&mut world);
    world.pass_ms(9 * 60 * MINUTE);
    world.open(cast.second);
    world.pass_ms(MINUTE);
    assert!(world.texts(cast.second, "bob").contains(&"lost".to_owned()));
    agree(&mut world, cast);
}

#[test]
fn a_person_with_one_device_compares_nothing() {
    let mut world = World::new(406);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "hello");
    world.pass_ms(20 * MINUTE);
    let before = bundles(&world, alice);
    pass_days(&mut world, &[alice, bob], 3);
    assert_eq!(bundles(&world, alice), before);
}

#[test]
fn what_was_said_before_a_device_was_linked_does_not_reach_it_by_repair() {
    let mut world = World::new(407);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "secret");
    world.pass_ms(MINUTE);
    let (second, _) = world.link(alice);
    let cast = Cast { alice, second, bob };
    world.pass_ms(MINUTE);
    world.kill(second);
    world.send(alice, "bob", "after");
    lose_mail(&mut world);
    world.open(second);
    repaired(&mut world, cast);
    assert_eq!(world.texts(second, "bob"), ["after"]);
    assert_eq!(world.texts(alice, "bob"), ["secret", "after"]);
    let before = bundles(&world, second);
    pass_days(&mut world, &[alice, second, bob], 5);
    let sent = own_messages(&world, second, before);
    assert!(sent.len() <= 10, "they agree: {sent:?}");
}

/// The two of the last play, many messages, and a page that dies.
fn crash_play(victim: fn(&Cast) -> ClientId, n: u64, crash: Crash) -> bool {
    let (mut world, cast) = talking(408);
    world.kill(cast.second);
    for n in 0..4 {
        world.send(cast.alice, "bob", &format!("mine {n}"));
        world.send(cast.bob, "alice", &format!("theirs {n}"));
    }
    lose_mail(&mut world);
    world.now += DAY;
    let victim = victim(&cast);
    world.open(cast.second);
    world.crash_at(victim, n, crash);
    world.pass_ms(2 * MINUTE);
    for id in [cast.alice, cast.second] {
        if !world.client(id).is_open() {
            world.open(id);
        }
    }
    let crashed = world.client(victim).crashes() > 0;
    world.crash_at(victim, u64::MAX, crash);
    repaired(&mut world, cast);
    repaired(&mut world, cast);
    assert_eq!(world.texts(cast.second, "bob").len(), 10, "{n} {crash:?}");
    agree(&mut world, cast);
    crashed
}

#[test]
fn a_page_that_dies_at_any_commit_of_a_repair_loses_nothing() {
    for victim in [|cast: &Cast| cast.alice, |cast: &Cast| cast.second] {
        for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
            let last = (0..).find(|n| !crash_play(victim, *n, crash));
            assert!(last > Some(5), "only {last:?} commits were met");
        }
    }
}

#[test]
fn a_store_from_before_there_were_digests_is_compared_as_a_whole() {
    let (mut world, cast) = talking(409);
    for id in [cast.alice, cast.second] {
        world.kill(id);
        let store = &world.client(id).store;
        store.edit(Table::Digests, |_, _| Keep::No);
        store.edit(Table::Meta, |key, _| match key {
            b"repair" => Keep::No,
            _ => Keep::Yes,
        });
    }
    // What one of them has lost, with all that points to it.
    let lost = world.client(cast.second).store.clone();
    for table in [Table::Messages, Table::MessageIndex, Table::Conversations] {
        lost.edit(table, |_, _| Keep::No);
    }
    world.open(cast.alice);
    world.open(cast.second);
    world.pass_ms(DAY / 4);
    assert_eq!(world.texts(cast.second, "bob"), ["hello", "hi"]);
    agree(&mut world, cast);
}

#[test]
fn a_long_absence_comes_back_in_one_notification() {
    let (mut world, cast) = talking(410);
    world.kill(cast.second);
    for n in 0..30 {
        world.send(cast.bob, "alice", &format!("news {n}"));
    }
    lose_mail(&mut world);
    world.now += DAY;
    world.open(cast.second);
    repaired(&mut world, cast);
    assert_eq!(world.texts(cast.second, "bob").len(), 32);
    let shown = notices(&world, cast.second);
    assert!(shown.len() <= 2, "{} notifications", shown.len());
}

#[test]
fn a_text_of_full_length_with_all_its_edits_goes_over() {
    let (mut world, cast) = talking(411);
    world.kill(cast.second);
    let text = |n: u32| format!("{n} {}", "long ".repeat(12_000));
    let id = world.send(cast.alice, "bob", &text(0));
    for n in 1..=5 {
        act(
            &mut world,
            cast.alice,
            Action::Edit {
                message: id,
                text: text(n),
            },
        );
    }
    lose_mail(&mut world);
    world.now += DAY;
    world.open(cast.second);
    repaired(&mut world, cast);
    let thread = world.thread(cast.second, "bob");
    assert_eq!(thread[2].earlier.len(), 5);
    agree(&mut world, cast);
}

#[test]
fn an_absence_of_46_days_ends_in_the_same_state() {
    let (mut world, cast) = talking(412);
    world.kill(cast.second);
    let gone = world.send(cast.alice, "bob", "gone by then");
    put(&mut world, cast.alice, "notes/a", "old");
    for _ in 0..46 {
        pass_days(&mut world, &[cast.alice, cast.bob], 1);
        let now = world.now;
        world.relay.sweep(now);
    }
    act(
        &mut world,
        cast.alice,
        Action::Remove {
            message: gone,
            everyone: false,
        },
    );
    world.send(cast.bob, "alice", "welcome back");
    world.open(cast.second);
    repaired(&mut world, cast);
    assert_eq!(
        world.texts(cast.second, "bob"),
        ["hello", "hi", "welcome back"]
    );
    agree(&mut world, cast);
}
