//! An answer in parts that fit into messages, and no more of them than one answer may have.
//! It does not know what is in it.

use prost::Message as _;
use wire::proto::archive::archived_message::Version;
use wire::proto::archive::{ArchivedMessage, Repair};

use crate::limits::{REPAIR_BYTES, REPAIR_MESSAGES};

/// An answer that is being made.
pub(super) struct Parts {
    floor: u64,
    full: Vec<Repair>,
    part: Repair,
    size: usize,
    /// Something had no room.
    more: bool,
}

impl Parts {
    pub(super) fn new(floor: u64) -> Self {
        Self {
            floor,
            full: Vec::new(),
            part: Repair::default(),
            size: 0,
            more: false,
        }
    }

    /// Whether there is room for something more. It may be too large for the present part, which then ends.
    pub(super) fn has_room(&mut self) -> bool {
        self.more |= self.full.len() >= REPAIR_MESSAGES;
        !self.more
    }

    /// Adds something of this size, if there is room.
    pub(super) fn add(&mut self, size: usize, add: impl FnOnce(&mut Repair)) {
        if self.size > 0 && self.size + size > REPAIR_BYTES {
            self.full.push(std::mem::take(&mut self.part));
            self.size = 0;
        }
        if self.has_room() {
            add(&mut self.part);
            self.size += size;
        }
    }

    /// Adds a message. One with texts that are too long together is told in pieces, since they are united anyway.
    pub(super) fn add_message(&mut self, mut message: ArchivedMessage) {
        let texts = std::mem::take(&mut message.texts);
        for texts in pieces(texts) {
            let piece = ArchivedMessage {
                texts,
                ..message.clone()
            };
            self.add(piece.encoded_len(), |part| part.messages.push(piece));
        }
    }

    /// The parts, and whether something had no room.
    pub(super) fn finish(mut self) -> (Vec<Repair>, bool) {
        if self.part != Repair::default() {
            self.full.push(self.part);
        }
        for part in &mut self.full {
            part.floor = self.floor;
        }
        if self.more
            && let Some(last) = self.full.last_mut()
        {
            last.more = true;
        }
        (self.full, self.more)
    }
}

/// Texts that fit into a message together; at least one piece, also without any.
fn pieces(texts: Vec<Version>) -> Vec<Vec<Version>> {
    let mut pieces = vec![Vec::new()];
    let mut size = 0;
    for text in texts {
        let len = text.encoded_len();
        if size > 0 && size + len > REPAIR_BYTES {
            pieces.push(Vec::new());
            size = 0;
        }
        size += len;
        if let Some(piece) = pieces.last_mut() {
            piece.push(text);
        }
    }
    pieces
}
