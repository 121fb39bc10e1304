//! Files that belong to messages, as JavaScript has them.
//! Taken apart field by field from the engine's, so a new field there is a compile error here.

use engine::attachment::{Details, Style};
use engine::output;
use js_sys::Function;
use serde::Serialize;
use tsify::{Tsify, declare};
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use crate::blobs;

/// What `Client.upload` made of a file, to be sent in a message. It may be stored until then. Whoever has it can read the
/// file, so it is a secret.
#[declare]
pub type Attachment = String;

/// How a file is shown: as its type says, as a message that was spoken, as a picture without a frame, as a short film that repeats.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum AttachmentStyle {
    /// As its type says.
    Plain,
    /// A message that was spoken.
    Voice,
    /// A picture without a frame.
    Borderless,
    /// A short film that repeats.
    Gif,
}

/// For `Client.upload`. What is said of the file goes into the message.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct UploadOptions {
    /// Default: the name of the file.
    #[tsify(optional)]
    pub file_name: Option<String>,
    /// Default: the type of the file.
    #[tsify(optional)]
    pub content_type: Option<String>,
    /// Of a picture or film.
    #[tsify(optional)]
    pub width: Option<f64>,
    /// Of a picture or film.
    #[tsify(optional)]
    pub height: Option<f64>,
    /// A blurred picture of it, in the characters of BlurHash.
    #[tsify(optional)]
    pub blur_hash: Option<String>,
    /// Default: "plain".
    #[tsify(optional)]
    pub style: Option<AttachmentStyle>,
    /// Called as it goes on.
    #[tsify(optional, type = "(progress: TransferProgress) => void")]
    pub on_progress: Option<Function>,
    /// Ends it.
    #[tsify(optional, type = "AbortSignal")]
    pub signal: Option<AbortSignal>,
}

/// For `Client.download`.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct DownloadOptions {
    /// Called as it goes on.
    #[tsify(optional, type = "(progress: TransferProgress) => void")]
    pub on_progress: Option<Function>,
    /// Ends it.
    #[tsify(optional, type = "AbortSignal")]
    pub signal: Option<AbortSignal>,
}

/// For `Client.exportArchive` and `Client.importArchive`.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveOptions {
    /// Called as it goes on, with counts of messages.
    #[tsify(optional, type = "(progress: TransferProgress) => void")]
    pub on_progress: Option<Function>,
}

/// What `Client.exportArchive` has made.
#[derive(Debug, Tsify)]
pub struct Archive {
    /// All messages, encrypted.
    #[tsify(type = "Blob")]
    pub file: JsValue,
    /// What it is read with, as text for a person to keep.
    pub key: String,
}

/// How far something is: of a file in bytes as they are sent, a little more than it has; of history in messages.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
pub struct TransferProgress {
    /// There.
    pub done: f64,
    /// In all.
    pub total: f64,
}

/// A file that belongs to a message, as its author describes it: good for showing, never for deciding what is run or opened.
/// `Client.download` fetches it by the message and its place here.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct MessageAttachment {
    /// Its place among the attachments of the message.
    pub index: u32,
    /// In bytes.
    pub size: f64,
    /// Media type, as "image/png".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Without folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Of a picture or film.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Of a picture or film.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// A blurred picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blur_hash: Option<String>,
    /// How it is shown.
    pub style: AttachmentStyle,
}

impl MessageAttachment {
    pub(super) fn new(index: usize, attachment: output::Attachment) -> Self {
        let output::Attachment { size, details } = attachment;
        let Details {
            content_type,
            file_name,
            dimensions,
            blur_hash,
            style,
        } = details;
        Self {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            size: number(size),
            content_type,
            file_name,
            width: dimensions.map(|(width, _)| width),
            height: dimensions.map(|(_, height)| height),
            blur_hash,
            style: style.into(),
        }
    }
}

impl TransferProgress {
    /// Of bytes or messages.
    pub(crate) const fn new(done: u64, total: u64) -> Self {
        Self {
            done: number(done),
            total: number(total),
        }
    }
}

impl From<blobs::Progress> for TransferProgress {
    fn from(blobs::Progress { done, total }: blobs::Progress) -> Self {
        Self::new(done, total)
    }
}

/// Attachments are far smaller than 2^53 bytes, and there are far fewer messages.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn number(count: u64) -> f64 {
    count as f64
}

impl From<Style> for AttachmentStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Plain => Self::Plain,
            Style::Voice => Self::Voice,
            Style::Borderless => Self::Borderless,
            Style::Gif => Self::Gif,
        }
    }
}

impl From<AttachmentStyle> for Style {
    fn from(style: AttachmentStyle) -> Self {
        match style {
            AttachmentStyle::Plain => Self::Plain,
            AttachmentStyle::Voice => Self::Voice,
            AttachmentStyle::Borderless => Self::Borderless,
            AttachmentStyle::Gif => Self::Gif,
        }
    }
}
