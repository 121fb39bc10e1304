//! Lockstep in a web page: end-to-end encrypted direct messages on every device a person owns.
//!
//! This crate becomes the npm package. It joins the engine to the browser and decides nothing: `idb` is the
//! engine's store, `socket` carries bytes to the relay, `tab_lock` keeps other tabs out, `clock` tells the time,
//! `network` hears that it is worth trying again, `blobs` carries attachments, `host` is the one task that owns the
//! engine, and `api` is what JavaScript sees. On other targets it is empty.
#![cfg(target_arch = "wasm32")]

pub mod api;
pub mod blobs;
pub mod clock;
pub mod host;
pub mod idb;
pub mod network;
pub mod signal;
pub mod socket;
pub mod tab_lock;

use std::panic::{PanicHookInfo, set_hook};

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs when the module is loaded.
#[wasm_bindgen(start)]
fn start() {
    set_hook(Box::new(report_panic));
}

/// A panic ends the module for good, so the page should at least say where. What was being said or done then may
/// be secret and is left out.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    web_sys::console::error_1(&format!("lockstep: a bug at {place}. Reload the page.").into());
}
