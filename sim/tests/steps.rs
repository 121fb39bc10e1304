//! Runs as lists of steps: written, read, decoded, drawn.

use sim::generate;
use sim::step::{Play, Step, decode};

#[test]
fn a_run_is_written_and_read_again() {
    let play = generate::play(7, 150);
    assert_eq!(play.to_string().parse(), Ok(play));
    assert!("send 1 2 # with a comment".parse::<Play>().is_ok());
    assert!("sing 1 2".parse::<Play>().is_err());
}

#[test]
fn any_bytes_are_steps() {
    let bytes: Vec<u8> = (0..=255).collect();
    let steps = decode(&bytes);
    assert_eq!(steps.len(), 64);
    for word in Step::WORDS {
        let named = |step: &Step| step.to_string().split(' ').next() == Some(word);
        assert!(
            (0..=255).any(|kind| named(&Step::from_bytes([kind, 0, 0, 0]))),
            "{word}"
        );
    }
    assert_eq!(decode(&[1, 2, 3]), []);
}

#[test]
fn seeds_reach_every_step() {
    let plays: Vec<Play> = (0..100).map(|seed| generate::play(seed, 150)).collect();
    let words = |play: &Play| -> Vec<String> {
        let lines = play.steps.iter().map(Step::to_string);
        lines
            .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
            .collect()
    };
    let used: Vec<String> = plays.iter().flat_map(words).collect();
    for word in Step::WORDS {
        assert!(
            used.iter().any(|used| used == word),
            "no run has a step {word}"
        );
    }
}
