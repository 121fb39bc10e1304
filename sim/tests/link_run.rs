//! Linking by typed digits, over a relay that is honest, slow, gone, or lies. Both halves of a run for themselves are
//! tested in `engine/src/linking/run/tests.rs`; the relay's part in `relay/src/core/tests/rendezvous.rs`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use engine::error::RunRefusal;
use engine::input::{HistoryChoice, RunCommand};
use engine::output::{ClientState, Device, LinkClaim, LinkOffer, LinkWay};
use engine::store::Table;
use engine::{Command, Refusal, Reply, Role, Ticket};
use sim::{ClientId, World};

const OVER: Refusal = Refusal::Run(RunRefusal::Over);

/// Asks to be linked as a device of this person.
fn ask(world: &mut World, new: ClientId, handle: &str) -> Ticket {
    let command = Command::Link {
        handle: Some(handle.to_owned()),
        credential: None,
        device_name: "Phone".to_owned(),
    };
    let shown = world.ask(new, command);
    assert!(matches!(shown, Ok(Reply::LinkOffer(_))), "{shown:?}");
    world.start(new, Command::AwaitLink)
}

fn run(world: &mut World, id: ClientId, command: RunCommand) -> Option<Result<Reply, Refusal>> {
    let ticket = world.start(id, Command::Run(command));
    world.run();
    world.client(id).answer(ticket).cloned()
}

fn claimed(answer: Option<Result<Reply, Refusal>>) -> LinkClaim {
    match answer {
        Some(Ok(Reply::LinkClaim(claim))) => claim,
        other => panic!("nobody asks: {other:?}"),
    }
}

fn offer(world: &World, new: ClientId) -> LinkOffer {
    world.client(new).offer.clone().expect("an offer is shown")
}

fn digits(world: &World, new: ClientId) -> String {
    offer(world, new).digits.expect("digits are shown")
}

fn enter(digits: &str) -> RunCommand {
    RunCommand::Enter {
        digits: digits.to_owned(),
    }
}

fn confirm(digits: &str) -> RunCommand {
    RunCommand::Confirm {
        digits: digits.to_owned(),
    }
}

fn approve() -> RunCommand {
    approve_as(Role::Device)
}

fn approve_as(role: Role) -> RunCommand {
    RunCommand::Approve {
        role,
        history: HistoryChoice::None,
    }
}

/// The digits that the existing device shows.
fn told(answer: Option<&Result<Reply, Refusal>>) -> String {
    match answer {
        Some(Ok(Reply::Digits(digits))) => digits.0.clone(),
        other => panic!("no answer: {other:?}"),
    }
}

fn wrong(digits: &str) -> String {
    let last = if digits.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &digits[..digits.len() - 1])
}

/// Alice's first browser, a new one that shows digits, and what waits for the new one's end.
fn shown(world: &mut World) -> (ClientId, ClientId, Ticket) {
    let alice = world.register("alice");
    let new = world.browser();
    let end = ask(world, new, "alice");
    let claim = claimed(run(world, alice, RunCommand::Wait));
    assert_eq!(
        (claim.device_name.as_str(), claim.way),
        ("Phone", LinkWay::Digits)
    );
    (alice, new, end)
}

/// From there to where the existing device has given what it gives.
fn approved(world: &mut World, alice: ClientId, new: ClientId) -> (Ticket, String) {
    approved_as(world, (alice, new), Role::Device)
}

fn approved_as(
    world: &mut World,
    (alice, new): (ClientId, ClientId),
    role: Role,
) -> (Ticket, String) {
    let digits = digits(world, new);
    assert_eq!(run(world, alice, enter(&digits)), Some(Ok(Reply::Done)));
    let answer = world.start(alice, Command::Run(RunCommand::Answer));
    assert_eq!(
        world.client(alice).answer(answer),
        None,
        "not before the approval"
    );
    let device = world.start(alice, Command::Run(approve_as(role)));
    world.run();
    (device, told(world.client(alice).answer(answer)))
}

fn linked(world: &World, alice: ClientId, device: Ticket) -> Device {
    match world.client(alice).answer(device) {
        Some(Ok(Reply::Device(device))) => device.clone(),
        other => panic!("not linked: {other:?}"),
    }
}

#[test]
fn typed_digits_and_typed_back_link_a_browser_and_messages_reach_it() {
    for role in [Role::Device, Role::Owner] {
        let mut world = World::new(600);
        let (alice, new, end) = shown(&mut world);
        world.register("bob");
        let (device, answer) = approved_as(&mut world, (alice, new), role);
        assert!(offer(&world, new).approved);
        assert_eq!(
            world.client(new).state(),
            ClientState::New,
            "not before it is told"
        );
        assert_eq!(world.client(alice).answer(device), None);
        assert_eq!(
            run(&mut world, new, confirm(&answer)),
            Some(Ok(Reply::Done))
        );
        let device = linked(&world, alice, device);
        assert_eq!((device.name.as_str(), device.role), ("Phone", role));
        assert!(matches!(
            world.client(new).answer(end),
            Some(Ok(Reply::Account(_)))
        ));
        world.send(alice, "bob", "hello");
        world.send(new, "bob", "hello from the other");
        assert_eq!(world.texts(new, "bob"), ["hello", "hello from the other"]);
        assert_eq!(world.texts(alice, "bob"), world.texts(new, "bob"));
    }
}

#[test]
fn a_device_with_a_key_of_its_own_can_not_let_others_in_k5() {
    let mut world = World::new(618);
    let (alice, second, _) = shown(&mut world);
    let (_, answer) = approved(&mut world, alice, second);
    run(&mut world, second, confirm(&answer));
    let new = world.browser();
    ask(&mut world, new, "alice");
    let refused = run(&mut world, second, RunCommand::Wait);
    assert_eq!(refused, Some(Err(Refusal::NotOwner)));
    // Nor does the relay let it: a client that asks all the same is refused.
    let code = offer(&world, new).code.expect("a code is shown");
    let refused = world.ask(second, Command::OpenLink { uri: code });
    assert_eq!(refused, Err(Refusal::NotOwner));
}

#[test]
fn a_code_links_without_digits_and_ends_in_the_same_state_k6() {
    let mut world = World::new(601);
    let alice = world.register("alice");
    let new = world.browser();
    ask(&mut world, new, "alice");
    let code = offer(&world, new).code.expect("a code is shown");
    let open = Command::OpenLink { uri: code };
    let claim = claimed(Some(world.ask(alice, open)));
    assert_eq!(
        (claim.device_name.as_str(), claim.way),
        ("Phone", LinkWay::Code)
    );
    assert_eq!(offer(&world, new).digits, None);
    let answer = world.start(alice, Command::Run(RunCommand::Answer));
    let device = world.start(alice, Command::Run(approve()));
    world.run();
    assert_eq!(told(world.client(alice).answer(answer)), "");
    linked(&world, alice, device);

    let mut typed = World::new(601);
    let (alice_typed, new_typed, _) = shown(&mut typed);
    let (_, answer) = approved(&mut typed, alice_typed, new_typed);
    run(&mut typed, new_typed, confirm(&answer));
    let account = |world: &mut World, id| world.ask(id, Command::Account);
    assert_eq!(account(&mut world, new), account(&mut typed, new_typed));
    let devices = |world: &mut World, id| match world.ask(id, Command::Devices) {
        Ok(Reply::Devices(devices)) => devices.into_iter().map(|d| (d.id, d.name)).collect(),
        _ => Vec::new(),
    };
    assert_eq!(devices(&mut world, alice), devices(&mut typed, alice_typed));
    assert_eq!(devices(&mut world, alice).len(), 2);
    let kept = |world: &World, id| {
        let snapshot = world.client(id).store.snapshot();
        Table::ALL.map(|table| snapshot.count(table))
    };
    assert_eq!(kept(&world, new), kept(&typed, new_typed));
}

#[test]
fn nothing_comes_to_a_device_that_does_not_look() {
    let mut world = World::new(602);
    let alice = world.register("alice");
    let (events, sent) = (
        world.client(alice).events.len(),
        world.client(alice).sent.len(),
    );
    for _ in 0..4 {
        let new = world.browser();
        ask(&mut world, new, "alice");
    }
    world.pass_ms(20_000);
    assert_eq!(world.client(alice).events.len(), events);
    assert_eq!(world.client(alice).sent.len(), sent);
}

#[test]
fn a_device_that_looks_first_finds_the_browser_that_asks_later() {
    let mut world = World::new(603);
    let alice = world.register("alice");
    let wait = world.start(alice, Command::Run(RunCommand::Wait));
    world.run();
    world.pass_ms(120_000);
    assert_eq!(world.client(alice).answer(wait), None);
    let new = world.browser();
    ask(&mut world, new, "alice");
    claimed(world.client(alice).answer(wait).cloned());
    assert_eq!(digits(&world, new).len(), 8);
}

#[test]
fn who_waits_may_stop_and_wait_again() {
    let mut world = World::new(604);
    let alice = world.register("alice");
    let wait = world.start(alice, Command::Run(RunCommand::Wait));
    world.run();
    assert_eq!(
        run(&mut world, alice, RunCommand::Reject),
        Some(Ok(Reply::Done))
    );
    assert_eq!(
        world.client(alice).answer(wait),
        Some(&Err(Refusal::LinkCancelled))
    );
    let new = world.browser();
    ask(&mut world, new, "alice");
    claimed(run(&mut world, alice, RunCommand::Wait));
}

#[test]
fn without_the_digits_nothing_is_approved_t4() {
    let mut world = World::new(605);
    let (alice, new, _) = shown(&mut world);
    let missing = Refusal::Run(RunRefusal::DigitsMissing);
    assert_eq!(run(&mut world, alice, approve()), Some(Err(missing)));
    let digits = digits(&world, new);
    let left = |left| Some(Err(Refusal::Run(RunRefusal::DigitsWrong { left })));
    assert_eq!(run(&mut world, alice, enter(&wrong(&digits))), left(4));
    assert_eq!(run(&mut world, alice, approve()), Some(Err(missing)));
    let number = Some(Err(Refusal::InvalidArgument("digits")));
    assert_eq!(run(&mut world, alice, enter("1234")), number);
    assert_eq!(
        run(&mut world, alice, enter(&digits)),
        Some(Ok(Reply::Done))
    );
}

#[test]
fn five_wrong_digits_end_it_for_both() {
    let mut world = World::new(606);
    let (alice, new, end) = shown(&mut world);
    let digits = digits(&world, new);
    for _ in 0..4 {
        run(&mut world, alice, enter(&wrong(&digits)));
    }
    assert_eq!(
        run(&mut world, alice, enter(&wrong(&digits))),
        Some(Err(OVER))
    );
    assert_eq!(run(&mut world, alice, enter(&digits)), Some(Err(OVER)));
    assert_eq!(run(&mut world, alice, approve()), Some(Err(OVER)));
    assert_eq!(
        world.client(new).answer(end),
        Some(&Err(Refusal::LinkDeclined))
    );
}

#[test]
fn declined_is_declined_at_every_step_and_nothing_is_stored() {
    for step in 0..3 {
        let mut world = World::new(607);
        let (alice, new, end) = shown(&mut world);
        let before = world.client(new).store.snapshot();
        let digits = digits(&world, new);
        if step > 0 {
            run(&mut world, alice, enter(&digits));
        }
        if step > 1 {
            approved(&mut world, alice, new);
        }
        run(&mut world, alice, RunCommand::Reject);
        let ended = world.client(new).answer(end).cloned();
        assert_eq!(ended, Some(Err(Refusal::LinkDeclined)), "step {step}");
        assert!(before == world.client(new).store.snapshot(), "step {step}");
        assert_eq!(run(&mut world, alice, approve()), Some(Err(OVER)));
    }
}

#[test]
fn three_wrong_answers_erase_everything_and_the_existing_device_hears_of_it_k3() {
    let mut world = World::new(608);
    let (alice, new, end) = shown(&mut world);
    let before = world.client(new).store.snapshot();
    let (device, answer) = approved(&mut world, alice, new);
    let left = |left| Some(Err(Refusal::Run(RunRefusal::DigitsWrong { left })));
    assert_eq!(run(&mut world, new, confirm(&wrong(&answer))), left(2));
    assert_eq!(run(&mut world, new, confirm(&wrong(&answer))), left(1));
    assert_eq!(
        run(&mut world, new, confirm(&wrong(&answer))),
        Some(Err(OVER))
    );
    assert_eq!(run(&mut world, new, confirm(&answer)), Some(Err(OVER)));
    assert_eq!(world.client(new).answer(end), Some(&Err(OVER)));
    assert!(before == world.client(new).store.snapshot());
    assert_eq!(world.client(new).state(), ClientState::New);
    assert_eq!(
        world.client(alice).answer(device),
        Some(&Err(Refusal::LinkDeclined))
    );
    // It was certified before it was given anything; the list names it no more.
    world.pass_ms(1_000);
    let Ok(Reply::Account(account)) = world.ask(alice, Command::Account) else {
        panic!("alice has an account");
    };
    let list = world.relay.device_list(account.id);
    assert_eq!(
        list.map(|list| (list.version, list.entries.len())),
        Some((2, 0))
    );
}

#[test]
fn a_run_is_over_after_five_minutes_on_both_sides() {
    let mut world = World::new(609);
    let (alice, new, end) = shown(&mut world);
    world.pass_ms(4 * 60_000);
    assert_eq!(world.client(new).answer(end), None, "URIs end before");
    world.pass_ms(61_000);
    assert!(matches!(
        world.client(new).answer(end),
        Some(Err(Refusal::LinkExpired | OVER))
    ));
    assert_eq!(run(&mut world, alice, enter("12345678")), Some(Err(OVER)));
}

#[test]
fn a_lost_connection_at_any_step_costs_nothing_but_time() {
    for victim in 0..2 {
        for step in 0..4 {
            let mut world = World::new(610);
            let (alice, new, _) = shown(&mut world);
            let who = [alice, new][victim];
            let blink = |world: &mut World, at: i32| {
                if at == step {
                    world.set_network(who, false);
                    world.pass_ms(2_000);
                    world.set_network(who, true);
                    world.pass_ms(40_000);
                }
            };
            blink(&mut world, 0);
            let digits = digits(&world, new);
            assert_eq!(
                run(&mut world, alice, enter(&digits)),
                Some(Ok(Reply::Done))
            );
            blink(&mut world, 1);
            let answer = world.start(alice, Command::Run(RunCommand::Answer));
            let device = world.start(alice, Command::Run(approve()));
            blink(&mut world, 2);
            world.run();
            blink(&mut world, 3);
            let answer = told(world.client(alice).answer(answer));
            world.start(new, Command::Run(confirm(&answer)));
            world.pass_ms(40_000);
            assert_eq!(
                linked(&world, alice, device).name,
                "Phone",
                "{victim} {step}"
            );
        }
    }
}

#[test]
fn two_browsers_at_once_end_one_of_them_and_the_other_goes_on_k4() {
    let mut world = World::new(611);
    let (alice, first, end) = shown(&mut world);
    let second = world.browser();
    ask(&mut world, second, "alice");
    world.pass_ms(1_000);
    assert_eq!(world.client(first).answer(end), Some(&Err(OVER)));
    assert_eq!(
        run(&mut world, alice, approve()),
        Some(Err(Refusal::Run(RunRefusal::DigitsMissing)))
    );
    claimed(run(&mut world, alice, RunCommand::Wait));
    let (device, answer) = approved(&mut world, alice, second);
    run(&mut world, second, confirm(&answer));
    linked(&world, alice, device);
}

#[test]
fn a_second_device_is_refused_while_one_decides() {
    let mut world = World::new(612);
    let alice = world.register("alice");
    let (other, _) = world.link(alice);
    let new = world.browser();
    ask(&mut world, new, "alice");
    let code = offer(&world, new).code.expect("a code is shown");
    claimed(run(&mut world, alice, RunCommand::Wait));
    let open = Command::OpenLink { uri: code };
    assert_eq!(world.ask(other, open), Err(Refusal::LinkExpired));
    let wait = world.start(other, Command::Run(RunCommand::Wait));
    world.run();
    assert_eq!(
        world.client(other).answer(wait),
        None,
        "it is not found twice"
    );
}

#[test]
fn a_removed_device_can_neither_look_nor_approve_k5() {
    let mut world = World::new(613);
    let alice = world.register("alice");
    let (other, device) = world.link(alice);
    let new = world.browser();
    ask(&mut world, new, "alice");
    claimed(run(&mut world, other, RunCommand::Wait));
    let digits = digits(&world, new);
    run(&mut world, other, enter(&digits));
    let unlink = Command::Unlink {
        device: device.id,
        lost: false,
    };
    assert_eq!(world.ask(alice, unlink), Ok(Reply::Done));
    let refused = run(&mut world, other, approve());
    assert_eq!(refused, Some(Err(Refusal::Unlinked)));
    let refused = run(&mut world, other, RunCommand::Wait);
    assert_eq!(refused, Some(Err(Refusal::Unlinked)));
    assert_eq!(world.client(new).state(), ClientState::New);
}

/// A browser that was a device of this account.
fn removed(world: &mut World, by: ClientId) -> ClientId {
    let (second, device) = world.link(by);
    let remove = Command::Unlink {
        device: device.id,
        lost: false,
    };
    world.ask(by, remove).expect("it is removed");
    world.pass_ms(2_000);
    second
}

#[test]
fn a_browser_of_one_account_is_not_linked_to_another_by_a_run() {
    let mut world = World::new(614);
    let alice = world.register("alice");
    let second = removed(&mut world, alice);
    world.register("mallory");
    let before = world.client(second).store.snapshot();
    let end = ask(&mut world, second, "mallory");
    let mallory = ClientId(2);
    assert_eq!(
        run(&mut world, mallory, RunCommand::Wait),
        Some(Err(Refusal::LinkDeclined))
    );
    assert_eq!(
        world.client(second).answer(end),
        Some(&Err(Refusal::OtherAccount))
    );
    assert!(before == world.client(second).store.snapshot());
}

#[test]
fn a_browser_that_was_removed_comes_back_by_digits_as_another_device() {
    let mut world = World::new(615);
    let alice = world.register("alice");
    world.register("bob");
    let second = removed(&mut world, alice);
    ask(&mut world, second, "alice");
    claimed(run(&mut world, alice, RunCommand::Wait));
    let (device, answer) = approved(&mut world, alice, second);
    run(&mut world, second, confirm(&answer));
    linked(&world, alice, device);
    world.send(alice, "bob", "again");
    assert_eq!(world.texts(second, "bob"), ["again"]);
}

#[test]
fn who_is_not_known_gets_no_digits_and_may_still_show_a_uri() {
    let mut world = World::new(616);
    let alice = world.register("alice");
    let new = world.browser();
    ask(&mut world, new, "nobody");
    let shown = offer(&world, new);
    assert_eq!(
        (shown.code, shown.problem),
        (None, Some(Refusal::UnknownHandle))
    );
    let approve = Command::ApproveLink {
        uri: shown.uri,
        role: Role::Owner,
    };
    assert!(matches!(world.ask(alice, approve), Ok(Reply::Device(_))));
}

#[test]
fn what_a_relay_changes_on_the_way_is_noticed_and_nothing_is_handed_over() {
    for (path, index) in [
        ("/v1/rendezvous?", 30),
        ("/v1/rendezvous/", 10),
        ("/v1/rendezvous/", 60),
    ] {
        let mut world = World::new(617);
        let alice = world.register("alice");
        let new = world.browser();
        world.relay.lie = Some(match index {
            10 => (path, |body| flip(body, 10)),
            30 => (path, |body| flip(body, 30)),
            _ => (path, |body| flip(body, 60)),
        });
        ask(&mut world, new, "alice");
        let found = run(&mut world, alice, RunCommand::Wait);
        let shown = offer(&world, new).digits;
        if let (Some(Ok(_)), Some(digits)) = (found, shown) {
            let tried = run(&mut world, alice, enter(&digits));
            assert!(matches!(tried, Some(Err(_))), "{path} {index}");
        }
        assert!(matches!(run(&mut world, alice, approve()), Some(Err(_))));
        assert_eq!(world.client(new).state(), ClientState::New);
    }
}

fn flip(body: &mut [u8], at: usize) {
    if let Some(byte) = body.get_mut(at) {
        *byte ^= 1;
    }
}
