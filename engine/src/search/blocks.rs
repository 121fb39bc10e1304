//! What messages say, by the block: some days of a conversation in one row, since reading a row costs more than
//! what is in it.
//!
//! Whoever writes or deletes a message unmakes its block ([`mark`], without reading anything), also so that nothing is kept
//! there of what was deleted. Blocks are made again a few at a time while nothing else is to be done. It does not search.

use crate::error::Error;
use crate::input::{ConversationId, Timestamp};
use crate::limits::{SEARCH_BLOCK_BYTES, SEARCH_MADE_AT_ONCE, SEARCH_STEP, TABLE_PAGE};
use crate::record::{MessageRecord, Record, SaidRecord, SearchRecord, key};
use crate::state::State;
use crate::store::{Changes, Direction, Scan, Table};
use crate::thread;
use crate::tx::Tx;

/// The time of a block is this many bits of a message's order: twelve days.
const BUCKET_BITS: u32 = 30;

/// Some days of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    /// Which days.
    pub(super) bucket: u64,
    pub(super) conversation: ConversationId,
}

impl Block {
    pub(super) const fn bucket(order: u64) -> u64 {
        order >> BUCKET_BITS
    }

    pub(super) fn from_key(at: &[u8]) -> Option<Self> {
        let (bucket, conversation) = key::split_block(at)?;
        Some(Self {
            bucket,
            conversation,
        })
    }

    fn key(self, prefix: u8) -> Vec<u8> {
        key::block(prefix, self.bucket, self.conversation)
    }

    /// Its messages, newest first, a page of them.
    pub(super) fn messages(self) -> Scan {
        let at = |bucket: u64| key::messages_at(self.conversation, bucket << BUCKET_BITS);
        let last = self.bucket >= Self::bucket(u64::MAX);
        let all = Scan::prefix(Table::Messages, self.conversation.as_bytes(), TABLE_PAGE);
        Scan {
            from: at(self.bucket),
            to: if last {
                all.to
            } else {
                Some(at(self.bucket + 1))
            },
            direction: Direction::Backward,
            ..all
        }
    }
}

/// Unmakes the blocks of all messages that are written or deleted.
pub(crate) fn mark(changes: &mut Changes) {
    let messages = changes
        .keys_of(Table::Messages)
        .filter_map(key::split_message);
    let mut blocks: Vec<Block> = messages
        .map(|(conversation, order, _)| Block {
            bucket: Block::bucket(order),
            conversation,
        })
        .collect();
    blocks.dedup();
    for block in blocks {
        let place = |prefix| (Table::Search, block.key(prefix));
        changes
            .writes
            .insert(place(key::BLOCK_UNMADE), Some(Vec::new()));
        changes.writes.insert(place(key::BLOCK_MADE), None);
    }
}

/// What is compared: no difference between capital letters and others.
pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What a message is found by, if by anything.
pub(super) fn searchable(record: &MessageRecord) -> Option<String> {
    let mut said = folded(thread::said(record)?);
    for name in record
        .attachments
        .iter()
        .filter_map(|file| file.file_name.as_ref())
    {
        said.push('\n'); // no search crosses it
        said.push_str(&folded(name));
    }
    (!said.is_empty()).then_some(said)
}

impl State {
    /// Blocks are made when there is time.
    pub(crate) fn index_deadline(&self) -> Option<Timestamp> {
        let is_due = self.index_due && !self.clock.draining;
        is_due.then_some(Timestamp(0))
    }

    /// Makes some blocks that are not made, the newest first.
    pub(crate) async fn make_blocks(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.index_deadline().is_none() {
            return Ok(());
        }
        let unmade = Scan {
            direction: Direction::Backward,
            ..Scan::prefix(Table::Search, &[key::BLOCK_UNMADE], SEARCH_MADE_AT_ONCE)
        };
        let rows = tx.scan(unmade).await?;
        self.index_due = rows.len() >= SEARCH_MADE_AT_ONCE;
        let mut read = 0;
        for (at, _) in rows {
            if read >= SEARCH_STEP {
                self.index_due = true;
                break;
            }
            tx.delete(Table::Search, &at);
            if let Some(block) = Block::from_key(&at) {
                read += make(tx, block).await?;
            }
        }
        Ok(())
    }
}

/// Makes a block. Gives how many messages it has read.
async fn make(tx: &mut Tx<'_>, block: Block) -> Result<usize, Error> {
    let mut page = Some(block.messages());
    let mut made = SearchRecord::default();
    let (mut read, mut size) = (0, 0);
    while let Some(range) = page {
        let rows = tx.scan(range.clone()).await?;
        page = range.behind(&rows);
        read += rows.len();
        for (at, bytes) in &rows {
            let record = MessageRecord::read(bytes)?;
            if let Some((_, order, id)) = key::split_message(at)
                && let Some(text) = searchable(&record)
            {
                size += text.len();
                let id = id.as_bytes().to_vec();
                made.said.push(SaidRecord { order, id, text });
            }
        }
        if size > SEARCH_BLOCK_BYTES {
            made = SearchRecord {
                too_large: true,
                ..SearchRecord::default()
            };
            break;
        }
    }
    if made.too_large || !made.said.is_empty() {
        tx.put(&block.key(key::BLOCK_MADE), &made);
    }
    Ok(read)
}
