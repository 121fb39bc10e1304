//! Repeats a run, or looks for one that goes wrong.
//! `cargo run -p sim -- SEED [--steps N]`, `-- --hunt N [--from SEED] [--steps N]`, `-- --play FILE`.
#![expect(clippy::print_stdout, reason = "it is a command-line tool")]

use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

use sim::check::Violation;
use sim::generate;
use sim::run::{self, Counts, Detail, Verdict};
use sim::shrink::shrink;
use sim::step::Play;

const USAGE: &str =
    "usage: sim SEED [--steps N] | sim --hunt N [--from SEED] [--steps N] | sim --play FILE";
/// Steps of a run, unless the call says otherwise.
const STEPS: usize = 150;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let steps = number(&args, "--steps")
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(STEPS);
    if let Some(file) = value(&args, "--play") {
        return match std::fs::read_to_string(&file)
            .ok()
            .map(|text| text.parse::<Play>())
        {
            Some(Ok(play)) => repeat(&play),
            Some(Err(error)) => usage(&format!("{file}: {error:?}")),
            None => usage(&format!("{file} can't be read")),
        };
    }
    if let Some(runs) = number(&args, "--hunt") {
        return hunt(number(&args, "--from").unwrap_or(0), runs, steps);
    }
    match args.first().and_then(|seed| seed.parse().ok()) {
        Some(seed) => repeat(&generate::play(seed, steps)),
        None => usage(""),
    }
}

fn usage(what: &str) -> ExitCode {
    println!("{what}\n{USAGE}");
    ExitCode::from(2)
}

fn value(args: &[String], name: &str) -> Option<String> {
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1).cloned()
}

fn number(args: &[String], name: &str) -> Option<u64> {
    value(args, name)?.parse().ok()
}

fn repeat(play: &Play) -> ExitCode {
    let Verdict {
        violations,
        trace,
        counts,
    } = run::play(play, Detail::Frames);
    println!("{}\n\n{counts:?}", trace.join("\n"));
    verdict(&violations)
}

fn verdict(violations: &[Violation]) -> ExitCode {
    for violation in violations {
        println!("BROKEN {violation}");
    }
    if violations.is_empty() {
        println!("all is well");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

fn hunt(from: u64, runs: u64, steps: usize) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {})); // a panic is a finding, told below
    let mut tally = Tally::new();
    for seed in from..from.saturating_add(runs) {
        let play = generate::play(seed, steps);
        let Verdict {
            violations, counts, ..
        } = run::play(&play, Detail::Steps);
        tally.add(counts);
        if let Some(first) = violations.first() {
            println!("{tally}\nseed {seed} breaks a promise; making it short");
            let short = shrink(&play, first.check);
            println!("{short}");
            return repeat(&short);
        }
        if tally.runs.is_multiple_of(50) {
            println!("{tally}");
        }
    }
    println!("{tally}: all is well");
    ExitCode::SUCCESS
}

/// What a hunt has tested so far.
struct Tally {
    began: Instant,
    runs: u64,
    counts: Counts,
}

impl Tally {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            runs: 0,
            counts: Counts::default(),
        }
    }

    fn add(&mut self, counts: Counts) {
        self.runs += 1;
        self.counts.add(counts);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            began,
            runs,
            counts,
        } = self;
        let Counts {
            steps,
            faults,
            accepted,
            crashes,
            lies,
            ..
        } = *counts;
        let seconds = began.elapsed().as_secs().max(1);
        let each = |n: usize| n as u64 / (*runs).max(1);
        write!(
            f,
            "{runs} runs, {steps} steps ({} a run, {} a second), {faults} faults ({} a run), \
             {crashes} crashes, {lies} lies, {accepted} messages, {seconds} s",
            each(steps),
            steps as u64 / seconds,
            each(faults),
        )
    }
}
