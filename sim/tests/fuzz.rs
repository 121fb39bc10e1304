//! The fuzz targets, on random bytes and on what clients really send, damaged: without a fuzzer they find less, but
//! they are known to work.

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sim::World;

#[test]
fn no_damaged_frame_panics_a_decoder() {
    let mut world = World::new(1);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.link(alice);
    world.send(alice, "bob", "hello");
    let real: Vec<Vec<u8>> = [alice, bob]
        .iter()
        .flat_map(|id| world.client(*id).sent.clone())
        .collect();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for frame in &real {
        sim::fuzz::decode(frame);
        for _ in 0..50 {
            let mut damaged = frame.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..damaged.len());
                damaged[at] = rng.next_u32().to_le_bytes()[0];
            }
            damaged.truncate(rng.random_range(0..=damaged.len()));
            sim::fuzz::decode(&damaged);
        }
    }
}

#[test]
fn no_random_bytes_panic_a_decoder() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for _ in 0..5_000 {
        let mut bytes = vec![0; rng.random_range(0..200)];
        rng.fill_bytes(&mut bytes);
        sim::fuzz::decode(&bytes);
    }
}

#[test]
fn random_bytes_are_runs_that_keep_all_promises() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for _ in 0..8 {
        let mut bytes = vec![0; 200];
        rng.fill_bytes(&mut bytes);
        sim::fuzz::world(&bytes);
    }
}
