//! The lock that keeps other tabs out.
//! Two takers in one page are to the browser what two tabs are: it does not ask who they are.
#![cfg(target_arch = "wasm32")]

use engine::StoreFault;
use lockstep::clock::{self, Timer};
use lockstep::tab_lock::TabLock;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn the_second_taker_is_told_after_a_while() {
    let first = TabLock::take("second_taker").await;
    assert!(first.is_ok());
    let asked = clock::now();
    let second = TabLock::take("second_taker").await.map(drop);
    assert_eq!(second, Err(StoreFault::InUse));
    assert!(
        clock::now() >= asked.plus_ms(1_500),
        "a dying page has time to die"
    );
}

#[wasm_bindgen_test]
async fn a_dropped_lock_is_free() {
    for _ in 0..3 {
        assert!(TabLock::take("dropped").await.is_ok());
    }
}

#[wasm_bindgen_test]
async fn a_lock_that_is_given_back_in_time_is_taken() {
    let first = TabLock::take("in_time").await;
    spawn_local(async move {
        Timer::after_ms(400).await;
        drop(first);
    });
    assert!(TabLock::take("in_time").await.is_ok());
}

#[wasm_bindgen_test]
async fn stores_do_not_share_a_lock() {
    let left = TabLock::take("left").await;
    let right = TabLock::take("right").await;
    assert!(left.is_ok() && right.is_ok());
}
