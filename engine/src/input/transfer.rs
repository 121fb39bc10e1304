//! What is asked about files on their way between a device and the relay. The bytes never come here: the host carries
//! them, with what it is told.

use wire::{BlobId, MessageId};

/// What an application wants with files.
#[derive(Clone, PartialEq, Eq)]
pub enum TransferCommand {
    /// Upload a file, or go on with that. Answer: `TransferReply::Upload`, once it is stored what the upload goes on with.
    BeginUpload(FileMark),
    /// An upload is done, or its file is another one now. Answer: `Reply::Done`.
    EndUpload {
        /// Which.
        blob: BlobId,
    },
    /// Answer: `TransferReply::Attachment`: what an attachment is fetched and read with.
    Attachment {
        /// Of which message.
        message: MessageId,
        /// Which of its attachments.
        index: usize,
    },
}

/// By what a file is known again.
#[derive(Clone, PartialEq, Eq)]
pub struct FileMark {
    /// Its name.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: u64,
}

/// Which files a person sends is not for logs.
impl std::fmt::Debug for TransferCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BeginUpload(_) => "BeginUpload",
            Self::EndUpload { .. } => "EndUpload",
            Self::Attachment { .. } => "Attachment",
        })
    }
}

impl std::fmt::Debug for FileMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileMark")
    }
}
