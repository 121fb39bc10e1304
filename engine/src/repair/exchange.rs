//! The steps of a comparison, each an answer to one message: other groups, what is in them, what is missing.
//!
//! A step takes what it is told as it is and adds what its own store says, so a step that is lost or comes twice does no harm. What
//! is told is from an own device and yet read strictly, and nothing older than either device's history goes over.
//! It does not know when devices are compared.

use prost::Message as _;
use wire::proto::archive::repair::{Group as ToldGroup, Groups, Items, Wanted};
use wire::proto::archive::{ArchivedMessage, Repair as Told};
use wire::proto::service::Register as ToldRegister;
use wire::{AccountId, DeviceId};

use super::groups::{Digest, Group, list, root};
use super::items::{Item, items};
use super::parts::Parts;
use super::supply::{add_gone, is_gone, supply, take_gone, tell};
use crate::archive::Reader;
use crate::error::Error;
use crate::flat::{Map, Set};
use crate::limits::{DAY_MS, REPAIR_BYTES, REPAIR_MESSAGES};
use crate::output::{Message, MessageKind, MessageStatus};
use crate::peers;
use crate::registers;
use crate::state::State;
use crate::thread;
use crate::thread::union::Placed;
use crate::trust;
use crate::tx::Tx;

/// Bytes of an entry of [`Items`]: id, fingerprint.
const ENTRY: usize = 32;

impl State {
    /// Answers what another own device has told.
    pub(super) async fn answer_repair(
        &mut self,
        tx: &mut Tx<'_>,
        from: DeviceId,
        told: Told,
    ) -> Result<(), Error> {
        let own_floor = self.history_from(tx);
        let Told {
            floor,
            root,
            groups,
            items,
            wanted,
            messages,
            conversations,
            registers,
            gone,
            more,
        } = told;
        if !root.is_empty() {
            return self.compare_roots(tx, from, floor, &root).await;
        }
        let floor = floor.max(own_floor);
        let mut parts = Parts::new(floor);
        for of_conversation in gone {
            take_gone(tx, &of_conversation).await?;
        }
        self.take_messages(tx, floor, messages, &mut parts).await?;
        for head in conversations {
            let reader = self.archive_reader(tx)?;
            if let Some(head) = reader.head(&head) {
                self.take_head(tx, head).await?;
            }
        }
        self.take_registers(tx, from, registers, &mut parts).await?;
        if let Some(groups) = groups {
            compare_groups(tx, floor, groups, &mut parts).await?;
        }
        for items in items {
            compare_items(tx, floor, &items, &mut parts).await?;
        }
        for wanted in wanted {
            supply(tx, floor, &wanted, &mut parts).await?;
        }
        let (parts, has_more) = parts.finish();
        for part in &parts {
            self.send_repair(tx, Some(from), part);
        }
        if more || has_more {
            self.repair_again(tx);
        }
        Ok(())
    }

    /// Nothing follows where all is the same. Groups are listed for whoever has begun.
    async fn compare_roots(
        &mut self,
        tx: &mut Tx<'_>,
        from: DeviceId,
        floor: u64,
        other: &[u8],
    ) -> Result<(), Error> {
        let own_floor = self.history_from(tx);
        if own_floor > floor {
            // Only the other device can tell what it has above this floor, if it was not told this root before.
            let root = root(&list(tx, own_floor, &[], &[]).await?);
            if self.repair.record.told != root {
                self.tell_root(tx, Some(from), own_floor, root);
            }
            return Ok(());
        }
        let list = list(tx, floor, &[], &[]).await?;
        if root(&list) == other {
            return Ok(());
        }
        for groups in listed(&list, tx.now.0 / DAY_MS) {
            let told = Told {
                floor,
                groups: Some(groups),
                ..Told::default()
            };
            self.send_repair(tx, Some(from), &told);
        }
        Ok(())
    }

    fn archive_reader(&self, tx: &Tx<'_>) -> Result<Reader, Error> {
        let own = self.own_id()?;
        let now = tx.device_time;
        Ok(Reader { own, now })
    }

    async fn take_messages(
        &mut self,
        tx: &mut Tx<'_>,
        floor: u64,
        messages: Vec<ArchivedMessage>,
        parts: &mut Parts,
    ) -> Result<(), Error> {
        let reader = self.archive_reader(tx)?;
        let mut gone: Map<AccountId, Vec<u8>> = Map::new();
        for message in messages {
            let Some(placed) = reader.message(message) else {
                continue;
            };
            let Placed {
                id,
                conversation,
                order,
                ..
            } = placed;
            if order < floor {
                continue;
            }
            if is_gone(tx, id.as_bytes()).await? {
                gone.change(conversation, |ids| ids.extend(id.as_bytes()));
            } else if let Some(new) = self.take_archived(tx, placed).await? {
                self.notify_repaired(tx, order, *new).await?;
            }
        }
        for (conversation, ids) in gone {
            add_gone(parts, conversation, ids);
        }
        Ok(())
    }

    /// A message that is new by repair is as any other: whoever has not read it is told of it.
    async fn notify_repaired(
        &mut self,
        tx: &mut Tx<'_>,
        order: u64,
        message: Message,
    ) -> Result<(), Error> {
        let says_something = matches!(message.kind, MessageKind::Text);
        if message.status != MessageStatus::Received || !says_something {
            return Ok(());
        }
        let mark = thread::read_mark(tx, message.conversation).await?;
        if (order, message.id.as_bytes().to_vec()) > mark {
            self.hold_notification(tx, message);
        }
        Ok(())
    }

    /// What is later here is told in turn; the other device takes it, so this ends.
    async fn take_registers(
        &mut self,
        tx: &mut Tx<'_>,
        from: DeviceId,
        registers: Vec<ToldRegister>,
        parts: &mut Parts,
    ) -> Result<(), Error> {
        let own = peers::record(tx, self.own_id()?).await?;
        let by = trust::role(&own, from);
        for told in &registers {
            if let Some(later) = registers::later_than(tx, told).await? {
                parts.add(later.encoded_len(), |part| part.registers.push(later));
            }
        }
        self.apply_registers(tx, by, registers).await
    }
}

/// The groups in messages. There may be more of them than one answer lists: another part each day.
fn listed(list: &Map<Vec<u8>, Digest>, day: u64) -> Vec<Groups> {
    let mut all = Vec::new();
    let (mut part, mut size) = (Groups::default(), 0);
    for (key, digest) in list.iter() {
        let group = ToldGroup {
            key: key.clone(),
            digest: digest.to_vec(),
        };
        let len = group.encoded_len() + 4;
        if size + len > REPAIR_BYTES {
            part.to.clone_from(key);
            let next = Groups {
                from: key.clone(),
                ..Groups::default()
            };
            all.push(std::mem::replace(&mut part, next));
            size = 0;
        }
        size += len;
        part.groups.push(group);
    }
    all.push(part);
    let turns = all.len().div_ceil(REPAIR_MESSAGES) as u64;
    let turn = usize::try_from(day % turns).unwrap_or_default();
    let parts = all.into_iter().skip(turn * REPAIR_MESSAGES);
    parts.take(REPAIR_MESSAGES).collect()
}

/// What is in groups that differ is named; in none, if only the other device has the group.
async fn compare_groups(
    tx: &mut Tx<'_>,
    floor: u64,
    told: Groups,
    parts: &mut Parts,
) -> Result<(), Error> {
    let Groups { from, to, groups } = told;
    let own = list(tx, floor, &from, &to).await?;
    let is_inside = |key: &Vec<u8>| *key >= from && (to.is_empty() || *key < to);
    let theirs: Map<Vec<u8>, Vec<u8>> = groups
        .into_iter()
        .filter(|group| is_inside(&group.key))
        .map(|group| (group.key, group.digest))
        .collect();
    let keys: Set<&Vec<u8>> = own.keys().chain(theirs.keys()).collect();
    for key in keys {
        let same = own.get(key).map(Digest::as_slice) == theirs.get(key).map(Vec::as_slice);
        let Some(group) = Group::from_key(key).filter(|_| !same) else {
            continue;
        };
        if !parts.has_room() {
            break;
        }
        let (items, _) = items(tx, &group, floor).await?;
        name_items(key, &items, parts);
    }
    Ok(())
}

fn name_items(group: &[u8], items: &[Item], parts: &mut Parts) {
    let mut chunks = items.chunks(REPAIR_BYTES / ENTRY / 2).peekable();
    let mut from = [0; 16].to_vec();
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let next = chunks.peek().and_then(|chunk| chunk.first());
        let to = match next {
            Some(next) => before(next.id),
            None => [0xFF; 16].to_vec(),
        };
        let entries = chunk.iter().flat_map(|item| [item.id, item.print].concat());
        let named = Items {
            group: group.to_vec(),
            from,
            to,
            entries: entries.collect(),
        };
        parts.add(named.encoded_len() + 4, |part| part.items.push(named));
        match next {
            Some(next) => from = next.id.to_vec(),
            None => return,
        }
    }
}

/// The id before another one.
fn before(id: [u8; 16]) -> Vec<u8> {
    let before = u128::from_be_bytes(id).saturating_sub(1);
    before.to_be_bytes().to_vec()
}

/// What is different here is told and asked for; what is only here is told; what is only there is asked for, or is gone.
async fn compare_items(
    tx: &mut Tx<'_>,
    floor: u64,
    told: &Items,
    parts: &mut Parts,
) -> Result<(), Error> {
    let Items {
        group: key,
        from,
        to,
        entries,
    } = told;
    let Some(group) = Group::from_key(key) else {
        return Ok(());
    };
    let is_inside = |id: &[u8]| id >= from.as_slice() && id <= to.as_slice();
    let (own, _) = items(tx, &group, floor).await?;
    let own: Map<[u8; 16], Item> = own
        .into_iter()
        .filter(|item| is_inside(&item.id))
        .map(|item| (item.id, item))
        .collect();
    let (entries, _) = entries.as_chunks::<ENTRY>();
    let theirs: Map<[u8; 16], &[u8]> = entries
        .iter()
        .filter_map(|entry| entry.split_first_chunk::<16>())
        .map(|(id, print)| (*id, print))
        .collect();
    let differs = |id: &[u8; 16], print: &[u8]| {
        own.get(id)
            .is_none_or(|item| item.print.as_slice() != print)
    };
    let (mut wanted, mut gone) = (Vec::new(), Vec::new());
    for (id, _) in theirs.iter().filter(|(id, print)| differs(id, print)) {
        let is_message = matches!(group, Group::Messages(..));
        if is_message && is_gone(tx, id).await? {
            gone.extend(id);
        } else {
            wanted.extend(id);
        }
    }
    if let Group::Messages(conversation, _) = group
        && !gone.is_empty()
    {
        add_gone(parts, conversation, gone);
    }
    if !wanted.is_empty() {
        let wanted = Wanted {
            group: key.clone(),
            ids: wanted,
        };
        parts.add(wanted.encoded_len() + 4, |part| part.wanted.push(wanted));
    }
    for (id, item) in own {
        if theirs.get(&id).copied() != Some(item.print.as_slice()) {
            tell(tx, &group, &item.at, parts).await?;
        }
    }
    Ok(())
}
