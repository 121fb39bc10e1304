//! What a linked device gets of the messages from before: all of it, in the same order, whatever breaks on the way; and what
//! is damaged changes nothing.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::{Action, HistoryChoice, HistoryCommand};
use engine::output::{MessageStatus, TransferReply};
use engine::store::Table;
use engine::store::memory::{Crash, Keep};
use engine::{Command, Event, Refusal, Reply, Role, history_from};
use sim::{ClientId, World};
use wire::DeviceId;

const ALL: HistoryChoice = HistoryChoice::Some {
    days: None,
    conversations: None,
};
/// So long that fifty messages are several pieces.
const LONG: usize = 12_000;
/// So short that some hundred are one piece, which takes several commits.
const SHORT: usize = 10;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Alice, who has written with Bob and Carol.
struct Scene {
    world: World,
    alice: ClientId,
    bob: ClientId,
}

fn scene(seed: u64, messages: usize, length: usize) -> Scene {
    let mut world = World::new(seed);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let carol = world.register("carol");
    for n in 0..messages {
        world.send(alice, "bob", &format!("to Bob {n} {}", "x".repeat(length)));
        world.send(
            bob,
            "alice",
            &format!("from Bob {n} {}", "y".repeat(length)),
        );
        if n % 4 == 0 {
            world.send(carol, "alice", &format!("from Carol {n}"));
        }
    }
    world.pass_ms(20_000); // receipts
    Scene { world, alice, bob }
}

fn choose(world: &mut World, by: ClientId, uri: &str, choice: HistoryChoice) {
    let uri = uri.to_owned();
    let command = Command::History(HistoryCommand::Choose { uri, choice });
    assert_eq!(world.ask(by, command), Ok(Reply::Done));
}

/// Links a new browser, with this much of history.
fn link(world: &mut World, by: ClientId, choice: HistoryChoice) -> ClientId {
    let new = world.browser();
    let uri = world.offer(new).uri;
    choose(world, by, &uri, choice);
    let approved = world.ask(
        by,
        Command::ApproveLink {
            uri,
            role: Role::Owner,
        },
    );
    assert!(matches!(approved, Ok(Reply::Device(_))));
    new
}

fn same_threads(world: &mut World, one: ClientId, other: ClientId) {
    for with in ["bob", "carol"] {
        let (first, second) = (world.thread(one, with), world.thread(other, with));
        assert!(first == second, "with {with}");
    }
    let unread = |world: &mut World, id| match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(all)) => all
            .into_iter()
            .map(|conversation| (conversation.id, conversation.unread))
            .collect::<Vec<_>>(),
        other => panic!("no conversations: {other:?}"),
    };
    assert_eq!(unread(world, one), unread(world, other));
}

fn progress(world: &World, id: ClientId) -> Vec<(u64, u64)> {
    let of = |event: &Event| {
        if let Event::Progress(progress) = event {
            return Some((progress.done, progress.total));
        }
        None
    };
    world.client(id).events.iter().filter_map(of).collect()
}

fn rows(world: &World, id: ClientId) -> usize {
    world.client(id).store.snapshot().count(Table::Transfers)
}

#[test]
fn a_linked_device_gets_all_of_it_in_order_and_nobody_is_notified() {
    let Scene {
        mut world,
        alice,
        bob,
    } = scene(920, 60, LONG);
    let sent = world.send(alice, "bob", "edited");
    let text = "as it is now".to_owned();
    let edit = Command::Act(Action::Edit {
        message: sent,
        text,
    });
    assert_eq!(world.ask(alice, edit), Ok(Reply::Done));
    let emoji = Some("👍".to_owned());
    let react = Command::Act(Action::React {
        message: sent,
        emoji,
    });
    assert_eq!(world.ask(bob, react), Ok(Reply::Done));
    let last = world.thread(alice, "carol").pop().unwrap().id;
    let conversation = "carol".to_owned();
    let read = Command::MarkRead {
        conversation,
        message: last,
    };
    assert_eq!(world.ask(alice, read), Ok(Reply::Done));
    world.pass_ms(20_000);
    let new = link(&mut world, alice, ALL);
    same_threads(&mut world, alice, new);
    let told = |event: &Event| matches!(event, Event::Message(_) | Event::Notify(_));
    assert!(!world.client(new).events.iter().any(told));
    let total = 60 * 2 + 1 + 15;
    assert!(world.relay.blob_count() > 3, "it comes in pieces");
    for id in [alice, new] {
        assert_eq!(progress(&world, id).last(), Some(&(total, total)));
        assert_eq!(rows(&world, id), 0, "nothing is left over");
    }
    world.send(bob, "alice", "and on it goes");
    same_threads(&mut world, alice, new);
}

#[test]
fn nothing_some_days_or_some_conversations_are_sent_as_chosen() {
    let Scene {
        mut world,
        alice,
        bob,
    } = scene(921, 8, SHORT);
    let none = link(&mut world, alice, HistoryChoice::None);
    assert_eq!(world.texts(none, "bob"), Vec::<String>::new());
    world.pass_ms(3 * DAY);
    world.send(bob, "alice", "today");
    let days = HistoryChoice::Some {
        days: Some(2),
        conversations: None,
    };
    let some = link(&mut world, alice, days);
    assert_eq!(world.texts(some, "bob"), ["today"]);
    let only = HistoryChoice::Some {
        days: None,
        conversations: Some(vec!["carol".to_owned()]),
    };
    let carols = link(&mut world, alice, only);
    assert_eq!(world.texts(carols, "carol").len(), 2);
    assert_eq!(world.texts(carols, "bob"), Vec::<String>::new());
    let of_none = HistoryChoice::Some {
        days: None,
        conversations: Some(Vec::new()),
    };
    let none = link(&mut world, alice, of_none.clone());
    let device = DeviceId::try_from(5_u32).unwrap();
    let send = HistoryCommand::Send {
        device,
        choice: of_none,
    };
    assert_eq!(world.ask(alice, Command::History(send)), Ok(Reply::Done));
    assert_eq!(world.texts(none, "bob"), Vec::<String>::new());
    let uri = world.browser();
    let uri = world.offer(uri).uri;
    let choice = HistoryChoice::Some {
        days: None,
        conversations: Some(vec!["nobody".to_owned()]),
    };
    let unknown = Command::History(HistoryCommand::Choose { uri, choice });
    assert_eq!(world.ask(alice, unknown), Err(Refusal::UnknownConversation));
}

fn send_again(world: &mut World, by: ClientId, device: u32) -> Result<Reply, Refusal> {
    let device = DeviceId::try_from(device).expect("it is a number of a device");
    let choice = ALL;
    world.ask(
        by,
        Command::History(HistoryCommand::Send { device, choice }),
    )
}

#[test]
fn it_can_be_sent_later_and_twice_is_nothing() {
    let Scene {
        mut world, alice, ..
    } = scene(922, 130, SHORT);
    let new = link(&mut world, alice, HistoryChoice::None);
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    same_threads(&mut world, alice, new);
    let messages = |world: &World| {
        world
            .client(new)
            .store
            .snapshot()
            .only(&[Table::Messages, Table::MessageIndex])
    };
    let before = messages(&world);
    let events = world.client(new).events.len();
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    assert!(messages(&world) == before);
    let news = &world.client(new).events[events..];
    assert!(
        news.iter()
            .all(|event| matches!(event, Event::Progress(_) | Event::Conversation(_)))
    );
    let refusal = Err(Refusal::InvalidArgument("deviceId"));
    assert_eq!(send_again(&mut world, alice, 1), refusal, "this device");
    assert_eq!(send_again(&mut world, alice, 9), refusal, "no device");
}

/// Since when a device has history, as it compares it with others.
fn floor(world: &World, id: ClientId) -> Option<u64> {
    history_from(&world.client(id).store.snapshot())
}

/// It is a full device then: what it lacks of what was before it was linked, it is given by repair.
#[test]
fn who_was_given_all_of_it_is_compared_from_its_beginning() {
    let Scene {
        mut world,
        alice,
        bob,
    } = scene(976, 60, LONG / 6);
    let new = link(&mut world, alice, HistoryChoice::None);
    assert!(floor(&world, new) > Some(0));
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    assert_eq!(floor(&world, new), Some(0));
    world.kill(new);
    let old = world.thread(alice, "bob").swap_remove(0);
    let emoji = Some("👍".to_owned());
    let message = old.id;
    let react = Command::Act(Action::React { message, emoji });
    assert_eq!(world.ask(alice, react), Ok(Reply::Done));
    let much_later = world.now + 31 * DAY;
    world.relay.sweep(much_later); // what waits for the closed page is lost
    for _ in 0..2 {
        for id in [alice, new, bob] {
            world.kill(id);
        }
        world.now += DAY;
        for id in [alice, new, bob] {
            world.open(id);
        }
        world.pass_ms(10 * 60 * 1000);
    }
    same_threads(&mut world, alice, new);
    assert_eq!(world.thread(new, "bob").swap_remove(0).reactions.len(), 1);
}

#[test]
fn who_was_given_some_of_it_is_compared_only_from_there_on() {
    let Scene {
        mut world, alice, ..
    } = scene(977, 2, SHORT);
    world.pass_ms(3 * DAY);
    let linked = world.now;
    let only = HistoryChoice::Some {
        days: None,
        conversations: Some(vec!["carol".to_owned()]),
    };
    let carols = link(&mut world, alice, only);
    assert!(floor(&world, carols) >= Some(linked));
    let some = HistoryChoice::Some {
        days: Some(2),
        conversations: None,
    };
    let days = link(&mut world, alice, some);
    assert_eq!(floor(&world, days), Some(linked - 2 * DAY));
    // All that a device has is not all there is.
    let of_days = link(&mut world, days, ALL);
    assert_eq!(floor(&world, of_days), Some(linked - 2 * DAY));
}

/// Rule HI-2: also of the message that tells of a piece.
#[test]
fn a_piece_whose_message_cannot_be_read_is_told_of_again() {
    let Scene {
        mut world, alice, ..
    } = scene(978, 5, SHORT);
    let new = link(&mut world, alice, HistoryChoice::None);
    let store = &world.client(new).store;
    store.edit(Table::Sessions, |_, _| Keep::No);
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    world.pass_ms(40_000);
    same_threads(&mut world, alice, new);
    assert_eq!(rows(&world, alice), 0);
}

/// A scene that is played once and goes on in many ways.
fn stored(seed: u64, messages: usize, length: usize) -> Scene {
    let mut scene = scene(seed, messages, length);
    for id in [scene.alice, scene.bob] {
        scene.world.kill(id);
    }
    scene
}

/// A browser is linked and gets all of it, with one death on the way. Gives how many messages it had then, if there was one.
fn dies(before: &Scene, victim_is_new: bool, n: u64, crash: Crash) -> Option<usize> {
    let (mut world, alice) = (before.world.twin(), before.alice);
    for id in [alice, before.bob] {
        world.open(id);
    }
    let new = world.browser();
    let uri = world.offer(new).uri;
    choose(&mut world, alice, &uri, ALL);
    let victim = if victim_is_new { new } else { alice };
    world.crash_at(victim, n, crash);
    world.start(
        alice,
        Command::ApproveLink {
            uri: uri.clone(),
            role: Role::Owner,
        },
    );
    world.run();
    let held = world.client(new).store.snapshot().count(Table::Messages);
    for _ in 0..4 {
        for id in [alice, new] {
            if !world.client(id).is_open() {
                world.open(id);
            }
        }
        world.pass_ms(40_000);
    }
    let died = (world.client(victim).crashes() > 0).then_some(held);
    let account = world.ask(new, Command::Account);
    if !matches!(account, Ok(Reply::Account(_))) {
        return died; // it died before it was a device: the person links it again
    }
    if world.texts(new, "bob").is_empty() {
        panic!("nothing has come after a crash at {n}, {crash:?}");
    }
    same_threads(&mut world, alice, new);
    for id in [alice, new] {
        assert_eq!(rows(&world, id), 0, "crash at {n}, {crash:?}");
    }
    died
}

#[test]
fn whoever_dies_at_whichever_commit_the_threads_are_equal_afterwards() {
    let before = stored(923, 7, 3 * LONG);
    for victim_is_new in [false, true] {
        for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
            let mut deaths = 0;
            for n in 0..40 {
                if dies(&before, victim_is_new, n, crash).is_none() {
                    break;
                }
                deaths += 1;
            }
            assert!((9..40).contains(&deaths), "{deaths} commits");
        }
    }
}

/// One piece, merged in several commits.
#[test]
fn a_piece_that_was_merged_in_part_is_merged_to_its_end() {
    let before = stored(923, 130, SHORT);
    let held = (5..25).map_while(|n| dies(&before, true, n, Crash::AfterWrite));
    let in_part = |held: &usize| (1..130 * 2).contains(held);
    assert!(held.filter(in_part).count() > 0, "it has died in between");
}

#[test]
fn what_breaks_on_the_way_is_tried_again() {
    let Scene {
        mut world, alice, ..
    } = scene(970, 20, LONG);
    let new = world.browser();
    let uri = world.offer(new).uri;
    choose(&mut world, alice, &uri, ALL);
    world.relay.refuse.push(("/v1/blobs", 503, 3));
    world.start(
        alice,
        Command::ApproveLink {
            uri,
            role: Role::Owner,
        },
    );
    world.run();
    assert!(world.texts(new, "bob").is_empty());
    world.pass_ms(40_000);
    world.set_network(new, false);
    world.pass_ms(100_000);
    world.set_network(new, true);
    world.pass_ms(100_000);
    same_threads(&mut world, alice, new);
}

#[test]
fn a_device_that_is_away_finds_it_when_it_comes_back() {
    let Scene {
        mut world, alice, ..
    } = scene(971, 20, LONG);
    let new = link(&mut world, alice, HistoryChoice::None);
    world.kill(new);
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    world.pass_ms(DAY);
    world.kill(alice);
    world.open(new);
    world.pass_ms(40_000);
    world.open(alice);
    world.pass_ms(40_000);
    same_threads(&mut world, alice, new);
    assert_eq!(rows(&world, alice), 0);
}

#[test]
fn a_damaged_piece_changes_nothing_and_is_told() {
    let Scene {
        mut world, alice, ..
    } = scene(972, 5, SHORT);
    let new = link(&mut world, alice, HistoryChoice::None);
    world.kill(new);
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    world.relay.damage_blobs();
    let before = world.client(new).store.snapshot().only(&[Table::Messages]);
    world.open(new);
    world.pass_ms(40_000);
    let after = world.client(new).store.snapshot().only(&[Table::Messages]);
    assert!(before == after);
    let failed = Event::Failure(Refusal::ArchiveDamaged);
    assert!(world.client(new).events.contains(&failed));
    assert_eq!(rows(&world, new), 0, "it is not fetched for ever");
}

/// All pieces of a file.
fn cut(world: &mut World, by: ClientId) -> Vec<Vec<u8>> {
    let (mut pieces, mut from) = (Vec::new(), None);
    loop {
        let command = HistoryCommand::Cut { from };
        let reply = world.ask(by, Command::History(command));
        let Ok(Reply::Transfer(TransferReply::Piece { content, next, .. })) = reply else {
            panic!("no piece: {reply:?}");
        };
        pieces.extend((!content.is_empty()).then_some(content));
        match next {
            Some(next) => from = Some(next),
            None => return pieces,
        }
    }
}

fn take(world: &mut World, by: ClientId, content: &[u8]) -> Result<Reply, Refusal> {
    let content = content.to_vec();
    world.ask(by, Command::History(HistoryCommand::Take { content }))
}

#[test]
fn a_file_holds_all_of_it_in_pieces_and_what_is_spoilt_or_foreign_changes_nothing() {
    let Scene {
        mut world,
        alice,
        bob,
    } = scene(975, 20, LONG);
    let new = link(&mut world, alice, HistoryChoice::None);
    let pieces = cut(&mut world, alice);
    assert!(pieces.len() > 1, "it comes in pieces");
    let before = world.client(new).store.snapshot();
    let first = pieces.first().expect("there is one");
    for length in (0..first.len()).step_by(1013) {
        let cut = first.get(..length).expect("it is shorter");
        let refused = take(&mut world, new, cut);
        assert_eq!(refused, Err(Refusal::ArchiveDamaged), "{length}");
    }
    assert_eq!(take(&mut world, bob, first), Err(Refusal::ArchiveForeign));
    assert!(world.client(new).store.snapshot() == before);
    for piece in pieces.iter().chain(&pieces) {
        assert_eq!(take(&mut world, new, piece), Ok(Reply::Done));
    }
    same_threads(&mut world, alice, new);
}

#[test]
fn a_message_that_failed_stays_where_it_failed() {
    let Scene {
        mut world, alice, ..
    } = scene(973, 2, SHORT);
    world.relay.refuse.push(("/v1/bundles", 409, 1));
    world.send(alice, "bob", "never sent");
    let failed = MessageStatus::Failed(Refusal::RelayProtocol);
    assert_eq!(world.statuses(alice, "bob").pop(), Some(failed));
    let new = link(&mut world, alice, ALL);
    assert_eq!(world.texts(new, "bob").len(), 4);
}

#[test]
fn a_removed_device_gets_nothing_more() {
    let Scene {
        mut world, alice, ..
    } = scene(974, 20, LONG);
    let new = link(&mut world, alice, HistoryChoice::None);
    world.kill(new);
    world.set_network(alice, false);
    assert_eq!(send_again(&mut world, alice, 2), Ok(Reply::Done));
    let device = DeviceId::try_from(2_u32).unwrap();
    world.set_network(alice, true);
    let unlinked = world.ask(
        alice,
        Command::Unlink {
            device,
            lost: false,
        },
    );
    assert_eq!(unlinked, Ok(Reply::Done));
    world.pass_ms(DAY + 100_000);
    assert_eq!(rows(&world, alice), 0);
}
