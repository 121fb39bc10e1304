//! `Client`, what concerns messages: sending, reading, and what can be done to one.
//! It checks the types of arguments; what may be done is the engine's business.

use engine::Command;
use engine::Refusal;
use engine::input::{Action, Draft};
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::argument::{PAGE, flag, page_limit, text};
use super::attachments::pointers;
use super::client::Client;
use super::types::{Content, EditOptions, MessagesOptions, RemoveOptions};

#[wasm_bindgen]
impl Client {
    /// Sends a text, attachments or both to a handle or an account id. Resolves when it is stored on disk; it is sent when it can be.
    #[wasm_bindgen(unchecked_return_type = "Promise<MessageId>")]
    pub fn send(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] to: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Content")] content: &JsValue,
    ) -> Promise {
        let command = text(to, "to").and_then(|to| {
            let Content {
                text,
                quote,
                attachments,
            } = Content::read(content)?;
            let draft = Draft {
                text: text.unwrap_or_default(),
                quote: quote.map(|id| message_id(&id, "quote")).transpose()?,
                attachments: pointers(&attachments)?,
            };
            Ok(Command::Send { to, draft })
        });
        self.ask(command)
    }

    /// A page of a conversation, oldest first: the newest, the one before a message, or the one after a message.
    #[wasm_bindgen(unchecked_return_type = "Promise<Message[]>")]
    pub fn messages(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "MessagesOptions")] options: &JsValue,
    ) -> Promise {
        let command = text(conversation, "conversation").and_then(|conversation| {
            let MessagesOptions {
                before,
                after,
                limit,
            } = MessagesOptions::read(options)?;
            let before = before.map(|id| message_id(&id, "before")).transpose()?;
            let after = after.map(|id| message_id(&id, "after")).transpose()?;
            let limit = page_limit(limit.unwrap_or(PAGE), "limit")?;
            Ok(Command::Messages {
                conversation,
                before,
                after,
                limit,
            })
        });
        self.ask(command)
    }

    /// Everything up to this message has been read.
    #[wasm_bindgen(js_name = markRead, unchecked_return_type = "Promise<void>")]
    pub fn mark_read(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(js_name = messageId, unchecked_param_type = "MessageId")] message: &JsValue,
    ) -> Promise {
        let command = text(conversation, "conversation").and_then(|conversation| {
            let message = message_id(&text(message, "messageId")?, "messageId")?;
            Ok(Command::MarkRead {
                conversation,
                message,
            })
        });
        self.ask(command)
    }

    /// Tries a message again that has failed, as the same message. Rejected with "unknown_message" if it has not.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn resend(
        &self,
        #[wasm_bindgen(js_name = messageId, unchecked_param_type = "MessageId")] message: &JsValue,
    ) -> Promise {
        let command = text(message, "messageId").and_then(|message| {
            let message = message_id(&message, "messageId")?;
            Ok(Command::Resend { message })
        });
        self.ask(command)
    }

    /// Tells the other person that this one is writing (default), or with `false` that not any more: now or not at all. May be called with
    /// every letter. Strangers who were not accepted are told nothing.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn typing(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(js_name = isTyping, unchecked_optional_param_type = "boolean")]
        is_typing: &JsValue,
    ) -> Promise {
        let command = text(conversation, "conversation").and_then(|conversation| {
            let is_typing = is_typing.is_undefined() || flag(is_typing, "isTyping")?;
            Ok(Command::Typing {
                conversation,
                is_typing,
            })
        });
        self.ask(command)
    }

    /// Gives a message of this account another text, for everyone. Possible for a day, ten times. What it said before stays visible.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn edit(
        &self,
        #[wasm_bindgen(js_name = messageId, unchecked_param_type = "MessageId")] message: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "EditOptions")] options: &JsValue,
    ) -> Promise {
        let action = named(message).and_then(|message| {
            let EditOptions { text } = EditOptions::read(options)?;
            Ok(Action::Edit { message, text })
        });
        self.ask(action.map(Command::Act))
    }

    /// Deletes a message: on all own devices, or with `everyone` for the other person too. Rejected with "not_author" or "too_late"
    /// where that may not be.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn remove(
        &self,
        #[wasm_bindgen(js_name = messageId, unchecked_param_type = "MessageId")] message: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "RemoveOptions")] options: &JsValue,
    ) -> Promise {
        let action = named(message).and_then(|message| {
            let RemoveOptions { everyone } = RemoveOptions::read(options)?;
            let everyone = everyone.unwrap_or(false);
            Ok(Action::Remove { message, everyone })
        });
        self.ask(action.map(Command::Act))
    }

    /// Reacts to a message with an emoji, in place of any earlier reaction; without one, takes the reaction back.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn react(
        &self,
        #[wasm_bindgen(js_name = messageId, unchecked_param_type = "MessageId")] message: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] emoji: &JsValue,
    ) -> Promise {
        let action = named(message).and_then(|message| {
            let given = !(emoji.is_undefined() || emoji.is_null());
            let emoji = given.then(|| text(emoji, "emoji")).transpose()?;
            let emoji = emoji.filter(|emoji| !emoji.is_empty());
            Ok(Action::React { message, emoji })
        });
        self.ask(action.map(Command::Act))
    }
}

pub(super) fn named(message: &JsValue) -> Result<wire::MessageId, Refusal> {
    message_id(&text(message, "messageId")?, "messageId")
}

pub(super) fn message_id(text: &str, name: &'static str) -> Result<wire::MessageId, Refusal> {
    text.parse().map_err(|_| Refusal::InvalidArgument(name))
}
