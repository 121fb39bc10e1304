//! Any bytes, taken for a run of the whole world.
//! `scripts/fuzz.sh world`; what it does is in `sim::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::fuzz::world(bytes));
