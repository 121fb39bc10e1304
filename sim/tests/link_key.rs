//! What an existing device does with the account's private key before the person has approved: nothing. Shown by putting
//! another key in its place, which must make no difference to what it sends and stores until then, and does from then on.

#![expect(
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::{HistoryChoice, RunCommand};
use engine::store::Table;
use engine::{Command, Reply, Role};
use sim::{ClientId, World};

fn ask(world: &mut World, new: ClientId) {
    let command = Command::Link {
        handle: Some("alice".to_owned()),
        credential: None,
        device_name: "Phone".to_owned(),
    };
    let shown = world.ask(new, command);
    assert!(matches!(shown, Ok(Reply::LinkOffer(_))), "{shown:?}");
}

fn run(world: &mut World, id: ClientId, command: RunCommand) {
    world.start(id, Command::Run(command));
    world.run();
}

fn enter(digits: &str) -> RunCommand {
    RunCommand::Enter {
        digits: digits.to_owned(),
    }
}

fn digits(world: &World, new: ClientId) -> String {
    let offer = world.client(new).offer.clone();
    offer.and_then(|offer| offer.digits).unwrap_or_default()
}

/// Everything that a device does before it approves is the same with another private key in place of the account's: so
/// that key was not used, nor anything made with it.
#[test]
fn the_accounts_private_key_is_not_used_before_the_approval_k1() {
    let mut gave = 0;
    for order in 0..40_u64 {
        let (before, approved) = play(order, false);
        let (before_with_another, approved_with_another) = play(order, true);
        assert!(before == before_with_another, "order {order}");
        // What it gives then is of another key: had the key been used before, it would have shown.
        assert!(approved.is_empty() || approved != approved_with_another);
        gave += usize::from(!approved.is_empty());
    }
    assert!(gave > 20, "{gave} runs came to an approval");
}

type Bytes = Vec<Vec<u8>>;

/// Steps of both people in an order that a number draws, ending with an approval. Gives what the existing device has
/// sent and stored before it, and sent after it.
fn play(order: u64, with_another_key: bool) -> (Bytes, Bytes) {
    let mut world = World::new(700);
    let alice = world.register("alice");
    let new = world.browser();
    world.kill(alice);
    if with_another_key {
        let mut changed = 0;
        world.client(alice).store.edit(Table::Meta, |_, row| {
            changed += exchange_private_key(row);
            engine::store::memory::Keep::Yes
        });
        assert_eq!(changed, 1, "there is one identity key pair");
    }
    world.open(alice);
    let start = world.client(alice).sent.len();
    let mut drawn = order;
    for _ in 0..6 {
        step(&mut world, (alice, new), drawn % 7);
        drawn /= 2;
        drawn = drawn.wrapping_mul(31).wrapping_add(order);
    }
    ask_again(&mut world, new);
    run(&mut world, alice, RunCommand::Wait);
    let digits = digits(&world, new);
    run(&mut world, alice, enter(&digits));
    let entered = world.client(alice).sent.len();
    let mut before = world.client(alice).sent[start..].to_vec();
    let stored = world.client(alice).store.snapshot();
    for table in Table::ALL {
        before.extend(stored.rows(table).map(|(_, row)| {
            let mut row = row.to_vec();
            exchange_private_key(&mut row);
            row
        }));
    }
    let approve = RunCommand::Approve {
        role: [Role::Device, Role::Owner][(order % 2) as usize],
        history: HistoryChoice::None,
    };
    run(&mut world, alice, approve);
    (before, world.client(alice).sent[entered..].to_vec())
}

fn ask_again(world: &mut World, new: ClientId) {
    let cancelled = world.ask(new, Command::CancelLink);
    assert_eq!(cancelled, Ok(Reply::Done));
    ask(world, new);
}

fn step(world: &mut World, (alice, new): (ClientId, ClientId), which: u64) {
    match which {
        0 => ask_again(world, new),
        1 => run(world, alice, RunCommand::Wait),
        2 => {
            let digits = digits(world, new);
            run(world, alice, enter(&digits));
        }
        3 => run(world, alice, enter("00000000")),
        4 => run(world, alice, RunCommand::Reject),
        5 => {
            world.set_network(alice, false);
            world.pass_ms(2_000);
            world.set_network(alice, true);
            world.pass_ms(40_000);
        }
        _ => world.pass_ms(70_000),
    }
}

/// Puts another private key beside the public one; gives how many there were.
fn exchange_private_key(row: &mut [u8]) -> usize {
    // A key pair as libsignal writes it: field 1, 33 bytes with type 5; field 2, 32 bytes.
    let begins = |at: &usize| {
        row.get(*at..at + 3) == Some(&[0x0A, 33, 5])
            && row.get(at + 35..at + 37) == Some(&[0x12, 32])
    };
    let found: Vec<usize> = (0..row.len()).filter(begins).collect();
    for at in &found {
        row[at + 37..at + 69].fill(0x48);
    }
    found.len()
}
