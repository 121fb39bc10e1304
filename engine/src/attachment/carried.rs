//! The attachments of one message: which of them are kept, what is shown of them, and what a message without a text is
//! called after them. It knows neither messages nor where the files lie.

use std::fmt::Write as _;

use prost::Message as _;
use wire::limits::{ATTACHMENT_MAX, ATTACHMENTS_MAX, FILE_NAME_MAX};
use wire::proto::service::AttachmentPointer;

use super::pointer::{Details, Pointer, Style};
use crate::output::Attachment;

/// What may be kept of a message's attachments, as it is stored; and how many had to be left out. On a plain Signal
/// service they lie somewhere else, under names that mean nothing here: those are shown all the same.
pub(crate) fn kept(
    pointers: Vec<AttachmentPointer>,
    is_plain: bool,
) -> (Vec<AttachmentPointer>, usize) {
    let all = pointers.len();
    let usable = |pointer: AttachmentPointer| match Pointer::from_proto(&pointer) {
        Some(pointer) => Some(pointer.to_proto()),
        None if is_plain => elsewhere(pointer),
        None => None,
    };
    let kept: Vec<_> = pointers
        .into_iter()
        .take(ATTACHMENTS_MAX)
        .filter_map(usable)
        .collect();
    let left_out = all - kept.len();
    (kept, left_out)
}

/// One whose blob is not ours: as good as any other, but for its place.
fn elsewhere(pointer: AttachmentPointer) -> Option<AttachmentPointer> {
    let size = u64::from(pointer.size?);
    let is_right = pointer.key().len() == 64 && pointer.digest().len() == 32;
    (is_right && size <= ATTACHMENT_MAX).then_some(())?;
    let details = Details::of(&pointer).on(AttachmentPointer::default());
    let short = |name: &String| name.len() <= FILE_NAME_MAX;
    Some(AttachmentPointer {
        key: pointer.key,
        size: pointer.size,
        digest: pointer.digest,
        cdn_key: pointer.cdn_key.filter(short),
        ..details
    })
}

/// An attachment that was kept, as applications see it.
pub(crate) fn shown(pointer: &AttachmentPointer) -> Attachment {
    Attachment {
        size: pointer.size().into(),
        details: Details::of(pointer),
    }
}

/// What a message without a text says, where a text is wanted: the name of its file, or what it is.
pub(crate) fn called(attachments: &[Attachment]) -> &str {
    let Some(Attachment { details, .. }) = attachments.first() else {
        return "";
    };
    let kind = details.content_type.as_deref().unwrap_or_default();
    let kind = kind.split('/').next().unwrap_or_default();
    match (details.style, kind, details.file_name.as_deref()) {
        (Style::Voice, _, _) => "Voice message",
        (Style::Gif, _, _) => "GIF",
        (_, "image", _) => "Photo",
        (_, "video", _) => "Video",
        (_, _, Some(name)) => name,
        (_, _, None) => "File",
    }
}

impl Pointer {
    /// As a text, for an application to hold until it is sent. It holds the key.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from(TEXT_PREFIX);
        for byte in self.to_proto().encode_to_vec() {
            // Writing into a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Of such a text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(TEXT_PREFIX)?.as_bytes();
        let value = |digit: u8| char::from(digit).to_digit(16);
        let byte = |pair: &[u8]| match pair {
            [high, low] => u8::try_from(value(*high)? * 16 + value(*low)?).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        Self::from_proto(&AttachmentPointer::decode(bytes?.as_slice()).ok()?)
    }
}

const TEXT_PREFIX: &str = "attachment:";
