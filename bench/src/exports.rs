//! What the page calls. It times these calls with its own clock, one or many at a time.
//! Nothing but names and numbers is changed here.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Bare, FanOut, Forged, Side, Talk};

/// Two engines; see `talk.rs`.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Engines(Talk);

#[wasm_bindgen]
impl Engines {
    /// Two engines with a session.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self(Talk::new())
    }

    /// A text is stored and sealed.
    pub fn seal(&mut self, bob: bool, bytes: usize) {
        self.0.seal(side(bob), bytes);
    }

    /// The relay's part.
    pub fn carry(&mut self) {
        self.0.carry();
    }

    /// A batch is opened and stored.
    pub fn open(&mut self, bob: bool, batch: usize) -> usize {
        self.0.open(side(bob), batch)
    }
}

fn side(bob: bool) -> Side {
    if bob { Side::Bob } else { Side::Alice }
}

/// One sender and many devices; see `fan_out.rs`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Fan(FanOut);

#[wasm_bindgen]
impl Fan {
    /// A sender with a session with each of so many devices.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(devices: u8) -> Self {
        Self(FanOut::new(devices))
    }

    /// A text is stored and sealed.
    pub fn seal(&mut self, bytes: usize) {
        self.0.seal(bytes);
    }

    /// The relay's part. Gives the bytes of the bundle.
    pub fn carry(&mut self) -> usize {
        self.0.carry()
    }
}

/// Bare libsignal; see `bare.rs`.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Libsignal(Bare);

#[wasm_bindgen]
impl Libsignal {
    /// Two devices with a session.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self(Bare::new())
    }

    /// So many messages in one direction.
    #[wasm_bindgen(js_name = oneWay)]
    pub fn one_way(&mut self, times: usize, bytes: usize) {
        let text = vec![0x78; bytes];
        for _ in 0..times {
            self.0.one_way(&text);
        }
    }

    /// So many messages each way.
    pub fn turns(&mut self, times: usize, bytes: usize) {
        let text = vec![0x78; bytes];
        for _ in 0..times {
            self.0.turn(&text);
        }
    }
}

/// Forged messages; see `forged.rs`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Forger(Forged);

#[wasm_bindgen]
impl Forger {
    /// Sessions with a peer, of which so many states are kept.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(states: u8) -> Self {
        Self(Forged::new(states))
    }

    /// The engine is given one.
    pub fn engine(&mut self, counter: u32) {
        self.0.engine(counter);
    }

    /// Bare libsignal is given one.
    pub fn bare(&mut self, counter: u32) {
        self.0.bare(counter);
    }
}
