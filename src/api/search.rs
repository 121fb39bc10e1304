//! `Client.search`: asks the engine part by part, so that nothing else waits for a long search, and puts the parts
//! together. What is found is the engine's business.

use engine::input::Search;
use engine::{Command, Refusal, Reply};
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::argument::{PAGE, page_limit, text};
use super::client::{Client, answer, settle};
use super::messages::message_id;
use super::types::SearchOptions;

#[wasm_bindgen]
impl Client {
    /// Messages with all these words in their text or in the names of their attachments, newest first. Parts of words count, capital letters are
    /// like others. Nothing is asked of the relay.
    #[wasm_bindgen(unchecked_return_type = "Promise<Message[]>")]
    pub fn search(
        &self,
        #[wasm_bindgen(js_name = text, unchecked_param_type = "string")] words: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "SearchOptions")] options: &JsValue,
    ) -> Promise {
        let host = std::rc::Rc::clone(self.host());
        let search = text(words, "text").and_then(|text| {
            let options = SearchOptions::read(options)?;
            let before = options.before.map(|id| message_id(&id, "before"));
            let limit = page_limit(options.limit.unwrap_or(PAGE), "limit")?;
            let search = Search {
                text,
                conversation: options.conversation,
                before: before.transpose()?,
                below: None,
                limit,
            };
            Ok((search, options.signal))
        });
        settle(async move {
            let (mut search, signal) = search?;
            let mut found = Vec::new();
            loop {
                if signal.as_ref().is_some_and(web_sys::AbortSignal::aborted) {
                    return Err(Refusal::Aborted);
                }
                let Reply::Found(part) = host.ask(Command::Search(search.clone())).await? else {
                    return Err(Refusal::Internal);
                };
                found.extend(part.messages);
                found.truncate(search.limit);
                if part.next.is_none() || found.len() >= search.limit {
                    return answer(Reply::Messages(found));
                }
                search.below = part.next;
            }
        })
    }
}
