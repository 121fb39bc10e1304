//! A failing run made short: steps are left out, many at once and then one by one, as long as what remains
//! breaks the same promise. It knows nothing of what steps do.

use crate::check::{Check, Violation};
use crate::run::{self, Detail};
use crate::step::Play;

/// The shortest list of steps found that breaks the same promise.
#[must_use]
pub fn shrink(play: &Play, check: Check) -> Play {
    let mut short = play.clone();
    let mut size = short.steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut shorter = false;
        while at < short.steps.len() {
            let mut less = short.clone();
            less.steps.drain(at..(at + size).min(short.steps.len()));
            if breaks(&less, check) {
                short = less;
                shorter = true;
            } else {
                at += size;
            }
        }
        size = match size {
            1 if shorter => 1,
            _ => size / 2,
        };
    }
    short
}

fn breaks(play: &Play, check: Check) -> bool {
    let same = |violation: &Violation| violation.check == check;
    run::play(play, Detail::Steps).violations.iter().any(same)
}
