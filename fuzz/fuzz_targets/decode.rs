//! Any bytes, given to every decoder of what comes from a socket.
//! `scripts/fuzz.sh decode`; what it does is in `sim::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::fuzz::decode(bytes));
