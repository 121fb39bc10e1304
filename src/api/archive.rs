//! `Client`, what concerns files of history: making one, and taking one over.
//!
//! Both go piece by piece, so that neither history nor file is ever in memory whole. A file is looked at to its end before
//! anything of it is taken over. What is in a piece is the engine's business.

use std::rc::Rc;

use engine::archive_file::{self, FRAME, FileKey, HEADER, VERSION};
use engine::input::HistoryCommand;
use engine::output::{Place, TransferReply};
use engine::{Command, Refusal, Reply};
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::argument::text;
use super::attachments::tell;
use super::client::{Client, settle};
use super::types::{ArchiveOptions, TransferProgress};
use crate::blobs;
use crate::clock::random;
use crate::host::Host;

const BROWSER: Refusal = Refusal::Store(engine::StoreFault::Failed);

#[wasm_bindgen]
impl Client {
    /// Puts all messages of this device into one encrypted file. Its key is in no other place: whoever loses it can't read the file, and
    /// whoever has both can.
    #[wasm_bindgen(js_name = exportArchive, unchecked_return_type = "Promise<Archive>")]
    pub fn export_archive(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "ArchiveOptions")] options: &JsValue,
    ) -> Promise {
        let host = Rc::clone(self.host());
        let options = ArchiveOptions::read(options);
        settle(async move { export(&host, options?.on_progress.as_ref()).await })
    }

    /// Takes over what such a file holds and this device has not: what is there stays, what was removed stays removed. A wrong key, and a file
    /// that is damaged, cut short or of another account change nothing.
    #[wasm_bindgen(js_name = importArchive, unchecked_return_type = "Promise<void>")]
    pub fn import_archive(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Blob")] file: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "ArchiveOptions")] options: &JsValue,
    ) -> Promise {
        let host = Rc::clone(self.host());
        let file = file.clone().dyn_into::<Blob>();
        let file = file.map_err(|_| Refusal::InvalidArgument("file"));
        let key = text(key, "key");
        let options = ArchiveOptions::read(options);
        settle(async move {
            let (file, key, options) = (file?, key?, options?);
            let key = FileKey::from_text(&key).ok_or(Refusal::ArchiveDamaged)?;
            import(&host, &file, &key, options.on_progress.as_ref()).await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

async fn export(host: &Host, listener: Option<&Function>) -> Result<JsValue, Refusal> {
    let key = FileKey::from_bytes(random().map_err(|_| BROWSER)?);
    let (parts, mut from, mut pieces) = (Array::new(), None, 0);
    parts.push(&JsValue::NULL); // the header, once it is known
    loop {
        let reply = host
            .ask(Command::History(HistoryCommand::Cut { from }))
            .await?;
        let Reply::Transfer(TransferReply::Piece {
            content,
            next,
            done,
            total,
        }) = reply
        else {
            return Err(Refusal::Internal);
        };
        from = next;
        if content.is_empty() {
            continue; // messages are still being counted
        }
        let iv = random().map_err(|_| BROWSER)?;
        let sealed = key.seal(iv, &content).ok_or(Refusal::Internal)?;
        let part: JsValue = blob_of(&sealed)?.into();
        parts.push(&part);
        pieces += 1;
        tell(listener, TransferProgress::new(done, total));
        if from.is_none() {
            break;
        }
    }
    parts.set(0, blob_of(&archive_file::header(pieces))?.into());
    let file = Blob::new_with_blob_sequence(&parts).map_err(|_| BROWSER)?;
    let archive = Object::new();
    for (name, value) in [("file", JsValue::from(file)), ("key", key.to_text().into())] {
        // An object that was just made takes any property.
        drop(Reflect::set(&archive, &name.into(), &value));
    }
    Ok(archive.into())
}

async fn import(
    host: &Host,
    file: &Blob,
    key: &FileKey,
    listener: Option<&Function>,
) -> Result<(), Refusal> {
    for part in walk(host, file, key).await? {
        let content = piece(file, key, &part).await?;
        let take = HistoryCommand::Take { content };
        host.ask(Command::History(take)).await?;
        tell(listener, part.progress);
    }
    Ok(())
}

/// Where a piece stands in its file.
struct Part {
    at: f64,
    size: u32,
    blob: u32,
    /// When it is taken over.
    progress: TransferProgress,
}

/// Reads all of a file and changes nothing: its pieces, if it is whole, in order, and all of it may be taken over. They are read once
/// more to be taken over, since together they may be larger than memory.
async fn walk(host: &Host, file: &Blob, key: &FileKey) -> Result<Vec<Part>, Refusal> {
    let header = bytes(file, 0.0, HEADER).await?;
    let (version, pieces) = archive_file::read_header(&header).ok_or(Refusal::ArchiveDamaged)?;
    if version != VERSION {
        return Err(Refusal::ArchiveTooNew);
    }
    let (mut all, mut at, mut transfer) = (Vec::new(), count(HEADER), None);
    for index in 0..pieces {
        let frame = bytes(file, at, FRAME).await?;
        let (size, blob) = archive_file::read_frame(&frame).ok_or(Refusal::ArchiveDamaged)?;
        at += count(FRAME);
        let mut part = Part {
            at,
            size,
            blob,
            progress: TransferProgress::new(0, 0),
        };
        let place = check(host, piece(file, key, &part).await?).await?;
        let known = transfer.get_or_insert_with(|| place.transfer.clone());
        let is_last = index + 1 == pieces;
        if place.transfer != *known || place.index != index || place.last != is_last {
            return Err(Refusal::ArchiveDamaged);
        }
        part.progress = TransferProgress::new(place.done, place.total);
        all.push(part);
        at += f64::from(blob);
    }
    let is_whole = pieces > 0 && file.size().total_cmp(&at).is_eq();
    is_whole.then_some(all).ok_or(Refusal::ArchiveDamaged)
}

async fn check(host: &Host, content: Vec<u8>) -> Result<Place, Refusal> {
    let check = HistoryCommand::Check { content };
    let Reply::Transfer(TransferReply::Place(place)) = host.ask(Command::History(check)).await?
    else {
        return Err(Refusal::Internal);
    };
    Ok(place)
}

async fn piece(file: &Blob, key: &FileKey, part: &Part) -> Result<Vec<u8>, Refusal> {
    let length = usize::try_from(part.blob).map_err(|_| BROWSER)?;
    let bytes = bytes(file, part.at, length).await?;
    key.open(part.size, &bytes).ok_or(Refusal::ArchiveDamaged)
}

/// So many bytes of a file from there on; fewer are damage.
async fn bytes(file: &Blob, at: f64, length: usize) -> Result<Vec<u8>, Refusal> {
    let part = file
        .slice_with_f64_and_f64(at, at + count(length))
        .map_err(|_| BROWSER)?;
    let bytes = blobs::bytes(part.array_buffer()).await.ok();
    let whole = bytes.filter(|bytes| bytes.len() == length);
    whole.ok_or(Refusal::ArchiveDamaged)
}

fn blob_of(bytes: &[u8]) -> Result<Blob, Refusal> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    Blob::new_with_u8_array_sequence(&parts).map_err(|_| BROWSER)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of pieces are far smaller than 2^53"
)]
const fn count(number: usize) -> f64 {
    number as f64
}
