//! Frames on their way out: to the browser at once, or in order as soon as its own buffer has room.
//!
//! The browser takes whatever it is given and keeps it in memory; so beyond a limit frames wait here, and a timer
//! looks for room. What waits when the socket closes is dropped: the engine sends it again on the next one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use wasm_bindgen_futures::spawn_local;
use web_sys::WebSocket;

use crate::clock::Timer;

/// Bytes the browser may buffer before we wait.
const BUFFERED_BYTES_MAX: u32 = 4 << 20;
/// How often to look for room.
const PAUSE_MS: u64 = 20;

/// The sending side of a socket.
pub(super) struct Outgoing {
    socket: WebSocket,
    waiting: RefCell<VecDeque<Vec<u8>>>,
    draining: Cell<bool>,
}

impl Outgoing {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self {
            socket,
            waiting: RefCell::default(),
            draining: Cell::new(false),
        }
    }

    /// Sends a frame after all earlier ones.
    pub(super) fn send(self: &Rc<Self>, frame: Vec<u8>) {
        self.waiting.borrow_mut().push_back(frame);
        self.drain();
        if !self.waiting.borrow().is_empty() && !self.draining.replace(true) {
            spawn_local(drain_by_and_by(Rc::downgrade(self)));
        }
    }

    fn drain(&self) {
        let mut waiting = self.waiting.borrow_mut();
        if self.socket.ready_state() != WebSocket::OPEN {
            waiting.clear();
        }
        while self.socket.buffered_amount() < BUFFERED_BYTES_MAX {
            let Some(frame) = waiting.pop_front() else {
                return;
            };
            // It fails only while connecting, which was excluded above.
            drop(self.socket.send_with_u8_array(&frame));
        }
    }
}

/// Ends with the queue or with the socket.
async fn drain_by_and_by(outgoing: Weak<Outgoing>) {
    loop {
        Timer::after_ms(PAUSE_MS).await;
        let Some(outgoing) = outgoing.upgrade() else {
            return;
        };
        outgoing.drain();
        if outgoing.waiting.borrow().is_empty() {
            outgoing.draining.set(false);
            return;
        }
    }
}
