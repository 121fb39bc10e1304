//! `Client`: one device of an account, as JavaScript holds it.
//!
//! A method checks the types of its arguments, puts a command into the host's queue and returns a promise. Nothing
//! is borrowed while it waits, so the object may be freed meanwhile.

use std::rc::Rc;

use engine::input::RecoveryCommand;
use engine::{Command, Refusal, Reply};
use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::account::Account;
use super::app::App;
use super::argument::{device_id, text};
use super::error;
use super::link::{LinkAttempt, LinkRequest};
use super::listeners;
use super::person::{Contact, Conversation, Profile, Settings};
use super::recovery;
use super::safety;
use super::staff::StaffGrant;
use super::types::{
    ClientState, ConnectionState, Device, LinkOptions, Message, OpenOptions, RegisterOptions,
    UnlinkOptions,
};
use crate::host::Host;
use crate::socket::RelayAddress;

/// Names of databases and locks: long enough for any purpose.
const STORE_NAME_MAX: usize = 200;

/// One device of an account, in this browser.
///
/// Every method may be called at any time. A promise that can't be kept is rejected with a `LockstepError`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    host: Rc<Host>,
}

#[wasm_bindgen]
impl Client {
    /// Opens a store, or makes it. Only one tab may have it open; the others get "store_in_use".
    #[wasm_bindgen(unchecked_return_type = "Promise<Client>")]
    pub fn open(
        #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: &JsValue,
    ) -> Promise {
        let options = OpenOptions::read(options);
        settle(async move {
            let OpenOptions { relay, store } = options?;
            let relay = RelayAddress::parse(&relay).ok_or(Refusal::InvalidArgument("relay"))?;
            if store.is_empty() || store.len() > STORE_NAME_MAX {
                return Err(Refusal::InvalidArgument("store"));
            }
            let host = Host::start(relay, store).await?;
            Ok(Self { host }.into())
        })
    }

    /// Whether this client belongs to an account.
    #[wasm_bindgen(unchecked_return_type = "ClientState")]
    pub fn state(&self) -> Result<JsValue, JsValue> {
        to_js(&ClientState::from(self.host.state())).map_err(error::to_js)
    }

    /// The connection to the relay.
    #[wasm_bindgen(unchecked_return_type = "ConnectionState")]
    pub fn connection(&self) -> Result<JsValue, JsValue> {
        to_js(&ConnectionState::from(self.host.connection())).map_err(error::to_js)
    }

    /// The account of this device, once it has one.
    #[wasm_bindgen(unchecked_return_type = "Promise<Account | undefined>")]
    pub fn account(&self) -> Promise {
        self.ask(Ok(Command::Account))
    }

    /// Makes an account with this as its first device.
    #[wasm_bindgen(unchecked_return_type = "Promise<Account>")]
    pub fn register(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RegisterOptions")] options: &JsValue,
    ) -> Promise {
        let command = RegisterOptions::read(options).map(|options| {
            let RegisterOptions {
                handle,
                credential,
                device_name,
                anew,
            } = options;
            if anew == Some(true) {
                return Command::Recovery(RecoveryCommand::Anew {
                    handle,
                    credential,
                    device_name,
                });
            }
            Command::Register {
                handle,
                credential,
                device_name,
            }
        });
        self.ask(command)
    }

    /// Asks to be linked to an existing account; an unlinked browser only to its own again. Resolves when the first URI is there.
    #[wasm_bindgen(unchecked_return_type = "Promise<LinkAttempt>")]
    pub fn link(
        &self,
        #[wasm_bindgen(unchecked_param_type = "LinkOptions")] options: &JsValue,
    ) -> Promise {
        let host = Rc::clone(&self.host);
        let command = LinkOptions::read(options).map(|options| {
            let LinkOptions {
                handle,
                credential,
                device_name,
            } = options;
            Command::Link {
                handle,
                credential,
                device_name,
            }
        });
        let asked = command.map(|command| self.host.ask(command));
        settle(async move {
            let Reply::LinkOffer(_) = asked?.await? else {
                return Err(Refusal::Internal);
            };
            Ok(LinkAttempt::new(host).into())
        })
    }

    /// Looks, on this, the existing device, at a link URI or code that the person scanned or pasted. Without one, waits for
    /// a browser that asks: its digits are to be typed here. Call it only when the person wants to link a device. Shares nothing yet.
    #[wasm_bindgen(js_name = openLink, unchecked_return_type = "Promise<LinkRequest>")]
    pub fn open_link(
        &self,
        #[wasm_bindgen(
            unchecked_optional_param_type = "string | WaitOptions",
            js_name = uriOrOptions
        )]
        what: &JsValue,
    ) -> Promise {
        LinkRequest::open(&self.host, what)
    }

    /// All conversations, newest first.
    #[wasm_bindgen(unchecked_return_type = "Promise<Conversation[]>")]
    pub fn conversations(&self) -> Promise {
        self.ask(Ok(Command::Conversations))
    }

    /// Goes on with a contact that has come with another identity key (see the event "identity"). Until then
    /// nothing is sent to them and what they send is held back. Ask the person first, by another way.
    #[wasm_bindgen(js_name = acceptIdentity, unchecked_return_type = "Promise<void>")]
    pub fn accept_identity(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
    ) -> Promise {
        let command = text(contact, "contact");
        self.ask(command.map(|account| Command::AcceptIdentity { account }))
    }

    /// Stays with the identity key that is known of a contact. What came under the other one is forgotten.
    #[wasm_bindgen(js_name = rejectIdentity, unchecked_return_type = "Promise<void>")]
    pub fn reject_identity(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
    ) -> Promise {
        let command = text(contact, "contact");
        self.ask(command.map(|account| Command::RejectIdentity { account }))
    }

    /// All contacts, by name.
    #[wasm_bindgen(unchecked_return_type = "Promise<Contact[]>")]
    pub fn contacts(&self) -> Promise {
        self.ask(Ok(Command::Contacts))
    }

    /// Data of the application, in step on all devices of this person.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn app(&self) -> App {
        App::new(Rc::clone(&self.host))
    }

    /// The devices of this account. Asks the relay.
    #[wasm_bindgen(unchecked_return_type = "Promise<Device[]>")]
    pub fn devices(&self) -> Promise {
        self.ask(Ok(Command::Devices))
    }

    /// Removes a device of this account, also this one. Resolves when the relay has. The removed browser keeps what it has stored.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn unlink(
        &self,
        #[wasm_bindgen(js_name = deviceId, unchecked_param_type = "number")] device: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "UnlinkOptions")] options: &JsValue,
    ) -> Promise {
        let command = device_id(device, "deviceId").and_then(|device| {
            let UnlinkOptions { lost } = UnlinkOptions::read(options)?;
            Ok(Command::Unlink { device, lost })
        });
        self.ask(command)
    }

    /// Deletes the account with all its devices. Resolves when the relay has. What is stored here can still be read.
    #[wasm_bindgen(js_name = deleteAccount, unchecked_return_type = "Promise<void>")]
    pub fn delete_account(&self) -> Promise {
        self.ask(Ok(Command::DeleteAccount))
    }

    /// Declared in `event`: its type is generic, which this side can't say.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, event: &JsValue, listener: JsValue) -> Result<Function, JsValue> {
        let refuse = |what| error::to_js(Refusal::InvalidArgument(what));
        let listener: Function = listener.dyn_into().map_err(|_| refuse("listener"))?;
        let event = text(event, "event").map_err(error::to_js)?;
        let id = self
            .host
            .listeners()
            .add(&event, listener)
            .ok_or_else(|| refuse("event"))?;
        listeners::off(&self.host, id).map_err(error::to_js)
    }

    /// Ends this client. Resolves when the store is free for others. Open calls are rejected with "closed".
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn close(&self) -> Promise {
        let closed = self.host.close();
        settle(async move {
            closed.await;
            Ok(JsValue::UNDEFINED)
        })
    }

    pub(super) const fn host(&self) -> &Rc<Host> {
        &self.host
    }

    pub(super) fn ask(&self, command: Result<Command, Refusal>) -> Promise {
        let asked = command.map(|command| self.host.ask(command));
        settle(async move { answer(asked?.await?) })
    }
}

/// A promise of what the future brings.
pub(super) fn settle(future: impl Future<Output = Result<JsValue, Refusal>> + 'static) -> Promise {
    future_to_promise(async move { future.await.map_err(error::to_js) })
}

pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, Refusal> {
    serde_wasm_bindgen::to_value(value).map_err(|_| Refusal::Internal)
}

/// What a command answered, as JavaScript gets it. Which command answers what is the engine's business.
pub(super) fn answer(reply: Reply) -> Result<JsValue, Refusal> {
    match reply {
        Reply::Done => Ok(JsValue::UNDEFINED),
        Reply::Account(account) => to_js(&Account::from(account)),
        Reply::Device(device) => to_js(&Device::from(device)),
        Reply::MessageId(id) => Ok(id.to_string().into()),
        Reply::Conversations(all) => list::<_, Conversation>(all),
        Reply::Messages(page) => list::<_, Message>(page),
        Reply::Contacts(all) => list::<_, Contact>(all),
        Reply::Devices(all) => list::<_, Device>(all),
        Reply::Staff(all) => list::<_, StaffGrant>(all),
        Reply::Settings(settings) => to_js(&Settings::from(settings)),
        Reply::Profile(profile) => to_js(&Profile::from(profile)),
        Reply::Recovery(reply) => recovery::answer(reply),
        Reply::Safety(reply) => safety::answer(reply),
        // These become objects of their own, which need the host, or are answers to calls of `App`, about files, or to a part of a search.
        Reply::LinkOffer(_)
        | Reply::LinkClaim(_)
        | Reply::Digits(_)
        | Reply::App(_)
        | Reply::Transfer(_)
        | Reply::Found(_) => Err(Refusal::Internal),
    }
}

fn list<View, Shown: From<View> + Serialize>(views: Vec<View>) -> Result<JsValue, Refusal> {
    let shown: Vec<Shown> = views.into_iter().map(Shown::from).collect();
    to_js(&shown)
}
