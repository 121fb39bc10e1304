//! Lists that stay in step: a page subscribes, and is given the whole list now and whenever it has changed, so that it need
//! not put events together. Events only say when to look again; what is given is always what the store holds.
//!
//! It decides when to look: once for what comes close together, and nobody is called when nothing is different.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use engine::output::{Conversation, Message};
use engine::{Command, Refusal, Reply};
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::argument::{PAGE as STEP, Subscribed, page_limit};
use super::client::Client;
use super::error;
use super::event::Notice;
use super::person::{self, Contact};
use super::types;
use crate::clock::Timer;
use crate::host::Host;
use crate::signal::Signal;

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** What `Client.subscribe` gives its listener of a conversation: its newest messages, oldest first. */
export interface LiveMessages { messages: Message[]; /** There are earlier ones: `Subscription.earlier()`. */ hasEarlier: boolean; }
/** What `Client.subscribe` gives its listener of conversations: all of them, newest first. */
export interface LiveConversations { conversations: Conversation[]; }
/** What `Client.subscribe` gives its listener of contacts: all of them, by name. */
export interface LiveContacts { contacts: Contact[]; }

export interface Client {
    /** Calls the listener with the newest messages of a conversation (a handle or an account id), now and whenever they have changed. */
    subscribe(query: { messages: string; limit?: number }, listener: (now: LiveMessages) => void): Subscription;
    /** Calls the listener with all conversations, now and whenever one has changed. */
    subscribe(query: "conversations", listener: (now: LiveConversations) => void): Subscription;
    /** Calls the listener with all contacts, now and whenever one has changed. */
    subscribe(query: "contacts", listener: (now: LiveContacts) => void): Subscription;
}
"#;

/// Messages of a page, as the engine gives them at most.
const PAGE: usize = 500;
/// What comes closer together than this is looked at once.
const TOGETHER_MS: u64 = 30;
/// How long to wait where the store could not be asked.
const AGAIN_MS: u64 = 1_000;

/// What is kept in step.
#[derive(Clone, Debug)]
pub(super) enum Query {
    /// The newest messages of a conversation.
    Messages {
        conversation: String,
        limit: usize,
    },
    Conversations,
    Contacts,
}

/// What there is.
#[derive(Clone, PartialEq)]
enum Now {
    Messages {
        messages: Vec<Message>,
        has_earlier: bool,
    },
    Conversations(Vec<Conversation>),
    Contacts(Vec<engine::output::Contact>),
}

/// A subscription, until `stop()` or until the client is closed.
#[wasm_bindgen]
pub struct Subscription {
    live: Rc<Live>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}

#[wasm_bindgen]
impl Subscription {
    /// Ends it: the listener is not called again. Does nothing the second time.
    pub fn stop(&self) {
        self.live.is_over.set(true);
        self.live.signal.raise();
    }

    /// Has the list go back by so many earlier messages (50), from now on. Without a meaning for other lists.
    pub fn earlier(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] count: &JsValue,
    ) -> Result<(), JsValue> {
        let count = if count.is_undefined() {
            STEP
        } else {
            count.as_f64().unwrap_or_default()
        };
        let count = page_limit(count, "count").map_err(error::to_js)?;
        let wider = self.live.limit.get().saturating_add(count);
        self.live.limit.set(wider);
        self.live.signal.raise();
        Ok(())
    }
}

#[wasm_bindgen]
impl Client {
    /// Declared above: the types of its listeners differ, which this side can't say.
    #[wasm_bindgen(skip_typescript)]
    pub fn subscribe(&self, query: &JsValue, listener: JsValue) -> Result<Subscription, JsValue> {
        let refuse = |what| error::to_js(Refusal::InvalidArgument(what));
        let listener: Function = listener.dyn_into().map_err(|_| refuse("listener"))?;
        let query = Query::try_from(Subscribed::read(query).map_err(error::to_js)?);
        let live = Rc::new(Live::new(query.map_err(error::to_js)?, listener));
        self.host().listeners().keep_in_step(&live);
        spawn_local(Rc::clone(&live).run(Rc::clone(self.host())));
        Ok(Subscription { live })
    }
}

impl TryFrom<Subscribed> for Query {
    type Error = Refusal;

    fn try_from(asked: Subscribed) -> Result<Self, Refusal> {
        Ok(match asked {
            Subscribed::Messages {
                conversation,
                limit,
            } => Self::Messages {
                conversation,
                limit: page_limit(limit.unwrap_or(STEP), "limit")?,
            },
            Subscribed::Conversations => Self::Conversations,
            Subscribed::Contacts => Self::Contacts,
        })
    }
}

/// What the task and the page share.
pub struct Live {
    query: Query,
    listener: Function,
    limit: Cell<usize>,
    /// Whose messages these are, once that is known: others' events don't matter.
    conversation: RefCell<Option<String>>,
    signal: Signal,
    is_over: Cell<bool>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Live {
    fn new(query: Query, listener: Function) -> Self {
        let limit = match &query {
            Query::Messages { limit, .. } => *limit,
            Query::Conversations | Query::Contacts => 0,
        };
        Self {
            query,
            listener,
            limit: Cell::new(limit),
            conversation: RefCell::default(),
            signal: Signal::default(),
            is_over: Cell::new(false),
        }
    }

    /// Something has happened: the list may be another.
    pub(super) fn hear(&self, notice: &Notice) {
        if self.concerns(notice) {
            self.signal.raise();
        }
    }

    fn concerns(&self, notice: &Notice) -> bool {
        let Some(conversation) = notice.of_messages() else {
            return match &self.query {
                Query::Messages { .. } => false,
                Query::Conversations => notice.is_of_conversations(),
                Query::Contacts => notice.is_of_contacts(),
            };
        };
        match &self.query {
            Query::Messages { .. } => {
                let known = self.conversation.borrow();
                known.as_ref().is_none_or(|known| known == conversation)
            }
            Query::Conversations => true,
            Query::Contacts => false,
        }
    }

    async fn run(self: Rc<Self>, host: Rc<Host>) {
        let mut told = None;
        while !self.is_over.get() {
            match self.look(&host).await {
                Err(Refusal::Closed) => break,
                // The event "error" tells the page what is wrong.
                Err(_) => Timer::after_ms(AGAIN_MS).await,
                Ok(now) => {
                    if told.as_ref() != Some(&now) && !self.is_over.get() {
                        self.tell(&now);
                        told = Some(now);
                    }
                    self.signal.raised().await;
                    Timer::after_ms(TOGETHER_MS).await;
                }
            }
        }
        self.is_over.set(true);
    }

    async fn look(&self, host: &Host) -> Result<Now, Refusal> {
        match &self.query {
            Query::Messages { conversation, .. } => self.look_at(host, conversation).await,
            Query::Conversations => {
                let reply = host.ask(Command::Conversations).await?;
                let Reply::Conversations(all) = reply else {
                    return Err(Refusal::Internal);
                };
                Ok(Now::Conversations(all))
            }
            Query::Contacts => {
                let Reply::Contacts(all) = host.ask(Command::Contacts).await? else {
                    return Err(Refusal::Internal);
                };
                Ok(Now::Contacts(all))
            }
        }
    }

    /// The newest messages, a page at a time, and one more to know whether there are more.
    async fn look_at(&self, host: &Host, conversation: &str) -> Result<Now, Refusal> {
        let limit = self.limit.get();
        let mut newest: Vec<Message> = Vec::new();
        while newest.len() <= limit {
            let wanted = (limit + 1 - newest.len()).min(PAGE);
            let command = Command::Messages {
                conversation: conversation.to_owned(),
                before: newest.first().map(|message| message.id),
                after: None,
                limit: wanted,
            };
            let asked = host.ask(command).await;
            if asked == Err(Refusal::UnknownConversation) {
                break; // nobody has written yet
            }
            let Reply::Messages(page) = asked? else {
                return Err(Refusal::Internal);
            };
            let is_last = page.len() < wanted;
            newest.splice(0..0, page);
            if is_last {
                break;
            }
        }
        let has_earlier = newest.len() > limit;
        if has_earlier {
            newest.remove(0);
        }
        let id = newest.first().map(|message| message.conversation);
        *self.conversation.borrow_mut() = id.map(|id| id.to_string());
        Ok(Now::Messages {
            messages: newest,
            has_earlier,
        })
    }

    fn tell(&self, now: &Now) {
        let Ok(shown) = serde_wasm_bindgen::to_value(&Shown::from(now.clone())) else {
            return;
        };
        if let Err(thrown) = self.listener.call1(&JsValue::UNDEFINED, &shown) {
            web_sys::console::error_2(&"lockstep: a listener threw".into(), &thrown);
        }
    }

    /// Whether nobody listens any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }
}

/// As JavaScript gets it.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    #[serde(rename_all = "camelCase")]
    Messages {
        messages: Vec<types::Message>,
        has_earlier: bool,
    },
    Conversations {
        conversations: Vec<person::Conversation>,
    },
    Contacts {
        contacts: Vec<Contact>,
    },
}

impl From<Now> for Shown {
    fn from(now: Now) -> Self {
        match now {
            Now::Messages {
                messages,
                has_earlier,
            } => Self::Messages {
                messages: messages.into_iter().map(Into::into).collect(),
                has_earlier,
            },
            Now::Conversations(all) => Self::Conversations {
                conversations: all.into_iter().map(Into::into).collect(),
            },
            Now::Contacts(all) => Self::Contacts {
                contacts: all.into_iter().map(Into::into).collect(),
            },
        }
    }
}
