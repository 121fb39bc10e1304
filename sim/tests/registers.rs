//! What a person sets on one device holds on all of theirs: whatever is offline, dies, or has a wrong clock.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::{AppCommand, Setting, SettingsChange};
use engine::output::{
    AppEvent, AppReply, AppValue, Contact, Conversation, Notifications, Request, Settings,
};
use engine::store::Table;
use engine::store::memory::{Crash, Snapshot};
use engine::{Command, Event, Refusal, Reply, Timestamp, held};
use sim::{Cast, ClientId, World};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// Alice with three browsers, Bob with one.
struct Three {
    alice: ClientId,
    second: ClientId,
    third: ClientId,
    bob: ClientId,
}

impl Three {
    fn new(world: &mut World) -> Self {
        let Cast { alice, second, bob } = Cast::new(world);
        let (third, _) = world.link(alice);
        Self {
            alice,
            second,
            third,
            bob,
        }
    }

    fn all(&self) -> [ClientId; 3] {
        [self.alice, self.second, self.third]
    }
}

fn app(world: &mut World, id: ClientId, command: AppCommand) -> Result<Reply, Refusal> {
    world.ask(id, Command::App(command))
}

fn put(world: &mut World, id: ClientId, key: &str, value: &str) {
    let (key, value) = (key.to_owned(), AppValue::Json(value.to_owned()));
    assert_eq!(
        app(world, id, AppCommand::Set { key, value }),
        Ok(Reply::Done)
    );
}

fn got(world: &mut World, id: ClientId, key: &str) -> Option<String> {
    match app(
        world,
        id,
        AppCommand::Get {
            key: key.to_owned(),
        },
    ) {
        Ok(Reply::App(AppReply::Value(value))) => value.map(|value| match value {
            AppValue::Json(text) => text,
            AppValue::Bytes(bytes) => format!("{bytes:?}"),
        }),
        other => panic!("no value: {other:?}"),
    }
}

fn delete(world: &mut World, id: ClientId, key: &str) {
    let key = key.to_owned();
    assert_eq!(app(world, id, AppCommand::Delete { key }), Ok(Reply::Done));
}

fn add(world: &mut World, id: ClientId, by: i64) {
    let key = "game/score".to_owned();
    assert_eq!(app(world, id, AppCommand::Add { key, by }), Ok(Reply::Done));
}

fn count(world: &mut World, id: ClientId) -> i64 {
    let key = "game/score".to_owned();
    match app(world, id, AppCommand::Count { key }) {
        Ok(Reply::App(AppReply::Count(count))) => count,
        other => panic!("no count: {other:?}"),
    }
}

fn include(world: &mut World, id: ClientId, element: &str, is_member: bool) {
    let command = AppCommand::Include {
        key: "tags/used".to_owned(),
        element: element.to_owned(),
        is_member,
    };
    assert_eq!(app(world, id, command), Ok(Reply::Done));
}

fn members(world: &mut World, id: ClientId) -> Vec<String> {
    let key = "tags/used".to_owned();
    match app(world, id, AppCommand::Members { key }) {
        Ok(Reply::App(AppReply::Members(members))) => members,
        other => panic!("no set: {other:?}"),
    }
}

fn set(world: &mut World, id: ClientId, setting: Setting) {
    assert_eq!(world.ask(id, Command::Set(setting)), Ok(Reply::Done));
}

fn to_bob() -> String {
    "bob".to_owned()
}

fn block(world: &mut World, id: ClientId, blocked: bool) {
    let account = to_bob();
    set(world, id, Setting::Block { account, blocked });
}

fn draft(world: &mut World, id: ClientId, text: &str) {
    let (conversation, text) = (to_bob(), text.to_owned());
    set(world, id, Setting::Draft { conversation, text });
}

fn settings(world: &mut World, id: ClientId) -> Settings {
    match world.ask(id, Command::Settings) {
        Ok(Reply::Settings(settings)) => settings,
        other => panic!("no settings: {other:?}"),
    }
}

fn conversation(world: &mut World, id: ClientId) -> Conversation {
    match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(list)) => list.into_iter().next().expect("there is one"),
        other => panic!("no conversations: {other:?}"),
    }
}

fn contact(world: &mut World, id: ClientId) -> Contact {
    match world.ask(id, Command::Contacts) {
        Ok(Reply::Contacts(list)) => list.into_iter().next().expect("there is one"),
        other => panic!("no contacts: {other:?}"),
    }
}

fn stored(world: &World, id: ClientId) -> Snapshot {
    world.client(id).store.snapshot()
}

/// All of these hold the same, and owe nobody anything.
fn alike(world: &World, ids: &[ClientId]) {
    for pair in ids.windows(2) {
        let [one, other] = [0, 1].map(|n| pair.get(n).map(|id| held(&stored(world, *id))));
        assert_eq!(one, other);
    }
    for id in ids {
        assert_eq!(stored(world, *id).count(Table::Untold), 0);
    }
}

#[test]
fn what_is_set_on_one_device_is_seen_on_the_others() {
    let mut world = World::new(1);
    let three = Three::new(&mut world);
    let (alice, second) = (three.alice, three.second);
    world.send(alice, "bob", "hello");
    let change = SettingsChange {
        read_receipts: Some(false),
        notifications: Some(Notifications::Name),
        ..SettingsChange::default()
    };
    set(&mut world, second, Setting::Settings(change));
    let name = "Alice".to_owned();
    set(&mut world, alice, Setting::Profile { name });
    let (account, name) = (to_bob(), "Bobby".to_owned());
    set(&mut world, alice, Setting::Name { account, name });
    let (account, verified) = (to_bob(), true);
    set(
        &mut world,
        alice,
        Setting::Verify {
            account,
            verified,
            digits: None,
        },
    );
    let (conversation_id, until) = (to_bob(), Some(Timestamp(u64::MAX)));
    let mute = Setting::Mute {
        conversation: conversation_id,
        until,
    };
    set(&mut world, three.third, mute);
    let (archived, pinned) = (true, true);
    let conversation_id = to_bob();
    let archive = Setting::Archive {
        conversation: conversation_id,
        archived,
    };
    set(&mut world, alice, archive);
    let pin = Setting::Pin {
        conversation: to_bob(),
        pinned,
    };
    set(&mut world, alice, pin);
    draft(&mut world, second, "half a sen");
    block(&mut world, three.third, true);
    for id in three.all() {
        let settings = settings(&mut world, id);
        assert!(!settings.read_receipts && settings.delivery_receipts && settings.typing);
        assert_eq!(settings.notifications, Notifications::Name);
        let shown = conversation(&mut world, id);
        assert_eq!(shown.name, "Bobby");
        assert_eq!(shown.muted_until, until);
        assert!(shown.archived && shown.blocked && shown.pinned.is_some());
        assert_eq!(shown.draft.as_deref(), Some("half a sen"));
        assert_eq!(shown.request, Request::Accepted, "she wrote to him");
        let contact = contact(&mut world, id);
        assert_eq!(contact.petname.as_deref(), Some("Bobby"));
        assert!(contact.verified && contact.blocked);
        let Ok(Reply::Profile(profile)) = world.ask(id, Command::Profile) else {
            panic!()
        };
        assert_eq!(profile.name.as_deref(), Some("Alice"));
        let told = |event: &Event| matches!(event, Event::Conversation(shown) if shown.blocked);
        assert!(world.client(id).events.iter().any(told));
    }
    alike(&world, &three.all());
    let bobs = held(&stored(&world, three.bob));
    assert_eq!(bobs.len(), 1, "only that Alice's conversation is pending");
}

#[test]
fn counters_add_up_and_sets_keep_what_each_device_has_put_in() {
    let mut world = World::new(2);
    let three = Three::new(&mut world);
    for id in three.all() {
        world.set_network(id, false);
    }
    add(&mut world, three.alice, 5);
    add(&mut world, three.alice, -2);
    add(&mut world, three.second, 10);
    add(&mut world, three.third, 100);
    include(&mut world, three.alice, "a", true);
    include(&mut world, three.second, "b", true);
    include(&mut world, three.third, "b", true);
    include(&mut world, three.third, "c", true);
    include(&mut world, three.third, "c", false);
    for id in three.all() {
        world.set_network(id, true);
    }
    for id in three.all() {
        assert_eq!(count(&mut world, id), 113);
        assert_eq!(members(&mut world, id), ["a", "b"]);
    }
    alike(&world, &three.all());
}

#[test]
fn ten_quick_writes_are_told_as_one() {
    let mut world = World::new(3);
    let Cast { alice, second, .. } = Cast::new(&mut world);
    world.send(alice, "bob", "hello");
    world.set_network(alice, false);
    let before = world.client(alice).bundles().len();
    for n in 0..10 {
        draft(&mut world, alice, &format!("{n}"));
        assert_eq!(stored(&world, alice).count(Table::Outbox), 0);
        assert_eq!(stored(&world, alice).count(Table::Untold), 1);
    }
    world.set_network(alice, true);
    assert_eq!(world.client(alice).bundles().len() - before, 1);
    alike(&world, &[alice, second]);
}

#[test]
fn a_device_that_is_away_for_weeks_has_everything_when_it_is_back() {
    let mut world = World::new(4);
    let three = Three::new(&mut world);
    world.send(three.alice, "bob", "hello");
    put(&mut world, three.alice, "notes/old", "1");
    world.set_network(three.third, false);
    draft(&mut world, three.third, "written far away");
    put(&mut world, three.third, "notes/far", "2");
    world.kill(three.third);
    for day in 0..21 {
        put(&mut world, three.alice, "notes/day", &day.to_string());
        block(&mut world, three.second, day % 2 == 0);
        world.pass_ms(DAY_MS);
    }
    delete(&mut world, three.second, "notes/old");
    world.set_network(three.third, true);
    world.open(three.third);
    world.pass_ms(120_000);
    for id in three.all() {
        assert_eq!(got(&mut world, id, "notes/day").as_deref(), Some("20"));
        assert_eq!(got(&mut world, id, "notes/far").as_deref(), Some("2"));
        assert_eq!(got(&mut world, id, "notes/old"), None);
        assert!(conversation(&mut world, id).blocked);
        assert_eq!(conversation(&mut world, id).draft, None, "21 days old");
    }
}

#[test]
fn a_device_that_is_away_for_longer_than_mailboxes_keep_asks_for_everything() {
    let mut world = World::new(13);
    let Cast { alice, second, bob } = Cast::new(&mut world);
    world.send(alice, "bob", "hello");
    put(&mut world, alice, "notes/a", "1");
    put(&mut world, alice, "notes/b", "1");
    world.kill(second);
    put(&mut world, alice, "notes/a", "2");
    delete(&mut world, alice, "notes/b");
    block(&mut world, alice, true);
    for away in [alice, bob] {
        world.kill(away); // with nobody there, the days are short
    }
    world.pass_ms(40 * DAY_MS);
    world.relay.sweep(world.now);
    for back in [alice, bob, second] {
        world.open(back);
    }
    world.pass_ms(60_000);
    assert_eq!(got(&mut world, second, "notes/a").as_deref(), Some("2"));
    assert_eq!(got(&mut world, second, "notes/b"), None);
    assert!(conversation(&mut world, second).blocked);
    alike(&world, &[alice, second]);
}

#[test]
fn a_device_may_die_at_any_commit_of_writing_and_telling() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 0..8 {
            let mut world = World::new(5);
            let three = Three::new(&mut world);
            put(&mut world, three.alice, "notes/a", "1");
            for dying in [three.alice, three.second] {
                world.crash_at(dying, n, crash);
                let value = AppValue::Json("2".to_owned());
                let key = "notes/a".to_owned();
                let command = Command::App(AppCommand::Set { key, value });
                world.try_ask(dying, command);
                put(&mut world, three.third, "notes/b", "3");
                world.crash_at(dying, u64::MAX, crash);
                world.open(dying);
                world.pass_ms(120_000);
                alike(&world, &three.all());
            }
        }
    }
}

#[test]
fn the_later_write_by_hand_holds_once_both_are_in_touch_whatever_the_clocks_say() {
    for ahead in [3 * HOUR_MS, -3 * HOUR_MS] {
        let mut world = World::new(6);
        let Cast { alice, second, .. } = Cast::new(&mut world);
        world.send(alice, "bob", "hello");
        world.client_mut(second).clock_ahead_ms = ahead;
        world.pass_ms(60_000);
        for (by, blocked) in [
            (alice, true),
            (second, false),
            (alice, true),
            (second, false),
        ] {
            block(&mut world, by, blocked);
            for id in [alice, second] {
                assert_eq!(conversation(&mut world, id).blocked, blocked, "{ahead}");
            }
            world.pass_ms(1_000);
        }
        alike(&world, &[alice, second]);
    }
}

#[test]
fn a_newly_linked_device_has_everything_and_its_contacts_come_last() {
    let mut world = World::new(7);
    let Cast { alice, second, .. } = Cast::new(&mut world);
    world.send(alice, "bob", "hello");
    let text = "x".repeat(30_000);
    for n in 0..20 {
        put(
            &mut world,
            alice,
            &format!("notes/{n}"),
            &format!("\"{text}\""),
        );
    }
    delete(&mut world, alice, "notes/3");
    block(&mut world, alice, true);
    let (new, _) = world.link(alice);
    alike(&world, &[alice, second, new]);
    assert!(contact(&mut world, new).blocked);
    assert_eq!(got(&mut world, new, "notes/3"), None);
    let list = AppCommand::List {
        prefix: "notes/1".to_owned(),
    };
    let Ok(Reply::App(AppReply::List(list))) = app(&mut world, new, list) else {
        panic!()
    };
    assert_eq!(list.len(), 11);
    assert_eq!(list[1].0, "notes/10");
}

#[test]
fn a_blank_snapshot_deletes_nothing() {
    let mut world = World::new(8);
    let Cast { alice, second, .. } = Cast::new(&mut world);
    world.send(alice, "bob", "hello");
    put(&mut world, alice, "notes/a", "1");
    block(&mut world, alice, true);
    // The second browser has lost what it knew, and is asked for everything by a third.
    let lost = [Table::Registers, Table::Contacts, Table::Conversations];
    for table in lost {
        let nothing = |_: &[u8], _: &mut Vec<u8>| engine::store::memory::Keep::No;
        world.client(second).store.edit(table, nothing);
    }
    world.kill(second);
    world.open(second);
    let (third, _) = world.link(second);
    for id in [alice, second, third] {
        assert_eq!(got(&mut world, id, "notes/a").as_deref(), Some("1"));
        assert!(contact(&mut world, id).blocked);
    }
    alike(&world, &[alice, second, third]);
}

#[test]
fn marked_unread_is_over_when_the_conversation_is_read_on_any_device() {
    let mut world = World::new(9);
    let Cast { alice, second, bob } = Cast::new(&mut world);
    let message = world.send(bob, "alice", "hello");
    let read = |world: &mut World, id: ClientId| {
        let conversation = to_bob();
        let command = Command::MarkRead {
            conversation,
            message,
        };
        assert_eq!(world.ask(id, command), Ok(Reply::Done));
    };
    let is_marked = |world: &mut World| {
        let both = [alice, second].map(|id| conversation(world, id).marked_unread);
        assert_eq!(both[0], both[1]);
        both[0]
    };
    read(&mut world, alice);
    let mark = || Setting::MarkUnread {
        conversation: to_bob(),
    };
    set(&mut world, alice, mark());
    assert!(is_marked(&mut world));
    read(&mut world, second);
    assert!(!is_marked(&mut world));
    set(&mut world, second, mark());
    assert!(is_marked(&mut world));
    // Read on one while the other, offline, marks it unread before that by its clock: what was later counts.
    world.set_network(alice, false);
    set(&mut world, alice, mark());
    world.pass_ms(60_000);
    read(&mut world, second);
    world.set_network(alice, true);
    assert!(!is_marked(&mut world));
}

#[test]
fn a_strangers_request_is_answered_on_one_device_for_all() {
    let mut world = World::new(10);
    let Cast { alice, second, bob } = Cast::new(&mut world);
    world.send(bob, "alice", "hello");
    for id in [alice, second] {
        assert_eq!(conversation(&mut world, id).request, Request::Pending);
    }
    let answer = |accept| Setting::Answer {
        account: to_bob(),
        accept,
    };
    set(&mut world, alice, answer(false));
    assert_eq!(conversation(&mut world, second).request, Request::Declined);
    world.send(bob, "alice", "please");
    assert_eq!(conversation(&mut world, second).request, Request::Declined);
    world.send(second, "bob", "well then");
    for id in [alice, second] {
        assert_eq!(conversation(&mut world, id).request, Request::Accepted);
    }
    alike(&world, &[alice, second]);
}

#[test]
fn a_stranger_is_blocked_before_anything_was_said_and_a_handle_is_looked_up() {
    let mut world = World::new(11);
    let alice = world.register("alice");
    world.register("bob");
    block(&mut world, alice, true);
    assert!(contact(&mut world, alice).blocked);
    let unknown = Setting::Block {
        account: "nobody".to_owned(),
        blocked: true,
    };
    let refused = world.ask(alice, Command::Set(unknown));
    assert_eq!(refused, Err(Refusal::UnknownHandle));
    let (account, verified) = (to_bob(), true);
    let verify = Command::Set(Setting::Verify {
        account,
        verified,
        digits: None,
    });
    assert_eq!(world.ask(alice, verify), Err(Refusal::KeyUnknown));
}

#[test]
fn a_message_of_the_application_reaches_the_other_devices_and_is_not_kept() {
    let mut world = World::new(12);
    let three = Three::new(&mut world);
    let content = b"ring".to_vec();
    let send = AppCommand::Send {
        content: content.clone(),
    };
    assert_eq!(app(&mut world, three.alice, send), Ok(Reply::Done));
    for id in [three.second, three.third] {
        let from_alice = |event: &&Event| matches!(event, Event::App(AppEvent::Message { content: got, .. }) if *got == content);
        assert_eq!(world.client(id).events.iter().filter(from_alice).count(), 1);
    }
    let long = AppCommand::Send {
        content: vec![0; 32 * 1024 + 1],
    };
    let refused = app(&mut world, three.alice, long);
    assert_eq!(refused, Err(Refusal::AppItemTooLarge));
    alike(&world, &three.all());
}

#[test]
fn how_somebody_calls_themself_is_known_to_those_they_write_to_on_all_their_devices() {
    let mut world = World::new(71);
    let cast = Cast::new(&mut world);
    let named = |world: &mut World, id: ClientId| match world.ask(id, Command::Contacts) {
        Ok(Reply::Contacts(all)) => all
            .into_iter()
            .map(|contact| (contact.name, contact.own_name))
            .collect::<Vec<_>>(),
        other => panic!("contacts: {other:?}"),
    };
    let call = |world: &mut World, name: &str| {
        let name = name.to_owned();
        let answer = world.ask(cast.bob, Command::Set(Setting::Profile { name }));
        assert_eq!(answer, Ok(Reply::Done));
        world.send(cast.bob, "alice", "hello");
        world.pass_ms(1_000);
    };
    world.send(cast.bob, "alice", "hello");
    world.pass_ms(1_000);
    assert_eq!(named(&mut world, cast.second), [("bob".to_owned(), None)]);
    call(&mut world, "Robert");
    let robert = [("Robert".to_owned(), Some("Robert".to_owned()))];
    for id in [cast.alice, cast.second] {
        assert_eq!(named(&mut world, id), robert);
    }
    let (third, _) = world.link(cast.alice);
    world.pass_ms(60_000);
    assert_eq!(named(&mut world, third), robert);
    call(&mut world, "");
    for id in [cast.alice, cast.second, third] {
        assert_eq!(named(&mut world, id), [("bob".to_owned(), None)]);
    }
}
