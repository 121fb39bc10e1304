//! Linking, seen from both sides: `LinkAttempt` on the new device, `LinkRequest` on the existing one.
//!
//! Neither knows how linking works. An attempt shows the newest URI of its own run; a request carries the URI it was
//! opened with, and everything it says is a claim of the asking device.

use std::cell::RefCell;
use std::rc::Rc;

use engine::input::{HistoryChoice, HistoryCommand};
use engine::output::{LinkClaim, LinkOffer};
use engine::{Command, Refusal, Role};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::client::{answer, settle};
use super::types::{ApproveOptions, History, milliseconds};
use crate::host::Host;

/// A running attempt to be linked. The URI rotates every 45 s, at most 6 times; "link" events tell.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LinkAttempt {
    host: Rc<Host>,
    offer: Rc<RefCell<Option<LinkOffer>>>,
    done: Promise,
}

impl LinkAttempt {
    pub(super) fn new(host: Rc<Host>) -> Self {
        let offer = host.offer();
        let awaited = host.ask(Command::AwaitLink);
        let done = settle(async move { answer(awaited.await?) });
        // A page that only watches the client's state may leave `done` alone: that is no unhandled rejection.
        let watched = JsFuture::from(done.clone());
        spawn_local(async { drop(watched.await) });
        Self { host, offer, done }
    }
}

#[wasm_bindgen]
impl LinkAttempt {
    /// To be shown as QR code and as text; current.
    #[wasm_bindgen(getter)]
    pub fn uri(&self) -> String {
        self.offer
            .borrow()
            .as_ref()
            .map(|offer| offer.uri.clone())
            .unwrap_or_default()
    }

    /// When the URI is replaced or ends.
    #[wasm_bindgen(getter, js_name = expiresAt)]
    pub fn expires_at(&self) -> f64 {
        self.offer
            .borrow()
            .as_ref()
            .map_or(0.0, |offer| milliseconds(offer.expires_at))
    }

    /// Resolves when this device is linked.
    #[wasm_bindgen(getter, unchecked_return_type = "Promise<Account>")]
    pub fn done(&self) -> Promise {
        self.done.clone()
    }

    /// Ends the attempt.
    pub fn cancel(&self) {
        let cancelled = self.host.ask(Command::CancelLink);
        // Whether it was still running makes no difference to who cancels it.
        spawn_local(async { drop(cancelled.await) });
    }
}

/// What a scanned or pasted URI asks for. Everything in it is as claimed by the asking device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LinkRequest {
    host: Rc<Host>,
    uri: String,
    claim: LinkClaim,
}

impl LinkRequest {
    pub(super) const fn new(host: Rc<Host>, uri: String, claim: LinkClaim) -> Self {
        Self { host, uri, claim }
    }
}

#[wasm_bindgen]
impl LinkRequest {
    /// How the asking device calls itself; empty if it claims no name.
    #[wasm_bindgen(getter, js_name = deviceName)]
    pub fn device_name(&self) -> String {
        self.claim.device_name.clone()
    }

    /// Links the device. Resolves when it is linked; what it gets of earlier messages follows, and "progress" tells how far it is.
    #[wasm_bindgen(unchecked_return_type = "Promise<Device>")]
    pub fn approve(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "ApproveOptions")] options: &JsValue,
    ) -> Promise {
        let choice = allowed(options);
        let (host, uri) = (Rc::clone(&self.host), self.uri.clone());
        settle(async move {
            let (role, choice) = choice?;
            let choose = HistoryCommand::Choose {
                uri: uri.clone(),
                choice,
            };
            host.ask(Command::History(choose)).await?;
            answer(host.ask(Command::ApproveLink { uri, role }).await?)
        })
    }

    /// Tells the device that it will not be linked.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn reject(&self) -> Promise {
        let asked = self.host.ask(Command::RejectLink {
            uri: self.uri.clone(),
        });
        settle(async move { answer(asked.await?) })
    }
}

/// What the new device will be, and what it gets.
fn allowed(options: &JsValue) -> Result<(Role, HistoryChoice), Refusal> {
    let ApproveOptions {
        role,
        history,
        conversations,
    } = ApproveOptions::read(options)?;
    let role = match role.as_deref() {
        Some("owner") => Role::Owner,
        Some("device") | None => Role::Device,
        Some(_) => return Err(Refusal::InvalidArgument("role")),
    };
    let days = match history {
        Some(History::None) => return Ok((role, HistoryChoice::None)),
        Some(History::Days(days)) => Some(days),
        Some(History::All) | None => None,
    };
    let choice = HistoryChoice::Some {
        days,
        conversations,
    };
    Ok((role, choice))
}
