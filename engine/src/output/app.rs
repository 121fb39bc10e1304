//! What an application keeps in step between a person's devices, as it gets it back.
//! What it means is the application's business.

use wire::DeviceId;

/// Something the application keeps.
#[derive(Clone, PartialEq, Eq)]
pub enum AppValue {
    /// JSON, as text.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The answer to a command about application data.
#[derive(Clone, PartialEq, Eq)]
pub enum AppReply {
    /// A value, if there is one.
    Value(Option<AppValue>),
    /// Keys and values, by key.
    List(Vec<(String, AppValue)>),
    /// What a counter shows.
    Count(i64),
    /// The elements of a set, in order.
    Members(Vec<String>),
}

/// What there may be under a key. The three have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppKind {
    /// One value.
    Value,
    /// A sum of what all devices have added.
    Counter,
    /// A set of texts.
    Set,
}

/// Something that concerns application data.
#[derive(Clone, PartialEq, Eq)]
pub enum AppEvent {
    /// Something has another value, by this device or another.
    Changed {
        /// What.
        key: String,
        /// What it is.
        kind: AppKind,
    },
    /// The application on another own device says something, once.
    Message {
        /// On which.
        from: DeviceId,
        /// What.
        content: Vec<u8>,
    },
}

/// What applications keep is not for logs.
impl std::fmt::Debug for AppValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

impl std::fmt::Debug for AppReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => write!(f, "Value({value:?})"),
            Self::List(list) => write!(f, "List({} items)", list.len()),
            Self::Count(count) => write!(f, "Count({count})"),
            Self::Members(members) => write!(f, "Members({} elements)", members.len()),
        }
    }
}

impl std::fmt::Debug for AppEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed { kind, .. } => write!(f, "Changed({kind:?})"),
            Self::Message { from, content } => {
                write!(f, "Message(from {from}, {} bytes)", content.len())
            }
        }
    }
}
