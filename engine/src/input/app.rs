//! What an application keeps in step between a person's devices.
//! What it means is the application's business.

use crate::output::AppValue;

/// Something an application wants with its data. A key is a namespace, "/", and the rest.
#[derive(Clone, PartialEq, Eq)]
pub enum AppCommand {
    /// Keep a value. Answer: `Reply::Done`, once it is stored.
    Set {
        /// Under which key.
        key: String,
        /// What.
        value: AppValue,
    },
    /// Answer: `AppReply::Value`.
    Get {
        /// Which.
        key: String,
    },
    /// Remove a value. Answer: `Reply::Done`.
    Delete {
        /// Which.
        key: String,
    },
    /// Answer: `AppReply::List`.
    List {
        /// A namespace, "/", and how the rest begins.
        prefix: String,
    },
    /// Add to a counter. Answer: `Reply::Done`.
    Add {
        /// Which.
        key: String,
        /// How much, also less than 0.
        by: i64,
    },
    /// Answer: `AppReply::Count`.
    Count {
        /// Which.
        key: String,
    },
    /// Put something into a set, or take it out. Answer: `Reply::Done`.
    Include {
        /// Which set.
        key: String,
        /// What.
        element: String,
        /// In or out.
        is_member: bool,
    },
    /// Answer: `AppReply::Members`.
    Members {
        /// Which set.
        key: String,
    },
    /// Tell the application on own other devices something, once. Answer: `Reply::Done`.
    Send {
        /// At most 32 KiB.
        content: Vec<u8>,
    },
}

/// What applications keep is not for logs.
impl std::fmt::Debug for AppCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppCommand")
    }
}
