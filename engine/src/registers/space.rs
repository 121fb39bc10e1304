//! The names of registers: which spaces there are, and how a field of a person or conversation is called.
//! Spaces that are not here are those of a newer version: they are stored and passed on. All of this is on the
//! wire and on disk, so nothing here changes once released.

use wire::AccountId;

use crate::limits::{REGISTER_NAME_MAX, REGISTER_SPACE_MAX, REGISTER_VALUE_MAX};
use crate::store::{Scan, Table};

/// How this person's devices behave.
pub(crate) const SETTINGS: &str = "settings";
/// What this person says of themself.
pub(crate) const PROFILE: &str = "profile";
/// Fields of people.
pub(crate) const PERSON: &str = "person";
/// Fields of conversations.
pub(crate) const CONVERSATION: &str = "conversation";
/// Whom owners have let read or answer for this person, by the epoch of the certificate (see `staff`). Only owners write it.
pub(crate) const STAFF: &str = "staff";
/// Before the namespace of application data.
pub(crate) const APP: &str = "app/";

/// Where a register is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) space: String,
    pub(crate) name: Vec<u8>,
}

/// What an account or conversation has a register for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// How this person calls them.
    Petname,
    /// Nothing of theirs is shown.
    Blocked,
    /// Whether a stranger may go on writing.
    Request,
    /// Their key was compared.
    Verified,
    MutedUntil,
    Archived,
    Pinned,
    Draft,
    MarkedUnread,
    /// No staff of either person is to read it.
    WithoutStaff,
    /// Which of the other person's staff this one has taken note of: the highest epoch.
    StaffSeen,
}

impl Field {
    const ALL: [Self; 11] = [
        Self::Petname,
        Self::Blocked,
        Self::Request,
        Self::Verified,
        Self::MutedUntil,
        Self::Archived,
        Self::Pinned,
        Self::Draft,
        Self::MarkedUnread,
        Self::WithoutStaff,
        Self::StaffSeen,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Petname => "petname",
            Self::Blocked => "blocked",
            Self::Request => "request",
            Self::Verified => "verified",
            Self::MutedUntil => "mutedUntil",
            Self::Archived => "archived",
            Self::Pinned => "pinned",
            Self::Draft => "draft",
            Self::MarkedUnread => "markedUnread",
            Self::WithoutStaff => "withoutStaff",
            Self::StaffSeen => "staffSeen",
        }
    }

    const fn space(self) -> &'static str {
        match self {
            Self::Petname | Self::Blocked | Self::Request | Self::Verified => PERSON,
            Self::MutedUntil
            | Self::Archived
            | Self::Pinned
            | Self::Draft
            | Self::MarkedUnread
            | Self::WithoutStaff
            | Self::StaffSeen => CONVERSATION,
        }
    }
}

/// What a place means.
pub(crate) enum Meaning {
    Settings,
    Profile,
    Staff,
    Of(AccountId, Field),
    /// In this namespace, by this name.
    App(String, Vec<u8>),
    /// To a newer version.
    Unknown,
}

impl Place {
    pub(crate) fn new(space: &str, name: impl Into<Vec<u8>>) -> Self {
        Self {
            space: space.to_owned(),
            name: name.into(),
        }
    }

    /// A field of an account.
    pub(crate) fn of(account: AccountId, field: Field) -> Self {
        let name = [account.as_bytes().as_slice(), field.word().as_bytes()].concat();
        Self::new(field.space(), name)
    }

    /// Where it is stored: space, 0, name.
    pub(crate) fn key(&self) -> Vec<u8> {
        [self.space.as_bytes(), &[0], &self.name].concat()
    }

    /// From where it is stored.
    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let end = key.iter().position(|byte| *byte == 0)?;
        let (space, name) = key.split_at_checked(end)?;
        Some(Self {
            space: std::str::from_utf8(space).ok()?.to_owned(),
            name: name.get(1..)?.to_vec(),
        })
    }

    /// Whether any device takes such a register. The same on all of them, so that they end alike.
    pub(crate) fn is_valid(&self, value: Option<&[u8]>) -> bool {
        let space = (1..=REGISTER_SPACE_MAX).contains(&self.space.len())
            && !self.space.as_bytes().contains(&0);
        let value_len = value.map_or(0, <[u8]>::len);
        space && self.name.len() <= REGISTER_NAME_MAX && value_len <= REGISTER_VALUE_MAX
    }

    pub(crate) fn meaning(&self) -> Meaning {
        if let Some(namespace) = self.space.strip_prefix(APP) {
            return Meaning::App(namespace.to_owned(), self.name.clone());
        }
        match self.space.as_str() {
            SETTINGS => Meaning::Settings,
            PROFILE => Meaning::Profile,
            STAFF => Meaning::Staff,
            PERSON | CONVERSATION => match self.field() {
                Some((account, field)) => Meaning::Of(account, field),
                None => Meaning::Unknown,
            },
            _ => Meaning::Unknown,
        }
    }

    /// The account and the field, if that is what it is.
    pub(crate) fn field(&self) -> Option<(AccountId, Field)> {
        let (account, word) = self.name.split_first_chunk::<16>()?;
        let is = |field: &Field| field.word().as_bytes() == word && field.space() == self.space;
        let field = Field::ALL.into_iter().find(is)?;
        Some((AccountId::from_bytes(*account), field))
    }
}

/// All registers of a space.
pub(crate) fn all_of(space: &str, limit: usize) -> Scan {
    all_in(Table::Registers, &[space.as_bytes(), &[0]].concat(), limit)
}

/// All whose keys begin so.
pub(crate) fn all_in(table: Table, prefix: &[u8], limit: usize) -> Scan {
    Scan::prefix(table, prefix, limit)
}
