//! A blob becomes a file, a range at a time. The parts lie in the browser's own storage for blobs and are reachable from
//! here alone; they become one that the page gets only when MAC and digest are right, and are dropped if not.

use engine::attachment::{Decryptor, Pointer};
use js_sys::{Array, Uint8Array};
use web_sys::{Blob, BlobPropertyBag};
use wire::limits::BLOB_MAX;

use super::http::{Answer, Http, Request};
use super::{Access, Fault, Progress, SLICE, Watch, browser};

/// Fetches and decrypts an attachment.
///
/// # Errors
/// Why not. After [`Fault::Lost`] it begins anew.
pub async fn download(
    access: &Access,
    pointer: &Pointer,
    watch: &Watch<'_>,
) -> Result<Blob, Fault> {
    // Who fetches is nobody's business.
    let access = Access {
        relay: access.relay.clone(),
        authorization: None,
    };
    let http = Http::new(&access, watch);
    let path = pointer.blob.path();
    let mut decryptor = Decryptor::new(&pointer.key, pointer.digest, pointer.size);
    let parts = Array::new();
    let (mut at, mut total) = (0, None);
    while total.is_none_or(|total| at < total) {
        let last = at + SLICE - 1;
        let request = Request {
            verb: "GET",
            path: &path,
            headers: &[("range", format!("bytes={at}-{last}"))],
            body: None,
        };
        let answer = http.ask(&request, &[206, 416], &[]).await?;
        let (end, size) = place(&answer, at, total).ok_or(Fault::Damaged)?;
        let content = decryptor.add(&answer.body).map_err(|_| Fault::Damaged)?;
        put(&parts, &content.put_aside())?;
        (at, total) = (end, Some(size));
        let progress = Progress {
            done: end,
            total: size,
        };
        (watch.progress)(progress);
    }
    let last = decryptor.finish().map_err(|_| Fault::Damaged)?;
    put(&parts, &last)?;
    let content_type = pointer.details.content_type.as_deref();
    whole(&parts, content_type.map_or(PLAIN, harmless))
}

/// Where a part ends and how large all is, if it is the part that was asked for.
fn place(answer: &Answer, at: u64, known: Option<u64>) -> Option<(u64, u64)> {
    let range = answer.header("content-range")?;
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (first, last, total): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    let count = answer.body.len() as u64;
    let fits = first == at && count > 0 && last.checked_add(1) == Some(at + count);
    let same = known.is_none_or(|known| known == total);
    let sane = total <= BLOB_MAX && last < total && count <= SLICE;
    (answer.status == 206 && fits && same && sane).then_some((at + count, total))
}

/// Out of our memory, into the browser's.
fn put(parts: &Array, content: &[u8]) -> Result<(), Fault> {
    if !content.is_empty() {
        let bytes = Array::of1(&Uint8Array::from(content));
        let part = Blob::new_with_u8_array_sequence(&bytes).map_err(browser)?;
        parts.push(&part);
    }
    Ok(())
}

fn whole(parts: &Array, content_type: &str) -> Result<Blob, Fault> {
    let options = BlobPropertyBag::new();
    options.set_type(content_type);
    Blob::new_with_blob_sequence_and_options(parts, &options).map_err(browser)
}

const PLAIN: &str = "application/octet-stream";

/// A page that opens a blob by its URL opens it as its own: what a stranger sends must not be a page or a drawing with
/// scripts. Pictures of points, sound and film can do nothing.
fn harmless(content_type: &str) -> &str {
    let pictures = ["avif", "bmp", "gif", "jpeg", "png", "webp"];
    let known = |kind: &str| pictures.contains(&kind);
    match content_type.split_once('/') {
        Some(("image", kind)) if known(kind) => content_type,
        Some(("audio" | "video", _)) => content_type,
        Some(_) | None => PLAIN,
    }
}
