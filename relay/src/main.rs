//! Relay.
//! x
fn main(){}
