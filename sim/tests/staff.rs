//! Other people who read or answer for somebody: what they get, what they can do, what others see of them, and how it ends.
//! Names of claims: D-2, D-6, D-7, D-8, and the rules ST of the protocol's section on staff.

#![expect(clippy::unwrap_used, reason = "a play that goes wrong stops at once")]

use engine::input::{Grant, Setting, StaffCommand};
use engine::output::{ClientState, Contact, Granted, Staff};
use engine::store::memory::Crash;
use engine::{Command, Refusal, Reply, Role, Timestamp};
use sim::{ClientId, World};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A member of parliament with an owner, a person of her staff who answers, and a constituent.
struct Scene {
    world: World,
    mp: ClientId,
    jane: ClientId,
    bob: ClientId,
}

fn grant() -> Grant {
    Grant {
        label: "Jane, office".to_owned(),
        answers: true,
        reads_sent: true,
        conversations: None,
        until: None,
    }
}

fn scene_with(seed: u64, grant: Grant) -> Scene {
    let mut world = World::new(seed);
    let mp = world.register("mp");
    let bob = world.register("bob");
    world.send(bob, "mp", "before");
    let (jane, device) = world.link_staff(mp, grant);
    assert!(device.role.is_delegate());
    Scene {
        world,
        mp,
        jane,
        bob,
    }
}

fn scene(seed: u64) -> Scene {
    scene_with(seed, grant())
}

/// So many days pass; the pages of these are opened once in each.
fn days(world: &mut World, who: &[ClientId], days: u64) {
    for _ in 0..days {
        for id in who {
            world.kill(*id);
        }
        world.pass_ms(DAY_MS);
        for id in who {
            world.open(*id);
        }
        world.pass_ms(60_000);
    }
}

/// Texts with who of staff wrote them.
fn said(world: &mut World, of: ClientId, with: &str) -> Vec<(String, Option<String>)> {
    let thread = world.thread(of, with).into_iter();
    thread
        .map(|message| (message.text, message.staff))
        .collect()
}

fn plain(text: &str) -> (String, Option<String>) {
    (text.to_owned(), None)
}

fn by(text: &str, staff: &str) -> (String, Option<String>) {
    (text.to_owned(), Some(staff.to_owned()))
}

fn granted(world: &mut World, of: ClientId) -> Vec<Granted> {
    match world.ask(of, Command::Staff(StaffCommand::List)) {
        Ok(Reply::Staff(all)) => all,
        other => unreachable!("no list: {other:?}"),
    }
}

fn staff(world: &mut World, of: ClientId, whose: &str) -> Vec<Staff> {
    let Contact { staff, .. } = world.contact(of, whose);
    staff
}

fn without_staff(world: &mut World, by: ClientId, with: &str, without: bool) {
    let setting = Setting::WithoutStaff {
        conversation: with.to_owned(),
        without,
    };
    assert_eq!(world.ask(by, Command::Set(setting)), Ok(Reply::Done));
}

fn end_access(world: &mut World, by: ClientId) {
    let device = granted(world, by).first().unwrap().device;
    let unlink = Command::Unlink {
        device,
        lost: false,
    };
    assert_eq!(world.ask(by, unlink), Ok(Reply::Done));
}

#[test]
fn staff_read_and_answer_and_everybody_sees_who_it_was() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(1);
    world.send(bob, "mp", "who reads this?");
    world.send(jane, "bob", "her office");
    world.send(mp, "bob", "and I");
    let all = [
        plain("who reads this?"),
        by("her office", "Jane, office"),
        plain("and I"),
    ];
    assert_eq!(said(&mut world, jane, "bob"), all, "nothing from before");
    for (of, with) in [(mp, "bob"), (bob, "mp")] {
        let said = said(&mut world, of, with);
        assert_eq!(said.get(1..).unwrap(), all);
    }
    let seen = staff(&mut world, bob, "mp");
    let jane = seen.first().unwrap();
    assert_eq!(
        (jane.label.as_str(), jane.answers, jane.ended, jane.is_new),
        ("Jane, office", true, None, true)
    );
    let noted = Setting::StaffSeen {
        conversation: "mp".to_owned(),
    };
    assert_eq!(world.ask(bob, Command::Set(noted)), Ok(Reply::Done));
    assert!(!staff(&mut world, bob, "mp").first().unwrap().is_new);
}

#[test]
fn a_constituent_who_writes_first_sees_that_there_are_staff_before_anybody_answers() {
    let Scene { mut world, .. } = scene(2);
    let carol = world.register("carol");
    world.send(carol, "mp", "hello");
    let seen = staff(&mut world, carol, "mp");
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen.first().unwrap().label,
        "",
        "only the account says how they are called"
    );
}

#[test]
fn who_may_only_read_sends_nothing() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene_with(
        3,
        Grant {
            answers: false,
            ..grant()
        },
    );
    world.send(bob, "mp", "hello");
    world.send(mp, "bob", "hello yourself");
    assert_eq!(world.texts(jane, "bob"), ["hello", "hello yourself"]);
    assert_eq!(
        world.ask(jane, Command::text("bob", "me too")),
        Err(Refusal::NotAllowed)
    );
    assert!(!staff(&mut world, bob, "mp").first().unwrap().answers);
}

#[test]
fn without_staff_means_that_no_staff_get_anything_of_a_conversation_d6() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(4);
    world.send(bob, "mp", "for all");
    without_staff(&mut world, bob, "mp", true);
    world.send(bob, "mp", "for you alone");
    assert!(world.contact(mp, "bob").without_staff_by_them);
    world.send(mp, "bob", "nobody else sees this");
    assert_eq!(world.texts(jane, "bob"), ["for all"]);
    assert_nothing_for(&world, jane, &[mp, bob], "nobody else sees this");
    without_staff(&mut world, bob, "mp", false);
    world.send(bob, "mp", "for all again");
    world.send(mp, "bob", "seen by all");
    assert_eq!(
        world.texts(jane, "bob"),
        ["for all", "for all again", "seen by all"]
    );
    without_staff(&mut world, mp, "bob", true);
    world.send(mp, "bob", "and now I");
    world.send(bob, "mp", "as you like");
    assert_eq!(world.texts(jane, "bob").len(), 3);
    assert_eq!(world.texts(mp, "bob").len(), 8);
}

/// The newest bundles of these have no part for that browser.
fn assert_nothing_for(world: &World, staff: ClientId, from: &[ClientId], of: &str) {
    let stored = world.stored(staff);
    assert!(
        !holds(&stored, of.as_bytes()),
        "{from:?} kept it to themselves"
    );
}

#[test]
fn of_chosen_conversations_only_those_are_read_on_both_sides() {
    let only = Grant {
        conversations: Some(vec!["bob".to_owned()]),
        ..grant()
    };
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene_with(5, only);
    let carol = world.register("carol");
    world.run();
    world.pass_ms(5_000);
    let first = staff(&mut world, bob, "mp");
    assert_eq!(first.first().unwrap().label, "Jane, office", "at once");
    world.send(bob, "mp", "from bob");
    world.send(mp, "bob", "to bob");
    world.send(mp, "carol", "to carol");
    world.send(carol, "mp", "from carol");
    assert_eq!(world.texts(jane, "bob"), ["from bob", "to bob"]);
    assert_eq!(world.texts(jane, "carol"), Vec::<String>::new());
    assert_eq!(staff(&mut world, carol, "mp"), []);
    assert_eq!(staff(&mut world, bob, "mp").len(), 1);
    let device = granted(&mut world, mp).first().unwrap().device;
    let change = Command::Staff(StaffCommand::Change {
        device,
        conversations: Some(vec!["carol".to_owned()]),
        until: None,
    });
    assert_eq!(world.ask(mp, change), Ok(Reply::Done));
    world.send(carol, "mp", "now carol");
    world.send(bob, "mp", "no more bob");
    assert_eq!(world.texts(jane, "carol"), ["now carol"]);
    assert_eq!(world.texts(jane, "bob"), ["from bob", "to bob"]);
}

#[test]
fn who_has_no_access_any_more_reads_nothing_that_is_sent_after_that() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(6);
    world.send(bob, "mp", "one");
    end_access(&mut world, mp);
    world.pass_ms(60_000);
    assert_eq!(world.client(jane).state(), ClientState::Unlinked);
    world.send(bob, "mp", "two");
    world.send(mp, "bob", "three");
    assert_eq!(world.texts(jane, "bob"), ["one"]);
    let list = granted(&mut world, mp);
    assert!(list.first().unwrap().ended.is_some());
    assert!(
        staff(&mut world, bob, "mp")
            .first()
            .unwrap()
            .ended
            .is_some()
    );
    assert_eq!(said(&mut world, mp, "bob").len(), 4);
}

#[test]
fn what_staff_wrote_still_says_so_when_they_are_gone() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(7);
    world.send(bob, "mp", "hello");
    world.send(jane, "bob", "from the office");
    end_access(&mut world, mp);
    world.send(mp, "bob", "she has left");
    days(&mut world, &[mp, bob, jane], 60);
    let with_label = by("from the office", "Jane, office");
    assert!(said(&mut world, bob, "mp").contains(&with_label));
    assert!(said(&mut world, mp, "bob").contains(&with_label));
}

#[test]
fn access_goes_on_by_itself_while_wanted_d7() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(8);
    days(&mut world, &[mp, jane, bob], 50);
    world.send(bob, "mp", "still there?");
    world.send(jane, "bob", "yes");
    assert_eq!(world.texts(bob, "mp"), ["before", "still there?", "yes"]);
    let list = granted(&mut world, mp);
    assert_eq!(list.len(), 1);
    assert!(list.first().unwrap().expires > Timestamp(world.now));
}

#[test]
fn access_ends_when_it_was_to_end_d7() {
    let mut world = World::new(9);
    let mp = world.register("mp");
    let bob = world.register("bob");
    let until = Some(Timestamp(world.now + 3 * DAY_MS));
    let (jane, _) = world.link_staff(mp, Grant { until, ..grant() });
    world.send(bob, "mp", "one");
    // The owner is away: nobody takes her out of the list, and yet it is over.
    world.kill(mp);
    for id in [jane, bob] {
        world.kill(id);
    }
    world.pass_ms(4 * DAY_MS);
    world.open(jane);
    world.open(bob);
    world.send(bob, "mp", "two");
    assert_eq!(world.texts(jane, "bob"), ["one"]);
    world.start(jane, Command::text("bob", "too late"));
    world.run();
    assert_eq!(world.texts(bob, "mp"), ["one", "two"]);
    world.open(mp);
    world.pass_ms(60_000);
    assert_eq!(world.client(jane).state(), ClientState::Unlinked);
    assert!(granted(&mut world, mp).first().unwrap().ended.is_some());
}

#[test]
fn staff_can_neither_let_others_in_nor_sign_nor_change_what_own_devices_agree_on_d8() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(10);
    world.send(bob, "mp", "hello");
    let new = world.browser();
    let uri = world.offer(new).uri;
    let device = 1.try_into().unwrap();
    let verify = Setting::Verify {
        account: "bob".to_owned(),
        verified: true,
        digits: None,
    };
    let block = Setting::Block {
        account: "bob".to_owned(),
        blocked: true,
    };
    let asked = [
        Command::ApproveLink {
            uri: uri.clone(),
            role: Role::Device,
        },
        Command::Staff(StaffCommand::Approve {
            uri: Some(uri),
            grant: grant(),
        }),
        Command::Staff(StaffCommand::List),
        Command::Set(verify),
        Command::Set(block),
        Command::Devices,
        Command::DeleteAccount,
    ];
    for command in asked {
        assert_eq!(
            world.ask(jane, command.clone()),
            Err(Refusal::NotAllowed),
            "{command:?}"
        );
    }
    let unlink = Command::Unlink { device, lost: true };
    assert_eq!(world.ask(jane, unlink), Err(Refusal::NotOwner));
    assert!(!world.contact(mp, "bob").verified);
}

#[test]
fn nothing_that_own_devices_keep_comes_to_staff() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(11);
    let (_, _) = world.link_as(mp, Role::Device);
    let name = Setting::Name {
        account: "bob".to_owned(),
        name: "the difficult one".to_owned(),
    };
    let draft = Setting::Draft {
        conversation: "bob".to_owned(),
        text: "half a thought".to_owned(),
    };
    for setting in [name, draft] {
        assert_eq!(world.ask(mp, Command::Set(setting)), Ok(Reply::Done));
    }
    world.send(mp, "mp", "a note to myself");
    world.send(bob, "mp", "for all");
    days(&mut world, &[mp, jane, bob], 3);
    world.send(mp, "bob", "an answer");
    assert_eq!(world.texts(jane, "bob"), ["for all", "an answer"]);
    let stored = world.stored(jane);
    for secret in [
        "the difficult one",
        "half a thought",
        "a note to myself",
        "before",
    ] {
        assert!(holds(&world.stored(mp), secret.as_bytes()), "{secret}");
        assert!(!holds(&stored, secret.as_bytes()), "{secret}");
    }
}

#[test]
fn staff_change_their_own_messages_and_nobody_elses() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(12);
    world.send(bob, "mp", "hello");
    let mps = world.send(mp, "bob", "from me");
    let janes = world.send(jane, "bob", "from her ofice");
    let edit = |message| {
        let text = "from her office".to_owned();
        Command::Act(engine::input::Action::Edit { message, text })
    };
    assert_eq!(world.ask(jane, edit(mps)), Err(Refusal::NotAuthor));
    assert_eq!(world.ask(jane, edit(janes)), Ok(Reply::Done));
    let react = Command::Act(engine::input::Action::React {
        message: janes,
        emoji: Some("👍".to_owned()),
    });
    assert_eq!(world.ask(jane, react), Err(Refusal::NotAllowed));
    world.run();
    assert_eq!(world.texts(bob, "mp").last().unwrap(), "from her office");
    assert_eq!(world.texts(mp, "bob").last().unwrap(), "from her office");
}

fn holds(stored: &[u8], what: &[u8]) -> bool {
    stored.windows(what.len()).any(|bytes| bytes == what)
}

/// What Bob, who was away for so long when her access ended, sends after it.
fn after_absence(seed: u64, away_ms: u64) {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(seed);
    world.send(bob, "mp", "one");
    world.kill(bob);
    end_access(&mut world, mp);
    for id in [mp, jane] {
        world.kill(id);
    }
    world.pass_ms(away_ms);
    for id in [mp, jane, bob] {
        world.open(id);
    }
    world.send(bob, "mp", "two");
    world.pass_ms(60_000);
    assert_eq!(world.texts(mp, "bob"), ["before", "one", "two"]);
    assert_eq!(world.texts(jane, "bob"), ["one"]);
    let last = world.client(bob).bundles().pop().unwrap();
    assert_eq!(
        last.recipients
            .iter()
            .map(|of| of.messages.len())
            .sum::<usize>(),
        1
    );
}

#[test]
fn who_was_away_when_access_ended_writes_to_nobody_who_has_none_d3() {
    after_absence(20, DAY_MS / 24);
    after_absence(21, 8 * DAY_MS);
    after_absence(22, 40 * DAY_MS);
}

#[test]
fn a_relay_that_hides_the_end_of_access_does_so_for_a_week_at_most_d5() {
    let Scene {
        mut world,
        mp,
        jane,
        bob,
    } = scene(23);
    world.send(bob, "mp", "one");
    // It says that it has taken the list that ends her access, and goes on as before.
    world.relay.refuse = vec![("/v1/accounts/me/list", 200, 1)];
    end_access(&mut world, mp);
    for id in [mp, jane, bob] {
        world.kill(id);
    }
    world.pass_ms(8 * DAY_MS);
    for id in [jane, bob] {
        world.open(id);
    }
    world.send(bob, "mp", "two");
    assert_eq!(
        world.texts(jane, "bob"),
        ["one"],
        "the list that names her has ended"
    );
}

#[test]
fn a_page_that_dies_while_staff_are_let_in_has_let_somebody_in_or_nobody() {
    for nth in 1..12 {
        let mut world = World::new(30 + nth);
        let mp = world.register("mp");
        let bob = world.register("bob");
        let new = world.browser();
        let uri = Some(world.offer(new).uri);
        world.crash_at(mp, nth, Crash::AfterWrite);
        let grant = grant();
        world.start(mp, Command::Staff(StaffCommand::Approve { uri, grant }));
        world.pass_ms(30_000);
        if world.client(mp).crashes() == 0 {
            break; // it needs no more commits
        }
        world.open(mp);
        world.pass_ms(120_000);
        world.send(bob, "mp", "who is there?");
        world.pass_ms(10_000);
        assert_eq!(world.texts(mp, "bob"), ["who is there?"]);
        if world.client(new).state() == ClientState::Ready {
            assert_eq!(world.texts(new, "bob"), ["who is there?"]);
            assert_eq!(granted(&mut world, mp).first().unwrap().ended, None);
        }
    }
}

#[test]
fn what_was_written_before_its_author_could_know_of_staff_is_not_for_them() {
    let mut world = World::new(50);
    let mp = world.register("mp");
    let bob = world.register("bob");
    world.send(bob, "mp", "hello");
    world.set_network(bob, false);
    world.start(bob, Command::text("mp", "nobody reads this but you"));
    let (jane, _) = world.link_staff(mp, grant());
    world.set_network(bob, true);
    world.pass_ms(60_000);
    assert_eq!(
        world.texts(mp, "bob"),
        ["hello", "nobody reads this but you"]
    );
    assert_eq!(world.texts(jane, "bob"), Vec::<String>::new());
    assert!(staff(&mut world, bob, "mp").first().unwrap().is_new);
    world.send(bob, "mp", "now I know");
    assert_eq!(world.texts(jane, "bob"), ["now I know"]);
}
