//! Time, timers and randomness: what the engine takes as arguments.
//!
//! Works in pages and in workers. A timer that is dropped never fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine::Timestamp;
use futures_channel::oneshot;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, delay_ms: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// The longest timer. Browsers take a longer one than 2^31 ms for none at all, and waking too early is harmless.
const TIMER_MS_MAX: u32 = 60 * 60 * 1000;

/// Milliseconds since the epoch, by this device's clock.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes the nearest integer in range, which is right for a clock set before 1970, too"
)]
pub fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}

/// Random bytes, from the browser's generator.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom_03::Error> {
    let mut bytes = [0; N];
    getrandom_03::fill(&mut bytes)?;
    Ok(bytes)
}

/// Resolves once, some time after it was made.
#[derive(Debug)]
pub struct Timer {
    fired: oneshot::Receiver<()>,
    id: JsValue,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// A timer of this many milliseconds, but of an hour at most.
    #[must_use]
    pub fn after_ms(delay_ms: u64) -> Self {
        let (sender, fired) = oneshot::channel();
        let mut sender = Some(sender);
        let callback = Closure::<dyn FnMut()>::new(move || {
            if let Some(sender) = sender.take() {
                // The receiver is gone only with the timer.
                let _ = sender.send(());
            }
        });
        let delay_ms = u32::try_from(delay_ms)
            .unwrap_or(TIMER_MS_MAX)
            .min(TIMER_MS_MAX);
        let id = set_timeout(callback.as_ref(), delay_ms);
        Self {
            fired,
            id,
            _callback: callback,
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.fired).poll(context).map(|_| ())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
