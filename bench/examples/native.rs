//! The same calls as in the page, compiled for this machine: how much of a message's time in a browser is WebAssembly's.
//! `cargo run --release -p bench --example native`; its figures stand beside those of `npm run bench -- crypto`.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement prints, and stops when it goes wrong"
)]

use std::time::Instant;

use bench::{Bare, FanOut, Side, Talk};

const BYTES: usize = 200;
const TIMES: usize = 512;
const ROUNDS: usize = 7;
/// As many devices as a person has, and messages to them.
const DEVICES: u8 = 16;
const FANS: usize = 64;

fn main() {
    let mut rows: [(&str, Vec<f64>); 6] = [
        ("bare libsignal, one direction", Vec::new()),
        ("bare libsignal, to and fro (each)", Vec::new()),
        ("engine, one direction", Vec::new()),
        ("engine, to and fro (each)", Vec::new()),
        ("fan-out to 16 devices", Vec::new()),
        ("fan-out to 16 devices with repair", Vec::new()),
    ];
    for _ in 0..ROUNDS {
        let text = vec![0x78; BYTES];
        let mut bare = Bare::new();
        let times = [
            each(|| bare.one_way(&text)),
            each(|| bare.turn(&text)) / 2.0,
            engine(&[Side::Alice]),
            engine(&[Side::Alice, Side::Bob]),
            fan_out(false),
            fan_out(true),
        ];
        for ((_, all), time) in rows.iter_mut().zip(times) {
            all.push(time);
        }
    }
    for (what, mut all) in rows {
        all.sort_by(f64::total_cmp);
        let (least, median, most) = (all[0], all[ROUNDS / 2], all[ROUNDS - 1]);
        println!("{what:<34} {median:>6.1} µs ({least:.1} to {most:.1})");
    }
}

/// Microseconds for each call.
fn each(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..TIMES {
        work();
    }
    micros(start) / TIMES as f64
}

/// Microseconds for each message through two engines; the relay between them is not timed.
fn engine(writers: &[Side]) -> f64 {
    let mut talk = Talk::new();
    let mut total = 0.0;
    for _ in 0..TIMES {
        for from in writers {
            let to = match from {
                Side::Alice => Side::Bob,
                Side::Bob => Side::Alice,
            };
            let start = Instant::now();
            talk.seal(*from, BYTES);
            total += micros(start);
            talk.carry();
            let start = Instant::now();
            talk.open(to, 1);
            total += micros(start);
            talk.carry();
        }
    }
    total / (TIMES * writers.len()) as f64
}

/// Microseconds for each message to many devices, until it is taken. With repair, one of them has been replaced each time: the relay refuses the
/// bundle, and a session with the new one is begun. The relay is not timed.
fn fan_out(with_repair: bool) -> f64 {
    let mut fan = FanOut::new(DEVICES);
    let mut total = 0.0;
    for _ in 0..FANS {
        if with_repair {
            fan.replace_device();
        }
        let start = Instant::now();
        fan.seal(BYTES);
        total += micros(start);
        loop {
            let answer = fan.answer();
            let start = Instant::now();
            let has_more = fan.repair(answer);
            total += micros(start);
            if !has_more {
                break;
            }
        }
    }
    total / FANS as f64
}

fn micros(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e6
}
