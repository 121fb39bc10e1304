//! Finding messages by their text, newest first.
//!
//! A search reads blocks: what the messages of a few days of a conversation say, in one row (see `blocks`). Where a block is
//! not made yet it reads the messages themselves, so what it finds never depends on how far that is. It only reads; a step
//! looks at so much, and the caller asks again from where it ended.

mod blocks;

use wire::MessageId;

use crate::error::{Error, Refusal};
use crate::input::{ConversationId, Search};
use crate::limits::{LIST_MAX, SEARCH_BLOCKS, SEARCH_STEP, SEARCH_TEXT_MAX};
use crate::output::{Found, Message, Reply};
use crate::record::{MessageRecord, Record as _, SearchRecord, key};
use crate::state::State;
use crate::store::{Direction, Row, Scan, Table};
use crate::thread;
use crate::tx::Tx;
pub(crate) use blocks::mark;
use blocks::{Block, folded};

/// What is looked for.
struct Query {
    /// All of them are in a message that is found.
    words: Vec<String>,
    conversation: Option<ConversationId>,
    /// Only older messages than this.
    before: Option<Place>,
}

/// Where a message stands among all: its order, then its id.
type Place = (u64, MessageId);

/// What a step has found, and how much it has looked at.
#[derive(Default)]
struct Finds {
    messages: Vec<(Place, Message)>,
    looked_at: usize,
    met_unmade: bool,
}

impl State {
    /// One step of a search.
    pub(crate) async fn search(
        &mut self,
        tx: &mut Tx<'_>,
        search: Search,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let Search {
            text,
            conversation,
            before,
            below,
            limit,
        } = search;
        let words: Vec<String> = folded(&text)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        if words.is_empty() || text.len() > SEARCH_TEXT_MAX {
            return Ok(Err(Refusal::InvalidArgument("text")));
        }
        let conversation = match conversation {
            None => None,
            Some(name) => match self.conversation(tx, &name).await? {
                Some(id) => Some(id),
                None => return Ok(Err(Refusal::UnknownConversation)),
            },
        };
        let before = match before {
            None => None,
            Some(id) => match thread::order(tx, id).await? {
                Some(order) => Some((order, id)),
                None => return Ok(Err(Refusal::UnknownMessage)),
            },
        };
        let below = below.or(before.map(|(order, _)| Block::bucket(order) + 1));
        let query = Query {
            words,
            conversation,
            before,
        };
        let (found, next) = query.step(tx, below, limit).await?;
        self.index_due |= found.met_unmade;
        let mut messages = found.messages;
        messages.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
        messages.truncate(limit);
        Ok(Ok(Reply::Found(Found {
            messages: messages.into_iter().map(|(_, message)| message).collect(),
            next,
        })))
    }
}

impl Query {
    /// Looks at blocks below a time, newest first, in groups of one time, until enough is found or looked at. Gives where to go on.
    async fn step(
        &self,
        tx: &mut Tx<'_>,
        mut below: Option<u64>,
        limit: usize,
    ) -> Result<(Finds, Option<u64>), Error> {
        let mut finds = Finds::default();
        loop {
            let (blocks, ended) = newest_blocks(tx, below).await?;
            for (block, row) in blocks {
                if below.is_some_and(|below| block.bucket < below) {
                    // A group ends: what is older is in later ones.
                    if finds.messages.len() >= limit || finds.looked_at >= SEARCH_STEP {
                        return Ok((finds, below));
                    }
                }
                below = Some(block.bucket);
                if self.conversation.is_none_or(|id| id == block.conversation) {
                    self.look_at(tx, block, row, &mut finds).await?;
                }
            }
            if ended {
                return Ok((finds, None));
            }
        }
    }

    async fn look_at(
        &self,
        tx: &mut Tx<'_>,
        block: Block,
        made: Option<SearchRecord>,
        finds: &mut Finds,
    ) -> Result<(), Error> {
        let made = made.filter(|record| !record.too_large);
        let Some(record) = made else {
            finds.met_unmade = true;
            return self.look_at_messages(tx, block, finds).await;
        };
        finds.looked_at += 1;
        let mut hits = Vec::new();
        for said in record.said {
            let Ok(id) = MessageId::from_slice(&said.id) else {
                continue;
            };
            if self.is_meant((said.order, id), &said.text) {
                hits.push(key::message(block.conversation, said.order, id));
            }
        }
        finds.looked_at += hits.len();
        let keys = hits.iter().map(|at| (Table::Messages, at.clone()));
        tx.prefetch(keys.collect()).await?;
        for at in hits {
            if let Some(record) = tx.get::<MessageRecord>(&at).await? {
                self.take(&at, record, finds);
            }
        }
        Ok(())
    }

    async fn look_at_messages(
        &self,
        tx: &mut Tx<'_>,
        block: Block,
        finds: &mut Finds,
    ) -> Result<(), Error> {
        let mut page = Some(block.messages());
        while let Some(range) = page {
            let rows = tx.scan(range.clone()).await?;
            page = range.behind(&rows);
            finds.looked_at += rows.len();
            for (at, bytes) in rows {
                let record = MessageRecord::read(&bytes)?;
                self.take(&at, record, finds);
            }
        }
        Ok(())
    }

    /// Whether a message that says this, folded, is one that is looked for.
    fn is_meant(&self, place: Place, text: &str) -> bool {
        self.before.is_none_or(|before| place < before)
            && self.words.iter().all(|word| text.contains(word.as_str()))
    }

    fn take(&self, at: &[u8], record: MessageRecord, finds: &mut Finds) {
        let Some((conversation, order, id)) = key::split_message(at) else {
            return;
        };
        let place = (order, id);
        let text = blocks::searchable(&record);
        if text.is_some_and(|text| self.is_meant(place, &text))
            && let Some(message) = thread::shown(conversation, id, record)
        {
            finds.messages.push((place, message));
        }
    }
}

/// Some blocks below a time, newest first, whole groups of one time; and whether there are no more.
async fn newest_blocks(
    tx: &mut Tx<'_>,
    below: Option<u64>,
) -> Result<(Vec<(Block, Option<SearchRecord>)>, bool), Error> {
    let mut limit = SEARCH_BLOCKS;
    loop {
        let mut blocks = Vec::new();
        let mut whole_from = 0;
        for prefix in [key::BLOCK_MADE, key::BLOCK_UNMADE] {
            let to = below.map(|below| key::blocks_from(prefix, below));
            let all = Scan::prefix(Table::Search, &[prefix], limit);
            let rows = tx
                .scan(Scan {
                    to: to.or(all.to),
                    direction: Direction::Backward,
                    ..all
                })
                .await?;
            if rows.len() >= limit
                && let Some(last) = rows.last().and_then(|(at, _)| Block::from_key(at))
            {
                whole_from = whole_from.max(last.bucket + 1); // of its group there may be more
            }
            for row in rows {
                blocks.extend(read_block(prefix, &row)?);
            }
        }
        blocks.retain(|(block, _)| block.bucket >= whole_from);
        blocks.sort_by_key(|(block, _)| std::cmp::Reverse(*block));
        if !blocks.is_empty() || whole_from == 0 {
            return Ok((blocks, whole_from == 0));
        }
        limit = LIST_MAX; // a group with more conversations than that: all there can be
    }
}

fn read_block(
    prefix: u8,
    (at, bytes): &Row,
) -> Result<Option<(Block, Option<SearchRecord>)>, Error> {
    let Some(block) = Block::from_key(at) else {
        return Ok(None);
    };
    let made = (prefix == key::BLOCK_MADE).then(|| SearchRecord::read(bytes));
    Ok(Some((block, made.transpose()?)))
}

#[cfg(test)]
mod tests;
