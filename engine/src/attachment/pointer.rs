//! What a message says about an attachment: where its blob is, how it is read, and what it claims to be.
//!
//! Names, types and sizes of pictures are the sender's claims: good for showing, never for deciding what is run or
//! opened. What is there but unusable is left out; without blob, key, digest or size there is no attachment.

use wire::BlobId;
use wire::limits::{ATTACHMENT_MAX, CONTENT_TYPE_MAX, FILE_NAME_MAX};
use wire::proto::service::AttachmentPointer;
use wire::proto::service::attachment_pointer::Flags;

use super::AttachmentKey;

/// An attachment in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Where it is.
    pub blob: BlobId,
    /// What it is read with.
    pub key: AttachmentKey,
    /// SHA-256 of the blob.
    pub digest: [u8; 32],
    /// Of the content, in bytes.
    pub size: u64,
    /// What it claims to be.
    pub details: Details,
}

/// What an attachment claims to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Media type, as `image/png`.
    pub content_type: Option<String>,
    /// Name of the file, without folders.
    pub file_name: Option<String>,
    /// Width and height of a picture or film.
    pub dimensions: Option<(u32, u32)>,
    /// A blurred picture of it, in the characters of `BlurHash`.
    pub blur_hash: Option<String>,
    /// How it is shown.
    pub style: Style,
}

/// How an attachment is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As its type says.
    #[default]
    Plain,
    /// A message that was spoken.
    Voice,
    /// A picture without a frame.
    Borderless,
    /// A short film that repeats.
    Gif,
}

impl Pointer {
    /// As it stands in a message. What would be refused there is left out or cut.
    #[must_use]
    pub fn to_proto(&self) -> AttachmentPointer {
        let Self {
            blob,
            key,
            digest,
            size,
            details,
        } = self;
        details.clone().usable().on(AttachmentPointer {
            key: Some(key.as_bytes().to_vec()),
            size: u32::try_from(*size).ok(),
            digest: Some(digest.to_vec()),
            cdn_key: Some(blob.to_string()),
            ..AttachmentPointer::default()
        })
    }

    /// Of a message. None if it can't be fetched or read, whatever it is.
    #[must_use]
    pub fn from_proto(proto: &AttachmentPointer) -> Option<Self> {
        let size = u64::from(proto.size?);
        Some(Self {
            blob: proto.cdn_key().parse().ok()?,
            key: AttachmentKey::from_bytes(proto.key().try_into().ok()?),
            digest: proto.digest().try_into().ok()?,
            size: (size <= ATTACHMENT_MAX).then_some(size)?,
            details: Details::of(proto),
        })
    }
}

impl Details {
    /// What a pointer in a message claims.
    pub(super) fn of(proto: &AttachmentPointer) -> Self {
        Self {
            content_type: proto.content_type.clone(),
            file_name: proto.file_name.clone(),
            dimensions: proto.width.zip(proto.height),
            blur_hash: proto.blur_hash.clone(),
            style: Style::of(proto.flags()),
        }
        .usable()
    }

    /// The pointer, with these claims.
    pub(super) fn on(self, proto: AttachmentPointer) -> AttachmentPointer {
        let Self {
            content_type,
            file_name,
            dimensions,
            blur_hash,
            style,
        } = self;
        AttachmentPointer {
            content_type,
            file_name,
            flags: style.flag().map(|flag| flag as u32),
            width: dimensions.map(|(width, _)| width),
            height: dimensions.map(|(_, height)| height),
            blur_hash,
            ..proto
        }
    }

    fn usable(self) -> Self {
        let Self {
            content_type,
            file_name,
            dimensions,
            blur_hash,
            style,
        } = self;
        let short = |text: &String| (1..=CONTENT_TYPE_MAX).contains(&text.len());
        let plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
        Self {
            content_type: content_type.filter(short).filter(plain),
            file_name: file_name
                .map(|name| base_name(&name))
                .filter(|n| !n.is_empty()),
            dimensions: dimensions.filter(|(width, height)| *width > 0 && *height > 0),
            blur_hash: blur_hash.filter(short).filter(plain),
            style,
        }
    }
}

impl Style {
    const fn flag(self) -> Option<Flags> {
        match self {
            Self::Plain => None,
            Self::Voice => Some(Flags::VoiceMessage),
            Self::Borderless => Some(Flags::Borderless),
            Self::Gif => Some(Flags::Gif),
        }
    }

    fn of(flags: u32) -> Self {
        let styles = [Self::Voice, Self::Borderless, Self::Gif];
        let set = |style: &Self| style.flag().is_some_and(|flag| flags & flag as u32 != 0);
        styles.into_iter().find(set).unwrap_or_default()
    }
}

/// Without folders, control characters and marks that turn the direction of text, which can hide what a file is.
fn base_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut name: String = name
        .chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .collect();
    name.truncate(name.floor_char_boundary(FILE_NAME_MAX));
    name
}
