//! Linking, seen from both sides: `LinkAttempt` on the new device, `LinkRequest` on the existing one.
//!
//! Neither knows how linking works. An attempt shows its newest URI, code and digits; a request carries the URI it was
//! opened with, or stands for the one run that the engine is in, and everything it says is a claim of the asking device.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use engine::input::{Grant, HistoryChoice, HistoryCommand, RunCommand, StaffCommand};
use engine::output::{LinkClaim, LinkOffer, LinkWay};
use engine::{Command, Refusal, Reply, Role};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortSignal;

use super::argument::text;
use super::client::{answer, settle};
use super::types::{ApproveOptions, History, WaitOptions, milliseconds};
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

    /// In place of digits, to be shown as QR code and as text, to nobody but the person; current. It lasts for the whole attempt.
    #[wasm_bindgen(getter)]
    pub fn code(&self) -> Option<String> {
        self.offer.borrow().as_ref()?.code.clone()
    }

    /// Eight digits to be typed on the existing device, once that has answered; "link" events tell.
    #[wasm_bindgen(getter)]
    pub fn digits(&self) -> Option<String> {
        self.offer.borrow().as_ref()?.digits.clone()
    }

    /// Whether the existing device has approved, and shows four digits for `confirm`.
    #[wasm_bindgen(getter)]
    pub fn approved(&self) -> bool {
        let offer = self.offer.borrow();
        offer.as_ref().is_some_and(|offer| offer.approved)
    }

    /// The code of an error: why there will be no digits.
    #[wasm_bindgen(getter)]
    pub fn problem(&self) -> Option<String> {
        let problem = self.offer.borrow().as_ref()?.problem;
        problem.map(|refusal| refusal.code().to_owned())
    }

    /// The four digits that the existing device shows, as typed. Wrong ones are refused with "link_digits_wrong" and the
    /// number of tries left; after the third all is over and nothing is kept.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn confirm(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] digits: &JsValue,
    ) -> Promise {
        let digits = text(digits, "digits");
        let confirm = |digits| Command::Run(RunCommand::Confirm { digits });
        let asked = digits.map(|digits| self.host.ask(confirm(digits)));
        settle(async move { answer(asked?.await?) })
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

/// What asks to be linked. Everything in it is as claimed by the asking device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LinkRequest {
    host: Rc<Host>,
    /// None: a run, of which the engine has one at a time.
    uri: Option<String>,
    claim: LinkClaim,
}

impl LinkRequest {
    /// For `Client.openLink`.
    pub(super) fn open(host: &Rc<Host>, what: &JsValue) -> Promise {
        let uri = what.as_string();
        let (host, waiting) = (Rc::clone(host), Rc::new(Cell::new(true)));
        let asked = match &uri {
            Some(uri) => Ok(host.ask(Command::OpenLink { uri: uri.clone() })),
            None => WaitOptions::read(what).and_then(|options| {
                let asked = host.ask(Command::Run(RunCommand::Wait));
                if let Some(signal) = &options.signal {
                    stop_on(signal, &host, &waiting)?;
                }
                Ok(asked)
            }),
        };
        settle(async move {
            let claimed = asked?.await;
            waiting.set(false);
            let Reply::LinkClaim(claim) = claimed? else {
                return Err(Refusal::Internal);
            };
            let uri = uri.filter(|_| claim.way == LinkWay::Uri);
            Ok(Self { host, uri, claim }.into())
        })
    }

    fn run(&self, command: RunCommand) -> Promise {
        let asked = self.host.ask(Command::Run(command));
        settle(async move { answer(asked.await?) })
    }
}

/// Ends the waiting when the signal says so, as long as somebody waits.
fn stop_on(signal: &AbortSignal, host: &Rc<Host>, waiting: &Rc<Cell<bool>>) -> Result<(), Refusal> {
    let (host, waiting) = (Rc::clone(host), Rc::clone(waiting));
    let stop = move || {
        if waiting.get() {
            let stopped = host.ask(Command::Run(RunCommand::Reject));
            spawn_local(async { drop(stopped.await) });
        }
    };
    if signal.aborted() {
        stop();
        return Ok(());
    }
    let stop = Closure::once_into_js(stop);
    let added = signal.add_event_listener_with_callback("abort", stop.unchecked_ref());
    added.map_err(|_| Refusal::InvalidArgument("signal"))
}

#[wasm_bindgen]
impl LinkRequest {
    /// How the asking device calls itself; empty if it claims no name.
    #[wasm_bindgen(getter, js_name = deviceName)]
    pub fn device_name(&self) -> String {
        self.claim.device_name.clone()
    }

    /// As whom its person has signed in, if that is somebody else than this account.
    #[wasm_bindgen(getter, js_name = claimedHandle)]
    pub fn claimed_handle(&self) -> Option<String> {
        let claimed = self.claim.claimed_handle.as_ref();
        claimed.map(ToString::to_string)
    }

    /// Whether the digits that it shows have to be typed before it can be approved.
    #[wasm_bindgen(getter, js_name = needsDigits)]
    pub fn needs_digits(&self) -> bool {
        self.claim.way == LinkWay::Digits
    }

    /// When it is over, if it ends by itself.
    #[wasm_bindgen(getter, js_name = expiresAt)]
    pub fn expires_at(&self) -> Option<f64> {
        self.claim.expires_at.map(milliseconds)
    }

    /// The eight digits that the asking device shows, as typed; spaces don't matter. Wrong ones are refused with
    /// "link_digits_wrong" and the number of tries left; after the fifth it is over.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn enter(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] digits: &JsValue,
    ) -> Promise {
        match (text(digits, "digits"), &self.uri) {
            (Ok(digits), None) => self.run(RunCommand::Enter { digits }),
            (Err(refusal), _) => settle(async move { Err(refusal) }),
            (Ok(_), Some(_)) => settle(async { Err(Refusal::InvalidArgument("digits")) }),
        }
    }

    /// Four digits that the person types on the new device, once it was approved; empty if it needs none.
    #[wasm_bindgen(getter, unchecked_return_type = "Promise<string>")]
    pub fn answer(&self) -> Promise {
        let is_run = self.uri.is_none();
        let asked = is_run.then(|| self.host.ask(Command::Run(RunCommand::Answer)));
        settle(async move {
            let Some(asked) = asked else {
                return Ok(JsValue::from(""));
            };
            let Reply::Digits(digits) = asked.await? else {
                return Err(Refusal::Internal);
            };
            Ok(digits.0.into())
        })
    }

    /// Links the device. Resolves when it is linked, which after typed digits waits for `answer` to be typed there; what it
    /// gets of earlier messages follows, and "progress" tells how far it is.
    #[wasm_bindgen(unchecked_return_type = "Promise<Device>")]
    pub fn approve(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "ApproveOptions")] options: &JsValue,
    ) -> Promise {
        let choice = Allowed::read(options);
        let (host, uri) = (Rc::clone(&self.host), self.uri.clone());
        settle(async move {
            let (role, history) = match choice? {
                Allowed::Staff(grant) => {
                    let approve = StaffCommand::Approve { uri, grant };
                    return answer(host.ask(Command::Staff(approve)).await?);
                }
                Allowed::Own(role, history) => (role, history),
            };
            let Some(uri) = uri else {
                let approve = RunCommand::Approve { role, history };
                return answer(host.ask(Command::Run(approve)).await?);
            };
            let choose = HistoryCommand::Choose {
                uri: uri.clone(),
                choice: history,
            };
            host.ask(Command::History(choose)).await?;
            answer(host.ask(Command::ApproveLink { uri, role }).await?)
        })
    }

    /// Tells the device that it will not be linked.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn reject(&self) -> Promise {
        let Some(uri) = self.uri.clone() else {
            return self.run(RunCommand::Reject);
        };
        let asked = self.host.ask(Command::RejectLink { uri });
        settle(async move { answer(asked.await?) })
    }
}

/// What the new device will be, and what it gets.
enum Allowed {
    /// One of this person's.
    Own(Role, HistoryChoice),
    /// Somebody else's.
    Staff(Grant),
}

impl Allowed {
    /// Access for staff that is not said to be for staff would be everything, so the one does not go without the other.
    fn read(options: &JsValue) -> Result<Self, Refusal> {
        let ApproveOptions {
            role,
            history,
            conversations,
            staff,
        } = ApproveOptions::read(options)?;
        let role = match (role.as_deref(), staff) {
            (Some("delegate"), Some(staff)) => return Ok(Self::Staff(staff.into())),
            (Some("delegate"), None) => return Err(Refusal::InvalidArgument("staff")),
            (Some("owner"), None) => Role::Owner,
            (Some("device") | None, None) => Role::Device,
            (Some(_) | None, _) => return Err(Refusal::InvalidArgument("role")),
        };
        let days = match history {
            Some(History::None) => return Ok(Self::Own(role, HistoryChoice::None)),
            Some(History::Days(days)) => Some(days),
            Some(History::All) | None => None,
        };
        let choice = HistoryChoice::Some {
            days,
            conversations,
        };
        Ok(Self::Own(role, choice))
    }
}
