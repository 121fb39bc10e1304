//! Settings and the fields of people and conversations, as values. The bytes of a value are a promise, and of two
//! values the safe one is the greater, since on a tie the greater holds.
//! It does not know how a value came to be here.

use wire::AccountId;

use super::space::{self, CONVERSATION, Field, PERSON, PROFILE, Place, SETTINGS};
use super::{read, value};
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{DRAFT_MS, LIST_MAX};
use crate::output::{Notifications, Profile, Request, Settings};
use crate::store::Table;
use crate::tx::Tx;

/// Names in [`SETTINGS`] and [`PROFILE`].
pub(crate) const READ_RECEIPTS: &str = "readReceipts";
pub(crate) const DELIVERY_RECEIPTS: &str = "deliveryReceipts";
pub(crate) const TYPING: &str = "typing";
pub(crate) const NOTIFICATIONS: &str = "notifications";
pub(crate) const NAME: &str = "name";

const NO: &[u8] = &[0];
const YES: &[u8] = &[1];
/// What others are told is on unless it was switched off, and off is the greater.
const TOLD: &[u8] = &[0];
const WITHHELD: &[u8] = &[1];

/// What a person's registers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PersonFields {
    pub(crate) petname: Option<String>,
    pub(crate) blocked: bool,
    pub(crate) request: Request,
}

/// What a conversation's registers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConversationFields {
    pub(crate) muted_until: Option<Timestamp>,
    pub(crate) archived: bool,
    pub(crate) pinned: Option<Timestamp>,
    pub(crate) draft: Option<String>,
    pub(crate) marked_unread: bool,
}

/// Something that is so or not, where "so" is the safe one.
pub(crate) fn flag(yes: bool) -> Vec<u8> {
    if yes { YES } else { NO }.to_vec()
}

/// Whether others are told of something.
pub(crate) fn telling(told: bool) -> Vec<u8> {
    if told { TOLD } else { WITHHELD }.to_vec()
}

/// Whether a key was compared. Not compared is the greater.
pub(crate) fn verified_value(verified: bool, key: &[u8]) -> Vec<u8> {
    [if verified { NO } else { YES }, key].concat()
}

/// Verified or not, and the key that was.
pub(super) fn read_verified(value: &[u8]) -> Option<(bool, &[u8])> {
    let (flag, key) = value.split_first()?;
    Some((*flag == 0, key))
}

pub(crate) const fn request_value(request: Request) -> u8 {
    match request {
        Request::None | Request::Pending => 0,
        Request::Accepted => 1,
        Request::Declined => 2,
    }
}

pub(crate) const fn notifications_value(notifications: Notifications) -> u8 {
    match notifications {
        Notifications::Content => 0,
        Notifications::Name => 1,
        Notifications::Bare => 2,
        Notifications::Off => 3,
    }
}

pub(super) async fn is_set(
    tx: &mut Tx<'_>,
    account: AccountId,
    field: Field,
) -> Result<bool, Error> {
    is_yes(tx, &Place::of(account, field)).await
}

/// Whether the register at this place says yes.
pub(crate) async fn is_yes(tx: &mut Tx<'_>, place: &Place) -> Result<bool, Error> {
    Ok(value(tx, place).await?.as_deref() == Some(YES))
}

async fn text(tx: &mut Tx<'_>, place: &Place) -> Result<Option<String>, Error> {
    let bytes = value(tx, place).await?.filter(|bytes| !bytes.is_empty());
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

async fn time(
    tx: &mut Tx<'_>,
    account: AccountId,
    field: Field,
) -> Result<Option<Timestamp>, Error> {
    let value = value(tx, &Place::of(account, field)).await?;
    let bytes = value.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    Ok(bytes.map(|bytes| Timestamp(u64::from_be_bytes(bytes))))
}

/// Whether a stranger's conversation was accepted.
pub(super) async fn request(tx: &mut Tx<'_>, account: AccountId) -> Result<Request, Error> {
    let value = value(tx, &Place::of(account, Field::Request)).await?;
    Ok(match value.as_deref() {
        Some([0]) => Request::Pending,
        Some([1]) => Request::Accepted,
        Some([2]) => Request::Declined,
        _ => Request::None,
    })
}

/// All that is said of a person.
pub(crate) async fn person(tx: &mut Tx<'_>, account: AccountId) -> Result<PersonFields, Error> {
    let fields = [Field::Petname, Field::Blocked, Field::Request];
    load(tx, account, &fields).await?;
    Ok(PersonFields {
        petname: text(tx, &Place::of(account, Field::Petname)).await?,
        blocked: super::is_blocked(tx, account).await?,
        request: request(tx, account).await?,
    })
}

/// All that is said of a conversation that was last marked read at this clock.
pub(crate) async fn conversation(
    tx: &mut Tx<'_>,
    account: AccountId,
    read_clock: u64,
) -> Result<ConversationFields, Error> {
    let fields = [
        Field::MutedUntil,
        Field::Archived,
        Field::Pinned,
        Field::Draft,
        Field::MarkedUnread,
    ];
    load(tx, account, &fields).await?;
    let draft = Place::of(account, Field::Draft);
    let drafted_at = read(tx, &draft).await?.map_or(0, |register| register.clock);
    Ok(ConversationFields {
        muted_until: time(tx, account, Field::MutedUntil).await?,
        archived: is_set(tx, account, Field::Archived).await?,
        pinned: time(tx, account, Field::Pinned).await?,
        draft: text(tx, &draft)
            .await?
            .filter(|_| !is_old_draft(tx, drafted_at)),
        marked_unread: super::unread::is_marked(tx, account, read_clock).await?,
    })
}

/// Whether a draft of this clock has had its time.
pub(super) fn is_old_draft(tx: &Tx<'_>, clock: u64) -> bool {
    Timestamp(clock).plus_ms(DRAFT_MS) <= tx.device_time
}

/// How this person's devices behave.
pub(crate) async fn settings(tx: &mut Tx<'_>) -> Result<Settings, Error> {
    let names = [READ_RECEIPTS, DELIVERY_RECEIPTS, TYPING, NOTIFICATIONS];
    let keys = names.map(|name| (Table::Registers, Place::new(SETTINGS, name).key()));
    tx.prefetch(keys.into()).await?;
    Ok(Settings {
        read_receipts: is_told(tx, READ_RECEIPTS).await?,
        delivery_receipts: is_told(tx, DELIVERY_RECEIPTS).await?,
        typing: is_told(tx, TYPING).await?,
        notifications: match setting(tx, NOTIFICATIONS).await?.as_deref() {
            Some([1]) => Notifications::Name,
            Some([2]) => Notifications::Bare,
            Some([3]) => Notifications::Off,
            _ => Notifications::Content,
        },
    })
}

/// What this person says of themself.
pub(crate) async fn profile(tx: &mut Tx<'_>) -> Result<Profile, Error> {
    let name = text(tx, &Place::new(PROFILE, NAME)).await?;
    Ok(Profile { name })
}

async fn setting(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    value(tx, &Place::new(SETTINGS, name)).await
}

async fn is_told(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    Ok(setting(tx, name).await?.as_deref() != Some(WITHHELD))
}

/// One request for all of an account's fields.
async fn load(tx: &mut Tx<'_>, account: AccountId, fields: &[Field]) -> Result<(), Error> {
    let key = |field: &Field| (Table::Registers, Place::of(account, *field).key());
    tx.prefetch(fields.iter().map(key).collect()).await
}

/// Reads the fields of all people and conversations at once, for a list of them.
pub(crate) async fn prefetch_conversations(tx: &mut Tx<'_>) -> Result<(), Error> {
    let all = [PERSON, CONVERSATION].map(|name| space::all_of(name, FIELDS_MAX));
    tx.prefetch_with(Vec::new(), all.into()).await
}

/// Of as many as a list shows. Beyond that each is looked up by itself.
const FIELDS_MAX: usize = 5 * LIST_MAX;
