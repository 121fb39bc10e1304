//! People: what they are called, whether their key was compared; and how own devices agree on it.
//!
//! Each field is a register with a clock: the later one wins, so the order of arrival does not matter.
//! A verified mark holds for one key only. A snapshot adds and updates, it never removes.

use libsignal_protocol::IdentityKey;
use wire::proto::service::{ContactEntry, ContactSnapshot};
use wire::{AccountId, Handle};

use crate::error::Error;
use crate::guard;
use crate::identity::note_new_identity;
use crate::limits::{CONTACTS_CHUNK, LIST_MAX, TIMER_MAX_S};
use crate::output::{Contact, Event};
use crate::own_name;
use crate::peers;
use crate::record::{ContactRecord, ConversationRecord, key};
use crate::registers::{self, Effects, Field, Place, Register};
use crate::staff;
use crate::store::Table;
use crate::thread;
use crate::thread::timer::Timer;
use crate::tx::Tx;

/// Makes sure that there is a contact; says whether its handle is known.
pub(crate) async fn ensure(
    tx: &mut Tx<'_>,
    account: AccountId,
    handle: Option<&Handle>,
) -> Result<bool, Error> {
    let known = tx.get::<ContactRecord>(account.as_bytes()).await?;
    let is_new = known.is_none();
    let mut record = known.unwrap_or_default();
    // A handle comes from the relay: an account that has one is there.
    let learnt = handle.is_some_and(|handle| record.gone || record.handle != handle.as_str());
    let has_handle = handle.is_some() || !record.handle.is_empty();
    if !is_new && !learnt {
        return Ok(has_handle);
    }
    if let Some(handle) = handle {
        record.handle = handle.to_string();
        record.gone = false;
        put_handle(tx, handle, account);
    }
    tx.put(account.as_bytes(), &record);
    let contact = view(tx, account, record).await?;
    tx.emit(Event::Contact(contact));
    Ok(has_handle)
}

/// Tells of a contact that has changed elsewhere: a verified mark ends with the key it was given to.
pub(crate) async fn show(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Error> {
    if let Some(record) = tx.get::<ContactRecord>(account.as_bytes()).await? {
        let contact = view(tx, account, record).await?;
        tx.emit(Event::Contact(contact));
    }
    Ok(())
}

/// So that a handle is found without looking at every contact.
fn put_handle(tx: &mut Tx<'_>, handle: &Handle, account: AccountId) {
    tx.put_bytes(
        Table::Meta,
        &key::handle(handle),
        account.as_bytes().to_vec(),
    );
}

/// The contact with this handle, without asking the relay.
pub(crate) async fn by_handle(
    tx: &mut Tx<'_>,
    handle: &Handle,
) -> Result<Option<AccountId>, Error> {
    let found = tx.get_bytes(Table::Meta, &key::handle(handle)).await?;
    Ok(found.and_then(|bytes| AccountId::from_slice(&bytes).ok()))
}

/// The account is gone. Messages, key and name stay; whoever has the handle now is asked for before the next send to it.
pub(crate) async fn note_gone(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Error> {
    let mut record = contact_record(tx, account).await?;
    record.gone = true;
    tx.put(account.as_bytes(), &record);
    Ok(())
}

/// Whether the account was gone when it was last written to.
pub(crate) async fn is_gone(tx: &mut Tx<'_>, account: AccountId) -> Result<bool, Error> {
    Ok(contact_record(tx, account).await?.gone)
}

async fn contact_record(tx: &mut Tx<'_>, account: AccountId) -> Result<ContactRecord, Error> {
    Ok(tx.get(account.as_bytes()).await?.unwrap_or_default())
}

/// Contacts whose handle is not known yet.
pub(crate) async fn nameless(tx: &mut Tx<'_>) -> Result<Vec<AccountId>, Error> {
    let nameless =
        |(account, record): (AccountId, ContactRecord)| record.handle.is_empty().then_some(account);
    Ok(tx
        .by_account::<ContactRecord>(LIST_MAX)
        .await?
        .into_iter()
        .filter_map(nameless)
        .collect())
}

/// All contacts, by name.
pub(crate) async fn list(tx: &mut Tx<'_>) -> Result<Vec<Contact>, Error> {
    let rows = tx.by_account::<ContactRecord>(LIST_MAX).await?;
    let of_each = |(id, _): &(AccountId, ContactRecord)| {
        [Table::Peers, Table::Conversations].map(|table| (table, id.as_bytes().to_vec()))
    };
    tx.prefetch(rows.iter().flat_map(of_each).collect()).await?;
    registers::prefetch_conversations(tx).await?;
    let mut list = Vec::with_capacity(rows.len());
    for (account, record) in rows {
        list.push(view(tx, account, record).await?);
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list)
}

/// Handle and name to show for an account.
pub(crate) async fn label(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> Result<(Option<Handle>, String), Error> {
    let record = tx
        .get::<ContactRecord>(account.as_bytes())
        .await?
        .unwrap_or_default();
    Ok((record.handle.parse().ok(), name(account, &record)))
}

/// Everything we know, in parts that fit an envelope.
pub(crate) async fn snapshot(tx: &mut Tx<'_>) -> Result<Vec<ContactSnapshot>, Error> {
    let mut entries = Vec::new();
    for (account, record) in tx.by_account::<ContactRecord>(LIST_MAX).await? {
        let id = account.as_bytes();
        let peer = peers::record(tx, account).await?;
        let last = tx.get::<ConversationRecord>(id).await?.unwrap_or_default();
        // Of an earlier key only the register tells: said of the present one it would be another register.
        let of_this_key = record.verified_key == peer.identity;
        let verified_clock = if of_this_key {
            record.verified_clock
        } else {
            0
        };
        entries.push(ContactEntry {
            account: Some(id.to_vec()),
            handle: Some(record.handle),
            name: Some(record.name),
            identity_key: (!peer.identity.is_empty()).then_some(peer.identity),
            verified: Some(record.verified && of_this_key),
            name_clock: Some(record.name_clock),
            verified_clock: Some(verified_clock),
            last_activity: Some(last.updated_at),
            read_clock: Some(last.read_clock),
            timer: Some(last.timer_s),
            timer_version: Some(last.timer_version),
            own_name: Some(record.own_name),
            own_name_clock: Some(record.own_name_clock),
        });
    }
    let chunks = entries.chunks(CONTACTS_CHUNK);
    let count = chunks.len();
    let part = |(i, chunk): (usize, &[ContactEntry])| ContactSnapshot {
        contacts: chunk.to_vec(),
        complete: Some(i + 1 == count),
    };
    Ok(chunks.enumerate().map(part).collect())
}

/// Takes over what another own device knows, by rule.
pub(crate) async fn merge(tx: &mut Tx<'_>, snapshot: ContactSnapshot) -> Result<(), Error> {
    for entry in snapshot.contacts {
        let Some(id) = entry.account.as_deref() else {
            continue;
        };
        let Ok(account) = AccountId::from_slice(id) else {
            continue;
        };
        merge_entry(tx, account, entry).await?;
    }
    Ok(())
}

async fn merge_entry(
    tx: &mut Tx<'_>,
    account: AccountId,
    entry: ContactEntry,
) -> Result<(), Error> {
    let id = account.as_bytes();
    let known = tx.get::<ContactRecord>(id).await?;
    let mut record = known.clone().unwrap_or_default();
    if record.handle.is_empty() {
        let handle = entry
            .handle
            .as_deref()
            .and_then(|handle| handle.parse::<Handle>().ok());
        if let Some(handle) = handle {
            put_handle(tx, &handle, account);
            record.handle = handle.into();
        }
    }
    own_name::take(&mut record, entry.own_name(), entry.own_name_clock());
    let identity = entry
        .identity_key
        .as_deref()
        .and_then(|key| guard::identity_key(key).ok());
    if let Some(identity) = identity {
        merge_key(tx, account, &identity).await?;
    }
    let activity = entry.last_activity();
    if activity > 0 {
        let mut thread = thread::conversation_record(tx, account).await?;
        thread.updated_at = thread.updated_at.max(activity);
        let seconds = entry.timer().min(TIMER_MAX_S);
        let version = entry.timer_version();
        thread::timer::take(&mut thread, Timer { seconds, version });
        tx.put(id, &thread);
        registers::take_read_clock(tx, account, entry.read_clock()).await?;
    }
    if known.as_ref() != Some(&record) {
        tx.put(id, &record);
        let contact = view(tx, account, record).await?;
        tx.emit(Event::Contact(contact));
    }
    merge_registers(tx, account, &entry).await
}

/// What an own device that has no registers knows of a person, as registers. Those of one that has them say the same.
async fn merge_registers(
    tx: &mut Tx<'_>,
    account: AccountId,
    entry: &ContactEntry,
) -> Result<(), Error> {
    let mut known = Vec::new();
    if entry.name_clock() > 0 {
        let name = Some(entry.name()).filter(|name| !name.is_empty());
        let value = name.map(|name| name.as_bytes().to_vec());
        let clock = entry.name_clock();
        known.push((Field::Petname, Register { clock, value }));
    }
    let key = entry.identity_key.as_deref().unwrap_or_default();
    if entry.verified_clock() > 0 && guard::identity_key(key).is_ok() {
        let value = Some(registers::verified_value(entry.verified(), key));
        let clock = entry.verified_clock();
        known.push((Field::Verified, Register { clock, value }));
    }
    let mut effects = Effects::default();
    for (field, register) in known {
        let place = Place::of(account, field);
        if place.is_valid(register.value.as_deref()) {
            let merged = registers::merge(tx, &place, &register).await?;
            effects.note(tx, &place, &register, merged).await?;
        }
    }
    effects.tell(tx).await
}

/// A key from an own device is as good as the first use of it; it never replaces a known one.
async fn merge_key(tx: &mut Tx<'_>, account: AccountId, key: &IdentityKey) -> Result<(), Error> {
    let id = account.as_bytes();
    let key = key.serialize().into_vec();
    let mut peer = peers::record(tx, account).await?;
    if peer.identity.is_empty() {
        peer.identity.clone_from(&key);
        tx.put(id, &peer);
    }
    if peer.identity != key {
        return note_new_identity(tx, account, key).await;
    }
    Ok(())
}

async fn view(
    tx: &mut Tx<'_>,
    account: AccountId,
    record: ContactRecord,
) -> Result<Contact, Error> {
    let peer = peers::record(tx, account).await?;
    let fields = registers::person(tx, account).await?;
    let (without_staff, without_staff_by_them) = staff::without_staff(tx, account).await?;
    Ok(Contact {
        staff: staff::staff_of(tx, account, &peer).await?,
        without_staff,
        without_staff_by_them,
        id: account,
        name: name(account, &record),
        own_name: Some(record.own_name).filter(|name| !name.is_empty()),
        petname: fields.petname,
        blocked: fields.blocked,
        request: fields.request,
        handle: record.handle.parse().ok(),
        verified: record.verified && record.verified_key == peer.identity,
        key_changed: peers::key_changed(&peer),
        identity_key: (!peer.identity.is_empty()).then_some(peer.identity),
    })
}

/// The name given, else their own, else the handle, else the beginning of the id.
fn name(account: AccountId, record: &ContactRecord) -> String {
    if !record.name.is_empty() {
        record.name.clone()
    } else if !record.own_name.is_empty() {
        record.own_name.clone()
    } else if !record.handle.is_empty() {
        record.handle.clone()
    } else {
        account.to_string().chars().take(8).collect()
    }
}
