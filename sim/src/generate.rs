//! A run from a seed. Each seed draws first which faults its run has and how often, so that runs differ in kind
//! and not only in order: some have nothing but crashes, some everything at once.

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::step::{Play, Step};

/// How often each step comes in a quiet run.
const USUAL: [(&str, u32); 12] = [
    ("send", 30),
    ("read", 5),
    ("do", 8),
    ("set", 8),
    ("look", 2),
    ("deliver", 20),
    ("flow", 14),
    ("run", 6),
    ("pass", 8),
    ("wait", 4),
    ("open", 3),
    ("batch", 1),
];

/// Faults, each with what ends it and how often both come in a run that has it.
const FAULTS: [&[(&str, u32)]; 17] = [
    &[("drop", 5)],
    &[("cut", 3), ("reconnect", 5)],
    &[("mute", 2), ("unmute", 4)],
    &[("kill", 4), ("open", 8)],
    &[("crash_at_commit", 6), ("open", 8)],
    &[("crash_at_output", 6), ("open", 8)],
    &[("fill", 2), ("free", 4), ("open", 4)],
    &[("jump", 4)],
    &[("restart_relay", 3)],
    &[("stop_relay", 2), ("start_relay", 4)],
    &[("refuse", 4)],
    &[("double", 5)],
    &[("sleep", 1)],
    &[("away", 1), ("open", 4)],
    &[("unlink", 2), ("link", 4), ("approve", 6)],
    &[("link", 4), ("approve", 6)],
    &[("link", 2), ("approve", 4), ("wait", 4)],
];

/// What people do in some runs and not in others.
const HABITS: [&[(&str, u32)]; 3] = [
    &[("timer", 2)],
    &[("attach", 6)],
    &[("link", 4), ("give", 6), ("send_history", 4)],
];

/// What only some runs have, since it excuses what is a fault in all others.
const SNAPSHOTS: &[(&str, u32)] = &[("snapshot", 8), ("restore", 5), ("open", 4)];
const LIES: &[(&str, u32)] = &[("deceive", 6)];

/// What people do who have staff, or write to those who have.
const STAFF: &[(&str, u32)] = &[("hire", 4), ("dismiss", 1), ("wish", 4), ("answer", 8)];
/// One of so many runs has staff.
const STAFF_ONE_OF: u32 = 3;

/// The run of a seed.
#[must_use]
pub fn play(seed: u64, steps: usize) -> Play {
    let mut rng = staff_rng(seed);
    let has_staff = rng.random_range(0..STAFF_ONE_OF) == 0;
    drawn(seed, steps, has_staff.then_some(&mut rng))
}

/// The same of one in which people have staff, whatever the seed says.
#[must_use]
pub fn play_with_staff(seed: u64, steps: usize) -> Play {
    let mut rng = staff_rng(seed);
    let _has_staff = rng.random_range(0..STAFF_ONE_OF);
    drawn(seed, steps, Some(&mut rng))
}

/// Numbers of their own, so that the runs without staff are the same as before there were any.
fn staff_rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed ^ 0x57AFF)
}

fn drawn(seed: u64, steps: usize, staff: Option<&mut ChaCha20Rng>) -> Play {
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x5EED);
    let mut weights = USUAL.to_vec();
    for fault in FAULTS.iter().chain(&HABITS) {
        let factor = [0, 0, 1, 2][rng.random_range(0..4)];
        weights.extend(fault.iter().map(|(word, weight)| (*word, weight * factor)));
    }
    match rng.random_range(0..6) {
        0 => weights.extend(SNAPSHOTS),
        1 => weights.extend(LIES),
        _ => {}
    }
    let mut play = Play {
        seed,
        people: rng.random_range(2..=3),
        steps: Vec::new(),
    };
    for _ in 0..rng.random_range(0..4) {
        let owner = rng.next_u32().to_le_bytes()[0];
        play.steps.extend([
            Step::Link { of: owner },
            Step::Run {},
            Step::Approve { by: owner },
            Step::Run {},
        ]);
    }
    if let Some(rng) = staff {
        weights.extend(STAFF);
        for _ in 0..rng.random_range(1..4) {
            let [by, what, ..] = rng.next_u32().to_le_bytes();
            let hire = Step::Hire { by, what };
            play.steps.extend([hire, Step::Run {}, hire, Step::Run {}]);
        }
    }
    let all: u32 = weights.iter().map(|(_, weight)| weight).sum();
    while play.steps.len() < steps {
        let mut at = rng.random_range(0..all);
        let drawn = weights.iter().find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        let [a, b, c, _] = rng.next_u32().to_le_bytes();
        play.steps
            .extend(drawn.and_then(|(word, _)| Step::new(word, [a, b, c])));
    }
    play
}
