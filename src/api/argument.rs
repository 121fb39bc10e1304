//! Arguments as a page passes them, read without trusting them.
//!
//! Anything may come: another type, an object whose getters throw, a proxy. Reading goes only through calls whose
//! exceptions are caught (an exception that crossed this module would leave it half-way), and a value that
//! does not fit is refused under its name.

use engine::Refusal;
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wire::limits::ATTACHMENTS_MAX;

use super::staff::StaffOptions;
use super::types::{
    ApproveOptions, ArchiveOptions, AttachmentStyle, Content, DownloadOptions, EditOptions,
    History, HistoryOptions, LinkOptions, MessagesOptions, OpenOptions, RegisterOptions,
    RemoveOptions, SearchOptions, UnlinkOptions, UploadOptions, WaitOptions,
};

/// A text.
pub(super) fn text(value: &JsValue, name: &'static str) -> Result<String, Refusal> {
    value.as_string().ok_or(Refusal::InvalidArgument(name))
}

/// A text, or none: missing, `undefined` and `null` are the same.
pub(super) fn optional_text(
    value: &JsValue,
    name: &'static str,
) -> Result<Option<String>, Refusal> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    text(value, name).map(Some)
}

/// Yes or no.
pub(super) fn flag(value: &JsValue, name: &'static str) -> Result<bool, Refusal> {
    value.as_bool().ok_or(Refusal::InvalidArgument(name))
}

/// Messages of one page, unless asked otherwise, and at most.
pub(super) const PAGE: f64 = 50.0;
const PAGE_MAX: f64 = 500.0;

/// How many of something, as a page has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 1 to 500"
)]
pub(super) fn page_limit(limit: f64, name: &'static str) -> Result<usize, Refusal> {
    if limit.fract() == 0.0 && (1.0..=PAGE_MAX).contains(&limit) {
        Ok(limit as usize)
    } else {
        Err(Refusal::InvalidArgument(name))
    }
}

/// The number of a device.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 0 to 255"
)]
pub(super) fn device_id(value: &JsValue, name: &'static str) -> Result<wire::DeviceId, Refusal> {
    let refusal = Refusal::InvalidArgument(name);
    let number = value.as_f64().ok_or(refusal)?;
    if number.fract() != 0.0 || !(0.0..=255.0).contains(&number) {
        return Err(refusal);
    }
    wire::DeviceId::try_from(number as u32).map_err(|_| refusal)
}

/// A place in a list.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 0 to 1000"
)]
pub(super) fn index(value: &JsValue, name: &'static str) -> Result<usize, Refusal> {
    let number = value.as_f64().unwrap_or(f64::NAN);
    let is_place = number.fract() == 0.0 && (0.0..=1000.0).contains(&number);
    is_place
        .then_some(number as usize)
        .ok_or(Refusal::InvalidArgument(name))
}

/// An object and its fields. Missing, `undefined` and `null` are the same.
pub(super) struct Fields<'a>(Option<&'a JsValue>);

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a JsValue, name: &'static str) -> Result<Self, Refusal> {
        if value.is_object() {
            Ok(Self(Some(value)))
        } else {
            Err(Refusal::InvalidArgument(name))
        }
    }

    fn of_optional(value: &'a JsValue, name: &'static str) -> Result<Self, Refusal> {
        if value.is_undefined() || value.is_null() {
            Ok(Self(None))
        } else {
            Self::of(value, name)
        }
    }

    pub(super) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&JsValue) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        Ok(self.nullable(name, read)?.flatten())
    }

    /// Where `null` says something: none is not the same as missing.
    pub(super) fn nullable<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&JsValue) -> Option<T>,
    ) -> Result<Option<Option<T>>, Refusal> {
        let refusal = Refusal::InvalidArgument(name);
        let Some(object) = self.0 else {
            return Ok(None);
        };
        let value = Reflect::get(object, &name.into()).map_err(|_thrown| refusal)?;
        if value.is_undefined() {
            return Ok(None);
        }
        if value.is_null() {
            return Ok(Some(None));
        }
        read(&value).map(|read| Some(Some(read))).ok_or(refusal)
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<String>, Refusal> {
        self.optional(name, JsValue::as_string)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<String, Refusal> {
        self.optional_text(name)?
            .ok_or(Refusal::InvalidArgument(name))
    }
}

impl OpenOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "options")?;
        Ok(Self {
            relay: fields.text("relay")?,
            store: fields.text("store")?,
        })
    }
}

impl RegisterOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "options")?;
        Ok(Self {
            handle: fields.text("handle")?,
            credential: fields.optional_text("credential")?,
            device_name: fields.text("deviceName")?,
            anew: fields.optional("anew", JsValue::as_bool)?,
        })
    }
}

impl WaitOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            signal: fields.optional("signal", as_a)?,
        })
    }
}

impl LinkOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "options")?;
        Ok(Self {
            handle: fields.optional_text("handle")?,
            credential: fields.optional_text("credential")?,
            device_name: fields.text("deviceName")?,
        })
    }
}

impl MessagesOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            before: fields.optional_text("before")?,
            after: fields.optional_text("after")?,
            limit: fields.optional("limit", JsValue::as_f64)?,
        })
    }
}

impl SearchOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            conversation: fields.optional_text("conversation")?,
            before: fields.optional_text("before")?,
            limit: fields.optional("limit", JsValue::as_f64)?,
            signal: fields.optional("signal", as_a)?,
        })
    }
}

/// What a page subscribes to, and how many messages at first.
pub(super) enum Subscribed {
    Messages {
        conversation: String,
        limit: Option<f64>,
    },
    Conversations,
    Contacts,
}

impl Subscribed {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        match value.as_string().as_deref() {
            Some("conversations") => return Ok(Self::Conversations),
            Some("contacts") => return Ok(Self::Contacts),
            Some(_) => return Err(Refusal::InvalidArgument("query")),
            None => {}
        }
        let fields = Fields::of(value, "query")?;
        Ok(Self::Messages {
            conversation: fields.text("messages")?,
            limit: fields.optional("limit", JsValue::as_f64)?,
        })
    }
}

impl Content {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "content")?;
        let attachments = fields.optional("attachments", texts)?.unwrap_or_default();
        let text = fields.optional_text("text")?;
        if text.is_none() && attachments.is_empty() {
            return Err(Refusal::InvalidArgument("text"));
        }
        Ok(Self {
            text,
            quote: fields.optional_text("quote")?,
            attachments,
        })
    }
}

impl HistoryOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            days: fields.optional("days", days)?,
            conversations: fields.optional("conversations", names)?,
        })
    }
}

/// "none", "all", or of so many days.
fn history(value: &JsValue) -> Option<History> {
    match value.as_string().as_deref() {
        Some("none") => Some(History::None),
        Some("all") => Some(History::All),
        Some(_) => None,
        None => Some(History::Days(days(
            &Reflect::get(value, &"days".into()).ok()?,
        )?)),
    }
}

/// A whole number of days, a hundred years at most.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 1 to 36,500"
)]
fn days(value: &JsValue) -> Option<u32> {
    let days = value.as_f64()?;
    (days.fract() == 0.0 && (1.0..=36_500.0).contains(&days)).then_some(days as u32)
}

/// Names of conversations.
pub(super) fn names(value: &JsValue) -> Option<Vec<String>> {
    list(value, 10_000)
}

/// What a message may carry.
fn texts(value: &JsValue) -> Option<Vec<String>> {
    list(value, u32::try_from(ATTACHMENTS_MAX).ok()?)
}

/// An array of texts, not longer than that.
fn list(value: &JsValue, most: u32) -> Option<Vec<String>> {
    let list = value.dyn_ref::<Array>()?;
    let item = |at| Reflect::get_u32(list, at).ok()?.as_string();
    (list.length() <= most).then(|| (0..list.length()).map(item).collect())?
}

impl UploadOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        let style = |value: &JsValue| {
            Some(match value.as_string()?.as_str() {
                "plain" => AttachmentStyle::Plain,
                "voice" => AttachmentStyle::Voice,
                "borderless" => AttachmentStyle::Borderless,
                "gif" => AttachmentStyle::Gif,
                _ => return None,
            })
        };
        Ok(Self {
            file_name: fields.optional_text("fileName")?,
            content_type: fields.optional_text("contentType")?,
            width: fields.optional("width", JsValue::as_f64)?,
            height: fields.optional("height", JsValue::as_f64)?,
            blur_hash: fields.optional_text("blurHash")?,
            style: fields.optional("style", style)?,
            on_progress: fields.optional("onProgress", as_a)?,
            signal: fields.optional("signal", as_a)?,
        })
    }
}

impl DownloadOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            on_progress: fields.optional("onProgress", as_a)?,
            signal: fields.optional("signal", as_a)?,
        })
    }
}

impl ArchiveOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            on_progress: fields.optional("onProgress", as_a)?,
        })
    }
}

/// An object of a certain kind.
fn as_a<T: JsCast + Clone>(value: &JsValue) -> Option<T> {
    value.dyn_ref::<T>().cloned()
}

impl EditOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        Ok(Self {
            text: Fields::of(value, "options")?.text("text")?,
        })
    }
}

impl RemoveOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            everyone: fields.optional("everyone", JsValue::as_bool)?,
        })
    }
}

impl UnlinkOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        Ok(Self {
            lost: fields.optional("lost", JsValue::as_bool)?.unwrap_or(false),
        })
    }
}

impl ApproveOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of_optional(value, "options")?;
        let staff = fields.optional("staff", |staff| Some(StaffOptions::read(staff)))?;
        Ok(Self {
            role: fields.optional_text("role")?,
            history: fields.optional("history", history)?,
            conversations: fields.optional("conversations", names)?,
            staff: staff.transpose()?,
        })
    }
}
