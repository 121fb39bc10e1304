//! A file becomes a blob. The relay says how far it is; the file is encrypted from its beginning, and what the relay has already
//! is left out. So nothing has to be remembered but the plan, and a slice whose fate is unknown is never sent blindly.

use engine::attachment::{Encryptor, NotAsDeclared, Rest, blob_size};
use web_sys::Blob;
use wire::blob::{BeginBlob, BlobProgress, CompleteBlob, UPLOAD_OFFSET};
use wire::body::{Base64, from_json, to_json};
use wire::limits::ATTACHMENT_MAX;

use super::http::{Broken, Http, Patience, Request};
use super::{Access, Fault, Plan, Progress, SLICE, Watch, browser, bytes};

/// Times that a relay may lose what it had before it is not believed any more.
const PASSES_MAX: u32 = 4;

/// Uploads a file, or goes on with it, and gives the digest of the blob once it is durable at the relay.
///
/// # Errors
/// Why not; after [`Fault::Lost`] and [`Fault::Quota`] the same plan may go on.
pub async fn upload(
    access: &Access,
    plan: &Plan,
    file: &Blob,
    watch: &Watch<'_>,
) -> Result<[u8; 32], Fault> {
    // Before the relay hears of it: what is begun counts.
    if plan.size > ATTACHMENT_MAX {
        return Err(Fault::TooLarge);
    }
    let path = plan.blob.path();
    let upload = Upload {
        http: Http::new(access, watch),
        path: &path,
        plan,
        file,
        watch,
    };
    if length(file) != plan.size {
        return Err(Fault::Changed);
    }
    for _ in 0..PASSES_MAX {
        let offset = upload.begin().await?;
        if let Some(digest) = upload.pass(offset).await? {
            return Ok(digest);
        }
    }
    Err(Fault::Lost)
}

/// The relay has less than it said.
const INCOMPLETE: &str = "blob_incomplete";
/// It was completed before, with other content.
const OTHER: &str = "blob_complete";

struct Upload<'a> {
    http: Http<'a>,
    path: &'a str,
    plan: &'a Plan,
    file: &'a Blob,
    watch: &'a Watch<'a>,
}

impl Upload<'_> {
    /// How far the relay is.
    async fn begin(&self) -> Result<u64, Fault> {
        let size = blob_size(self.plan.size);
        let body = to_json(&BeginBlob { size });
        let answer = self
            .http
            .ask(&self.request("PUT", &[], &body), &[200], &[])
            .await?;
        let progress: BlobProgress =
            from_json(&answer.body).map_err(|_| Fault::Refused { status: 200 })?;
        Ok(if progress.complete {
            size
        } else {
            progress.offset
        })
    }

    /// Encrypts all and sends what is behind `offset`. None if the relay has less than it said.
    async fn pass(&self, mut offset: u64) -> Result<Option<[u8; 32]>, Fault> {
        let total = blob_size(self.plan.size);
        let mut source = Source::new(self.plan, self.file)?;
        let mut at = 0;
        let digest = loop {
            let (piece, digest) = source.next().await?;
            let end = at + piece.len() as u64;
            if self.http.is_aborted() {
                return Err(Fault::Aborted);
            }
            if end > offset {
                let known = usize::try_from(offset - at).unwrap_or_default();
                let unsent = piece.get(known..).unwrap_or_default();
                match self.send(offset, unsent).await? {
                    Sent::Until(there) => offset = there,
                    Sent::LessThanBefore => return Ok(None),
                }
                let done = offset.min(total);
                (self.watch.progress)(Progress { done, total });
            }
            at = end;
            if let Some(digest) = digest {
                break digest;
            }
        };
        let sha256 = Base64(digest.to_vec());
        let body = to_json(&CompleteBlob { sha256 });
        let request = self.request("POST", &[], &body);
        let answer = self
            .http
            .ask(&request, &[204], &[INCOMPLETE, OTHER])
            .await?;
        match answer.code().as_deref() {
            Some(OTHER) => Err(Fault::Changed),
            Some(_) => Ok(None),
            None => Ok(Some(digest)),
        }
    }

    /// Sends a slice that begins at `at`.
    async fn send(&self, at: u64, slice: &[u8]) -> Result<Sent, Fault> {
        let end = at + slice.len() as u64;
        let mut from = at;
        let mut patience = Patience::default();
        loop {
            let known = usize::try_from(from - at).unwrap_or_default();
            let offset = [(UPLOAD_OFFSET, from.to_string())];
            let unsent = slice.get(known..).unwrap_or_default();
            let wait_s = match self
                .http
                .once(&self.request("PATCH", &offset, unsent))
                .await
            {
                Ok(answer) if answer.status == 200 => return Ok(Sent::Until(end)),
                Ok(answer) => answer.refusal()?,
                Err(Broken::Lost) => None,
                Err(Broken::Aborted) => return Err(Fault::Aborted),
            };
            patience.wait(&self.http, wait_s).await?;
            let there = self.begin().await?;
            if there >= end {
                return Ok(Sent::Until(there));
            }
            if there < at {
                return Ok(Sent::LessThanBefore);
            }
            if there > from {
                patience.renew();
            }
            from = there;
        }
    }

    fn request<'r>(
        &'r self,
        verb: &'static str,
        headers: &'r [(&'static str, String)],
        body: &'r [u8],
    ) -> Request<'r> {
        Request {
            verb,
            path: self.path,
            headers,
            body: Some(body),
        }
    }
}

enum Sent {
    /// The relay has it up to here.
    Until(u64),
    /// The relay was set back: what it wants is not at hand any more.
    LessThanBefore,
}

/// The blob, a slice at a time.
struct Source<'a> {
    file: &'a Blob,
    size: u64,
    read: u64,
    encryptor: Option<Box<Encryptor>>,
}

impl<'a> Source<'a> {
    fn new(plan: &Plan, file: &'a Blob) -> Result<Self, Fault> {
        let encryptor = Encryptor::new(&plan.key, plan.iv, plan.size);
        Ok(Self {
            file,
            size: plan.size,
            read: 0,
            encryptor: Some(Box::new(encryptor.map_err(|_| Fault::TooLarge)?)),
        })
    }

    /// The next piece, and with the last one the digest of all.
    async fn next(&mut self) -> Result<(Vec<u8>, Option<[u8; 32]>), Fault> {
        let changed = |NotAsDeclared| Fault::Changed;
        let mut encryptor = self.encryptor.take().ok_or(Fault::Browser)?;
        let mut piece = Vec::new();
        if self.read < self.size {
            let end = self.size.min(self.read + SLICE);
            let part = self
                .file
                .slice_with_f64_and_f64(float(self.read), float(end))
                .map_err(browser)?;
            // A file that was changed or deleted since it was chosen can't be read.
            let content = bytes(part.array_buffer()).await;
            let content = content.map_err(|_| Fault::Changed)?;
            if content.len() as u64 != end - self.read {
                return Err(Fault::Changed);
            }
            encryptor.add(&content, &mut piece).map_err(changed)?;
            self.read = end;
            self.encryptor = Some(encryptor);
            return Ok((piece, None));
        }
        match encryptor.rest(&mut piece).map_err(changed)? {
            Rest::More(encryptor) => {
                self.encryptor = Some(encryptor);
                Ok((piece, None))
            }
            Rest::Done(digest) => Ok((piece, Some(digest))),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of files are whole numbers"
)]
fn length(file: &Blob) -> u64 {
    file.size() as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "attachments are far smaller than 2^53 bytes"
)]
const fn float(place: u64) -> f64 {
    place as f64
}
