//! Application data: values, counters and sets, each made of registers, so that the one rule is enough for them.
//!
//! A value is one register. A counter is one for each device (and incarnation), which only that device writes, and what
//! is read is their sum. A set is one for each element. How much a namespace holds is counted beside it.

use std::fmt;

use super::space::{self, APP, Place};
use super::{Register, value};
use crate::error::{Error, Refusal};
use crate::limits::{
    APP_ELEMENT_MAX, APP_ITEM_MAX, APP_ITEMS_MAX, APP_KEY_MAX, APP_LIST_MAX,
    APP_NAMESPACE_CHARS_MAX, APP_NAMESPACE_MAX, APP_NAMESPACES_MAX,
};
use crate::output::{AppKind, AppValue};
use crate::record::{Record, RegisterRecord, UsageRecord, key};
use crate::store::{Scan, Table};
use crate::tx::Tx;
use wire::DeviceAddress;

/// First byte of a name: what it is of.
const ITEM: u8 = b'v';
const COUNTER: u8 = b'c';
const SET: u8 = b's';
/// First byte of a value.
const JSON: u8 = 0;
const BYTES: u8 = 1;

/// What an application calls something: a namespace, "/", and the rest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    namespace: String,
    rest: String,
    pub(crate) kind: AppKind,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.rest)
    }
}

impl Key {
    /// A key, if it is one.
    pub(crate) fn parse(key: &str, kind: AppKind) -> Result<Self, Refusal> {
        let parsed = Self::parse_prefix(key, kind)?;
        if parsed.rest.is_empty() {
            return Err(Refusal::AppKeyInvalid);
        }
        Ok(parsed)
    }

    /// The beginning of keys: a namespace, "/", and perhaps more.
    pub(crate) fn parse_prefix(key: &str, kind: AppKind) -> Result<Self, Refusal> {
        let (namespace, rest) = key.split_once('/').ok_or(Refusal::AppKeyInvalid)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let namespace_fits = (1..=APP_NAMESPACE_CHARS_MAX).contains(&namespace.len());
        let fits = namespace_fits && rest.len() <= APP_KEY_MAX;
        if !fits || !namespace.chars().all(is_plain) || rest.contains('\0') {
            return Err(Refusal::AppKeyInvalid);
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            rest: rest.to_owned(),
            kind,
        })
    }

    /// The key that a register belongs to; `None` if it is of a newer version.
    pub(super) fn of_name(namespace: String, name: &[u8]) -> Option<Self> {
        let (kind, rest) = name.split_first()?;
        let kind = match *kind {
            ITEM => AppKind::Value,
            COUNTER => AppKind::Counter,
            SET => AppKind::Set,
            _ => return None,
        };
        let rest = match kind {
            AppKind::Value => rest,
            AppKind::Counter | AppKind::Set => rest.split(|byte| *byte == 0).next()?,
        };
        Some(Self {
            namespace,
            rest: std::str::from_utf8(rest).ok()?.to_owned(),
            kind,
        })
    }

    fn space(&self) -> String {
        [APP, &self.namespace].concat()
    }

    /// The name of its register, or where the names of its registers begin.
    fn name(&self) -> Vec<u8> {
        let kind = match self.kind {
            AppKind::Value => ITEM,
            AppKind::Counter => COUNTER,
            AppKind::Set => SET,
        };
        let mut name = [&[kind], self.rest.as_bytes()].concat();
        if self.kind != AppKind::Value {
            name.push(0);
        }
        name
    }

    /// Where a value is.
    pub(crate) fn place(&self) -> Place {
        Place::new(&self.space(), self.name())
    }

    /// Where a device counts.
    pub(crate) fn place_of_device(&self, device: DeviceAddress, epoch: u32) -> Place {
        let mut name = self.name();
        name.push(device.device.get());
        name.extend(epoch.to_be_bytes());
        Place::new(&self.space(), name)
    }

    /// Where an element is, if it can be one.
    pub(crate) fn place_of_element(&self, element: &str) -> Result<Place, Refusal> {
        if element.is_empty() || element.len() > APP_ELEMENT_MAX {
            return Err(Refusal::InvalidArgument("element"));
        }
        let name = [self.name().as_slice(), element.as_bytes()].concat();
        Ok(Place::new(&self.space(), name))
    }

    /// All that is there below it: what its name is longer by, and the value.
    async fn below(&self, tx: &mut Tx<'_>) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error> {
        let prefix = self.place().key();
        let all = space::all_in(Table::Registers, &prefix, APP_LIST_MAX);
        let mut found = Vec::new();
        for (at, bytes) in tx.scan(all).await? {
            let register = Register::read(&RegisterRecord::read(&bytes)?);
            if let (Some(rest), Some(value)) = (at.get(prefix.len()..), register.value) {
                found.push((rest.to_vec(), value));
            }
        }
        Ok(found)
    }

    /// The value.
    pub(crate) async fn get(&self, tx: &mut Tx<'_>) -> Result<Option<AppValue>, Error> {
        Ok(value(tx, &self.place()).await?.and_then(read_value))
    }

    /// The values whose keys begin so, by key.
    pub(crate) async fn list(&self, tx: &mut Tx<'_>) -> Result<Vec<(String, AppValue)>, Error> {
        let found = self.below(tx).await?.into_iter();
        Ok(found
            .filter_map(|(rest, value)| {
                let rest = String::from_utf8(rest).ok()?;
                Some((format!("{self}{rest}"), read_value(value)?))
            })
            .collect())
    }

    /// What all devices have counted together.
    pub(crate) async fn sum(&self, tx: &mut Tx<'_>) -> Result<i64, Error> {
        let found = self.below(tx).await?;
        let counts = found.iter().filter_map(|(_, value)| read_count(value));
        Ok(counts.fold(0, i64::saturating_add))
    }

    /// The elements, in order.
    pub(crate) async fn members(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
        let found = self.below(tx).await?.into_iter();
        Ok(found
            .filter_map(|(rest, _)| String::from_utf8(rest).ok())
            .collect())
    }
}

/// A value as it is stored.
pub(crate) fn value_bytes(value: &AppValue) -> Vec<u8> {
    match value {
        AppValue::Json(text) => [&[JSON], text.as_bytes()].concat(),
        AppValue::Bytes(bytes) => [&[BYTES], bytes.as_slice()].concat(),
    }
}

fn read_value(mut bytes: Vec<u8>) -> Option<AppValue> {
    let (kind, _) = bytes.split_first()?;
    match *kind {
        JSON => Some(AppValue::Json(String::from_utf8(bytes.split_off(1)).ok()?)),
        BYTES => Some(AppValue::Bytes(bytes.split_off(1))),
        _ => None,
    }
}

/// What a device has counted. Only that device writes it, so it never stands against another value.
pub(crate) fn count_bytes(count: i64) -> Vec<u8> {
    count.to_be_bytes().to_vec()
}

pub(crate) fn read_count(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

/// Whether a namespace has room for this, so that the device may write it. What other devices write is taken
/// in any case: refused here and taken there, it would never be the same.
pub(crate) async fn room(
    tx: &mut Tx<'_>,
    place: &Place,
    value: &[u8],
) -> Result<Result<(), Refusal>, Error> {
    let size = place.name.len().saturating_add(value.len());
    if size > APP_ITEM_MAX {
        return Ok(Err(Refusal::AppItemTooLarge));
    }
    let Some(at) = usage_key(place) else {
        return Ok(Err(Refusal::AppKeyInvalid));
    };
    let Some(usage) = tx.get::<UsageRecord>(&at).await? else {
        let prefix = key::usage("");
        let all = Scan::prefix(Table::Meta, &prefix, APP_NAMESPACES_MAX);
        let full = tx.scan(all).await?.len() >= APP_NAMESPACES_MAX;
        return Ok(if full { Err(Refusal::AppFull) } else { Ok(()) });
    };
    let known = super::read(tx, place).await?;
    let before = known.as_ref().map_or(0, |known| size_of(place, known));
    let bytes = usage.bytes.saturating_sub(before) + size as u64;
    let items = usage.items + u64::from(known.is_none());
    let full = bytes > APP_NAMESPACE_MAX || items > APP_ITEMS_MAX;
    Ok(if full { Err(Refusal::AppFull) } else { Ok(()) })
}

/// Counts what a change of a register does to its namespace.
pub(super) async fn count(
    tx: &mut Tx<'_>,
    place: &Place,
    before: Option<&Register>,
    after: Option<&Register>,
) -> Result<(), Error> {
    let Some(at) = usage_key(place) else {
        return Ok(());
    };
    let mut usage = tx.get::<UsageRecord>(&at).await?.unwrap_or_default();
    if let Some(before) = before {
        usage.items = usage.items.saturating_sub(1);
        usage.bytes = usage.bytes.saturating_sub(size_of(place, before));
    }
    if let Some(after) = after {
        usage.items += 1;
        usage.bytes += size_of(place, after);
    }
    if usage.items == 0 {
        tx.delete(Table::Meta, &at);
    } else {
        tx.put(&at, &usage);
    }
    Ok(())
}

fn usage_key(place: &Place) -> Option<Vec<u8>> {
    Some(key::usage(place.space.strip_prefix(APP)?))
}

/// What is removed takes room too, until it is forgotten.
fn size_of(place: &Place, register: &Register) -> u64 {
    let value = register.value.as_ref().map_or(0, Vec::len);
    place.name.len().saturating_add(value) as u64
}
