//! `Client`, what concerns files: a file becomes something to be sent in a message, and comes out of a message again.
//!
//! What an upload goes on with is stored by the engine before the first byte leaves; the bytes are carried by `blobs`. Which
//! faults mean what to a person is said here.

use std::rc::Rc;

use engine::attachment::{Details, Pointer};
use engine::input::{FileMark, TransferCommand};
use engine::output::TransferReply;
use engine::{Command, Refusal, Reply};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Blob};

use super::argument::index;
use super::client::{Client, settle, to_js};
use super::messages::named;
use super::types::{DownloadOptions, TransferProgress, UploadOptions};
use crate::blobs::{self, Access, Fault, Plan, Progress, Watch};
use crate::host::Host;

#[wasm_bindgen]
impl Client {
    /// Encrypts a file and puts it on the relay. Resolves to what is sent in a message. It outlives a lost connection; the same file,
    /// chosen again after the page was closed, goes on where it was.
    #[wasm_bindgen(unchecked_return_type = "Promise<Attachment>")]
    pub fn upload(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Blob")] file: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "UploadOptions")] options: &JsValue,
    ) -> Promise {
        let host = Rc::clone(self.host());
        let upload = UploadOptions::read(options).and_then(|options| Upload::new(file, options));
        settle(async move {
            let pointer = upload?.run(&host).await?;
            Ok(pointer.to_text().into())
        })
    }

    /// Fetches and decrypts a file of a message. Resolves when all of it is there and right. Its type is what the message says if that
    /// is harmless to open, else "application/octet-stream".
    #[wasm_bindgen(unchecked_return_type = "Promise<Blob>")]
    pub fn download(
        &self,
        #[wasm_bindgen(js_name = messageId, unchecked_param_type = "MessageId")] message: &JsValue,
        #[wasm_bindgen(js_name = index, unchecked_param_type = "number")] place: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "DownloadOptions")] options: &JsValue,
    ) -> Promise {
        let host = Rc::clone(self.host());
        let asked = named(message).and_then(|message| {
            let index = index(place, "index")?;
            let options = DownloadOptions::read(options)?;
            let command = TransferCommand::Attachment { message, index };
            Ok((self.host().ask(Command::Transfer(command)), options))
        });
        settle(async move {
            let (asked, options) = asked?;
            let Reply::Transfer(TransferReply::Attachment(pointer)) = asked.await? else {
                return Err(Refusal::Internal);
            };
            let DownloadOptions {
                on_progress,
                signal,
            } = options;
            let access = Access {
                relay: host.relay().clone(),
                authorization: None,
            };
            let tell = |progress: Progress| tell(on_progress.as_ref(), progress.into());
            let watch = watch(&tell, signal);
            let blob = blobs::download(&access, &pointer, &watch).await;
            Ok(blob.map_err(refusal)?.into())
        })
    }
}

/// An upload, as the page wants it.
struct Upload {
    file: Blob,
    mark: FileMark,
    details: Details,
    on_progress: Option<Function>,
    signal: Option<AbortSignal>,
}

impl Upload {
    fn new(value: &JsValue, options: UploadOptions) -> Result<Self, Refusal> {
        let refusal = Refusal::InvalidArgument("file");
        let file: Blob = value.clone().dyn_into().map_err(|_| refusal)?;
        let UploadOptions {
            file_name,
            content_type,
            width,
            height,
            blur_hash,
            style,
            on_progress,
            signal,
        } = options;
        let name = field(value, "name").and_then(|name| name.as_string());
        let modified = field(value, "lastModified").and_then(|modified| modified.as_f64());
        let mark = FileMark {
            name: name.clone().unwrap_or_default(),
            size: whole(file.size()),
            // What has no name and no time is not known again.
            modified: modified.map_or_else(|| crate::clock::now().0, whole),
        };
        let details = Details {
            content_type: content_type.or_else(|| Some(file.type_())),
            file_name: file_name.or(name),
            dimensions: width.map(pixels).zip(height.map(pixels)),
            blur_hash,
            style: style.map(Into::into).unwrap_or_default(),
        };
        Ok(Self {
            file,
            mark,
            details,
            on_progress,
            signal,
        })
    }

    /// With a plan that was begun before the file may have changed since, or the relay may have ended it: then it begins anew.
    async fn run(self, host: &Host) -> Result<Pointer, Refusal> {
        loop {
            let begin = TransferCommand::BeginUpload(self.mark.clone());
            let Reply::Transfer(TransferReply::Upload {
                plan,
                authorization,
                is_known,
            }) = host.ask(Command::Transfer(begin)).await?
            else {
                return Err(Refusal::Internal);
            };
            let access = Access {
                relay: host.relay().clone(),
                authorization: Some(authorization),
            };
            let tell = |progress: Progress| tell(self.on_progress.as_ref(), progress.into());
            let watch = watch(&tell, self.signal.clone());
            match blobs::upload(&access, &plan, &self.file, &watch).await {
                Ok(digest) => {
                    end(host, &plan).await?;
                    return Ok(plan.pointer(digest, self.details));
                }
                Err(Fault::Changed | Fault::Gone) if is_known => end(host, &plan).await?,
                Err(fault @ (Fault::Changed | Fault::Gone)) => {
                    end(host, &plan).await?;
                    return Err(refusal(fault));
                }
                Err(fault) => return Err(refusal(fault)),
            }
        }
    }
}

async fn end(host: &Host, plan: &Plan) -> Result<(), Refusal> {
    let command = TransferCommand::EndUpload { blob: plan.blob };
    host.ask(Command::Transfer(command)).await.map(drop)
}

fn watch<'a>(progress: &'a dyn Fn(Progress), abort: Option<AbortSignal>) -> Watch<'a> {
    Watch { progress, abort }
}

/// What a page's own function throws is the page's concern.
pub(super) fn tell(listener: Option<&Function>, progress: TransferProgress) {
    if let Some(listener) = listener
        && let Ok(progress) = to_js(&progress)
    {
        drop(listener.call1(&JsValue::UNDEFINED, &progress));
    }
}

fn field(value: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(value, &name.into()).ok()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stays within the range of the number"
)]
const fn whole(number: f64) -> u64 {
    number as u64
}

/// Nothing that is larger has ever been seen; what is less than one is left out.
fn pixels(number: f64) -> u32 {
    u32::try_from(whole(number)).unwrap_or_default()
}

/// What a fault of a transfer is to whoever asked for it.
pub(super) const fn refusal(fault: Fault) -> Refusal {
    match fault {
        Fault::Aborted => Refusal::Aborted,
        Fault::Lost => Refusal::Offline,
        Fault::SignedOut => Refusal::Unlinked,
        Fault::Changed => Refusal::AttachmentChanged,
        Fault::TooLarge => Refusal::AttachmentTooLarge,
        Fault::Quota { .. } => Refusal::AttachmentQuota,
        Fault::Gone => Refusal::AttachmentGone,
        Fault::Damaged => Refusal::AttachmentDamaged,
        Fault::Refused { .. } => Refusal::RelayProtocol,
        Fault::Browser => Refusal::Store(engine::StoreFault::Failed),
    }
}

/// Attachments that a page wants to send.
pub(super) fn pointers(texts: &[String]) -> Result<Vec<Pointer>, Refusal> {
    let refusal = Refusal::InvalidArgument("attachments");
    let read = |text: &String| Pointer::from_text(text).ok_or(refusal);
    texts.iter().map(read).collect()
}
