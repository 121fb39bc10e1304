//! Sockets against nothing and against nonsense. What a working relay says is shown by the end-to-end tests.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends there")]

use std::rc::Rc;

use lockstep::clock::Timer;
use lockstep::signal::Signal;
use lockstep::socket::{Happened, RelayAddress, Socket};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Port 9 answers nobody: browsers refuse to connect to it at once, as they do for a port that is closed.
const NOBODY: &str = "ws://127.0.0.1:9";

fn address(text: &str) -> Option<String> {
    RelayAddress::parse(text).map(|relay| relay.socket_url("/v1/websocket/"))
}

/// A socket on its way to nobody.
fn lost(signal: &Rc<Signal>) -> Socket {
    Socket::open(
        &RelayAddress::parse(NOBODY).unwrap(),
        "/v1/websocket/",
        signal,
    )
}

/// Everything that happens until the socket is closed.
async fn life(socket: &Socket, signal: &Signal) -> Vec<Happened> {
    let mut all = Vec::new();
    loop {
        while let Some(happened) = socket.next() {
            let over = matches!(happened, Happened::Closed(_));
            all.push(happened);
            if over {
                return all;
            }
        }
        signal.raised().await;
    }
}

#[wasm_bindgen_test]
fn an_address_is_a_place_and_nothing_more() {
    let same = |url: &str| Some(url.to_owned());
    assert_eq!(
        address("wss://relay.example"),
        same("wss://relay.example/v1/websocket/")
    );
    assert_eq!(
        address("https://relay.example/"),
        same("wss://relay.example/v1/websocket/")
    );
    assert_eq!(
        address("http://localhost:8480"),
        same("ws://localhost:8480/v1/websocket/")
    );
    assert_eq!(
        address("ws://[::1]:8480/a/b/"),
        same("ws://[::1]:8480/a/b/v1/websocket/")
    );
}

#[wasm_bindgen_test]
fn anything_else_is_no_address() {
    let wrong = [
        "",
        "relay.example",
        "/path",
        "ftp://relay.example",
        "javascript:alert(1)",
        "wss://",
        "wss://user@relay.example",
        "wss://user:word@relay.example",
        "wss://relay.example/?a=b",
        "wss://relay.example/#a",
    ];
    for text in wrong {
        assert_eq!(address(text), None, "{text}");
    }
}

#[wasm_bindgen_test]
async fn nobody_there_is_a_closed_socket() {
    let signal = Rc::new(Signal::default());
    let socket = lost(&signal);
    assert_eq!(life(&socket, &signal).await, [Happened::Closed(1006)]);
    assert_eq!(socket.next(), None, "nothing follows");
}

#[wasm_bindgen_test]
async fn a_socket_can_be_used_and_closed_in_any_state() {
    let signal = Rc::new(Signal::default());
    let socket = lost(&signal);
    for code in [1000, 0, 999, 1006, 3000, 4999, 5000, u16::MAX] {
        socket.send(vec![1; 10]);
        socket.close(code);
    }
    assert_eq!(life(&socket, &signal).await, [Happened::Closed(1006)]);
    socket.send(vec![2]);
    socket.close(1000);
}

#[wasm_bindgen_test]
async fn a_dropped_socket_is_silent() {
    let signal = Rc::new(Signal::default());
    for _ in 0..20 {
        drop(lost(&signal));
    }
    // Long enough for every refusal to come in: a callback into a dropped socket would be a thrown error.
    Timer::after_ms(200).await;
}
