//! A piece of history as bytes, and the strict reading of it: what is not whole, of this version and of this account is
//! nothing, and one message that is not as it may be makes all of it nothing.
//! It does not know where pieces come from.

use std::collections::VecDeque;

use prost::Message as _;
use wire::AccountId;
use wire::proto::history::Piece;

use crate::archive::{Head, Reader};
use crate::input::Timestamp;
use crate::limits::PIECE_MAX;
use crate::thread::union::Placed;

/// The version that is written, and the only one that is read.
pub(crate) const VERSION: u32 = 1;

/// A piece that was read.
pub(crate) struct Read {
    pub(crate) transfer: Vec<u8>,
    pub(crate) index: u32,
    pub(crate) last: bool,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) heads: Vec<Head>,
    pub(crate) messages: VecDeque<Placed>,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Read({} messages)", self.messages.len())
    }
}

/// Why a piece is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is another account's.
    Foreign,
    /// It is of a version that this one does not know.
    TooNew,
    /// It is not whole, or says what may not be.
    Damaged,
}

/// Reads a piece of this account.
pub(crate) fn read(bytes: &[u8], own: AccountId, now: Timestamp) -> Result<Read, Unfit> {
    if bytes.len() > PIECE_MAX {
        return Err(Unfit::Damaged);
    }
    let Piece {
        version,
        account,
        transfer,
        index,
        last,
        done,
        total,
        conversations,
        messages,
    } = Piece::decode(bytes).map_err(|_| Unfit::Damaged)?;
    match version {
        VERSION => {}
        0 => return Err(Unfit::Damaged),
        _ => return Err(Unfit::TooNew),
    }
    if account != own.as_bytes() {
        return Err(Unfit::Foreign);
    }
    let reader = Reader { own, now };
    let heads = conversations.iter().map(|head| reader.head(head));
    let messages = messages.into_iter().map(|message| reader.message(message));
    Ok(Read {
        heads: heads.collect::<Option<_>>().ok_or(Unfit::Damaged)?,
        messages: messages.collect::<Option<_>>().ok_or(Unfit::Damaged)?,
        transfer,
        index,
        last,
        done,
        total,
    })
}
