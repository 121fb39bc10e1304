//! A WebSocket as messages of bytes, in order: no parsing, no retries, no policy.
//!
//! Callbacks only note what happened and raise a signal; what they noted is taken with [`Socket::next`]: opened,
//! then frames, then closed, whatever the order of events. Both directions are bounded: outgoing frames wait in order
//! while the browser's own buffer is full, and a peer that floods us is cut off. Dropping a socket closes it.

mod address;
mod outgoing;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use self::outgoing::Outgoing;
use crate::signal::Signal;

pub use self::address::RelayAddress;

/// Frames handed over at once: as many as become one commit.
const FRAMES_AT_ONCE: usize = 128;
/// Bytes that may wait to be taken. A relay sends far less before it wants acknowledgements.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// No close frame was received.
const ABNORMAL: u16 = 1006;
/// What came was not bytes.
const UNSUPPORTED: u16 = 1003;
/// More came than anybody may send.
const TOO_MUCH: u16 = 1009;
/// Scripts may close with 1000 or with 3000 and above only.
const CLOSE_UNSUPPORTED: u16 = 3003;
const CLOSE_TOO_MUCH: u16 = 3009;

/// What happened on a socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Happened {
    /// It is connected.
    Opened,
    /// Frames came in, in order.
    Frames(Vec<Vec<u8>>),
    /// It is closed, or could not be opened. Nothing follows.
    Closed(u16),
}

#[derive(Default)]
struct Inbox {
    opened: bool,
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    closed: Option<u16>,
    over: bool,
}

impl Inbox {
    fn take(&mut self) -> Option<Happened> {
        if self.over {
            return None;
        }
        if std::mem::take(&mut self.opened) {
            return Some(Happened::Opened);
        }
        if !self.frames.is_empty() {
            let count = self.frames.len().min(FRAMES_AT_ONCE);
            let frames: Vec<Vec<u8>> = self.frames.drain(..count).collect();
            self.bytes -= frames.iter().map(Vec::len).sum::<usize>();
            return Some(Happened::Frames(frames));
        }
        let code = self.closed?;
        self.over = true;
        Some(Happened::Closed(code))
    }
}

/// A connection to the relay, or the attempt at one.
pub struct Socket {
    inbox: Rc<RefCell<Inbox>>,
    connected: Option<Connected>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    /// Begins to connect. If the browser refuses at once, the socket is closed from the start.
    #[must_use]
    pub fn open(relay: &RelayAddress, path: &str, signal: &Rc<Signal>) -> Self {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let connected = WebSocket::new(&relay.socket_url(path))
            .map(|socket| Connected::new(socket, &inbox, signal))
            .map_err(|_refused| {
                inbox.borrow_mut().closed = Some(ABNORMAL);
                signal.raise();
            })
            .ok();
        Self { inbox, connected }
    }

    /// The next thing that happened, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<Happened> {
        self.inbox.borrow_mut().take()
    }

    /// Sends a frame after all earlier ones; on a socket that is not open it is dropped.
    pub fn send(&self, frame: Vec<u8>) {
        if let Some(connected) = &self.connected {
            connected.outgoing.send(frame);
        }
    }

    /// Closes it, in whatever state it is. The code is 1000, or 3000 to 4999; anything else counts as 1000.
    pub fn close(&self, code: u16) {
        if let Some(connected) = &self.connected {
            close(&connected.socket, code);
        }
    }
}

/// The browser's socket with our handlers on it.
struct Connected {
    socket: WebSocket,
    outgoing: Rc<Outgoing>,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Connected {
    fn new(socket: WebSocket, inbox: &Rc<RefCell<Inbox>>, signal: &Rc<Signal>) -> Self {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let on_open = {
            let (inbox, signal) = (Rc::clone(inbox), Rc::clone(signal));
            Closure::<dyn FnMut()>::new(move || {
                inbox.borrow_mut().opened = true;
                signal.raise();
            })
        };
        let on_message = {
            let (inbox, signal, socket) = (Rc::clone(inbox), Rc::clone(signal), socket.clone());
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                receive(&mut inbox.borrow_mut(), &socket, &event.data());
                signal.raise();
            })
        };
        let on_close = {
            let (inbox, signal) = (Rc::clone(inbox), Rc::clone(signal));
            Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
                inbox.borrow_mut().closed.get_or_insert(event.code());
                signal.raise();
            })
        };
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let outgoing = Rc::new(Outgoing::new(socket.clone()));
        Self {
            socket,
            outgoing,
            _on_open: on_open,
            _on_message: on_message,
            _on_close: on_close,
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        close(&self.socket, 1000);
    }
}

fn receive(inbox: &mut Inbox, socket: &WebSocket, data: &JsValue) {
    if inbox.closed.is_some() {
        return;
    }
    let Some(buffer) = data.dyn_ref::<ArrayBuffer>() else {
        inbox.closed = Some(UNSUPPORTED);
        close(socket, CLOSE_UNSUPPORTED);
        return;
    };
    let frame = Uint8Array::new(buffer).to_vec();
    if inbox.bytes + frame.len() > WAITING_BYTES_MAX {
        inbox.closed = Some(TOO_MUCH);
        close(socket, CLOSE_TOO_MUCH);
        return;
    }
    inbox.bytes += frame.len();
    inbox.frames.push_back(frame);
}

fn close(socket: &WebSocket, code: u16) {
    let code = if matches!(code, 1000 | 3000..=4999) {
        code
    } else {
        1000
    };
    // It fails only for codes that were just excluded.
    drop(socket.close_with_code(code));
}
