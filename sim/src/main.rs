//! Repeats a run, or looks for one that goes wrong: on all cores, since runs know nothing of each other.
//! `cargo run -p sim -- SEED [--steps N] [--staff]`, `-- --hunt N [--from SEED] [--steps N] [--threads N] [--minutes N] [--staff]`,
//! `-- --play FILE`.
#![expect(clippy::print_stdout, reason = "it is a command-line tool")]

use std::fmt;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sim::check::Violation;
use sim::generate;
use sim::run::{self, Counts, Detail, Verdict};
use sim::shrink::shrink;
use sim::step::Play;

const USAGE: &str = "usage: sim SEED [--steps N] [--staff] | \
    sim --hunt N [--from SEED] [--steps N] [--threads N] [--minutes N] [--staff] | sim --play FILE";
/// Steps of a run, unless the call says otherwise.
const STEPS: usize = 150;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let steps = number(&args, "--steps")
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(STEPS);
    let drawn = if args.iter().any(|arg| arg == "--staff") {
        generate::play_with_staff
    } else {
        generate::play
    };
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
        let from = number(&args, "--from").unwrap_or(0);
        let threads = number(&args, "--threads").unwrap_or_else(cores);
        let time = number(&args, "--minutes").map(|minutes| Duration::from_secs(minutes * 60));
        return Hunt {
            next: AtomicU64::new(from),
            end: from.saturating_add(runs),
            steps,
            drawn,
            deadline: time.map(|time| Instant::now() + time),
        }
        .run(threads);
    }
    match args.first().and_then(|seed| seed.parse().ok()) {
        Some(seed) => repeat(&drawn(seed, steps)),
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

fn cores() -> u64 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    u64::try_from(cores).unwrap_or(1)
}

/// Runs of one seed after the other, until one breaks a promise or there was enough.
struct Hunt {
    /// The next seed that nobody has taken.
    next: AtomicU64,
    /// The first that is not looked at.
    end: u64,
    steps: usize,
    /// How a seed becomes a run.
    drawn: fn(u64, usize) -> Play,
    deadline: Option<Instant>,
}

impl Hunt {
    fn run(&self, threads: u64) -> ExitCode {
        std::panic::set_hook(Box::new(|_| {})); // a panic is a finding, told below
        let mut tally = Tally::new();
        let found = thread::scope(|scope| {
            let (done, verdicts) = mpsc::channel();
            for _ in 0..threads.max(1) {
                let done = done.clone();
                scope.spawn(move || self.work(&done));
            }
            drop(done);
            verdicts
                .into_iter()
                .find_map(|(seed, verdict): (u64, Verdict)| {
                    tally.add(verdict.counts);
                    if tally.runs.is_multiple_of(50) {
                        println!("{tally}");
                    }
                    Some((seed, verdict.violations.into_iter().next()?))
                })
        });
        let Some((seed, first)) = found else {
            println!("{tally}: all is well");
            return ExitCode::SUCCESS;
        };
        println!("{tally}\nseed {seed} breaks a promise; making it short");
        let short = shrink(&(self.drawn)(seed, self.steps), first.check);
        println!("{short}");
        repeat(&short)
    }

    fn work(&self, done: &mpsc::Sender<(u64, Verdict)>) {
        let is_late = || {
            self.deadline
                .is_some_and(|deadline| deadline <= Instant::now())
        };
        while !is_late() {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                return;
            }
            let verdict = run::play(&(self.drawn)(seed, self.steps), Detail::Steps);
            if done.send((seed, verdict)).is_err() {
                return; // enough was found
            }
        }
    }
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
            staff,
            ..
        } = *counts;
        let seconds = began.elapsed().as_secs().max(1);
        let each = |n: usize| n as u64 / (*runs).max(1);
        write!(
            f,
            "{runs} runs, {steps} steps ({} a run, {} a second), {faults} faults ({} a run), \
             {crashes} crashes, {lies} lies, {staff} of staff, {accepted} messages, {seconds} s",
            each(steps),
            steps as u64 / seconds,
            each(faults),
        )
    }
}
