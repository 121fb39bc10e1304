//! Repeats a run, or looks for one that goes wrong.
//! `cargo run -p sim -- SEED [--steps N]`, `-- --hunt N [--from SEED] [--steps N]`, `-- --play FILE`.
#![expect(clippy::print_stdout, reason = "it is a command-line tool")]

use std::process::ExitCode;

use sim::check::Violation;
use sim::generate;
use sim::run::{self, Detail, Verdict};
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
    let mut accepted = 0;
    for seed in from..from.saturating_add(runs) {
        let play = generate::play(seed, steps);
        let Verdict {
            violations, counts, ..
        } = run::play(&play, Detail::Steps);
        accepted += counts.accepted;
        if let Some(first) = violations.first() {
            println!("seed {seed} breaks a promise; making it short");
            let short = shrink(&play, first.check);
            println!("{short}");
            return repeat(&short);
        }
        if (seed + 1 - from).is_multiple_of(50) {
            println!("{} runs, {accepted} messages", seed + 1 - from);
        }
    }
    println!("{runs} runs, {accepted} messages: all is well");
    ExitCode::SUCCESS
}
