//! A store in memory, for the simulator and for fast tests. It survives nothing.
//!
//! Every table notes what a write replaced, so that a savepoint costs nothing and taking back costs
//! as much as was written. It knows no rule of the protocol.

mod blobs;
mod recovery;
mod table;
mod transaction;

use wire::{AccountId, BlobId, DeviceAddress, DeviceId, Handle, MessageId};

use self::table::Table;
use super::{
    AccountRow, BlobRow, BlobUse, DeviceRow, ExpiredMail, FenceRow, KeyKind, KeyRow, Mail,
    MailboxRow, PageLimit, Read, RecoveryRow, StoreError, TokenRow, Tx,
};

/// The tables.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    accounts: Table<AccountId, AccountRow>,
    handles: Table<Handle, AccountId>,
    devices: Table<DeviceAddress, DeviceRow>,
    signed_keys: Table<(DeviceAddress, KeyKind), KeyRow>,
    one_time_keys: Table<(DeviceAddress, KeyKind, usize), KeyRow>,
    tokens: Table<String, TokenRow>,
    mailboxes: Table<DeviceAddress, MailboxRow>,
    mail: Table<(DeviceAddress, u64), Waiting>,
    accepted: Table<(DeviceAddress, MessageId), Accepted>,
    fences: Table<DeviceAddress, FenceRow>,
    blobs: Table<BlobId, BlobRow>,
    blob_use: Table<AccountId, BlobUse>,
    recoveries: Table<AccountId, RecoveryRow>,
    // Not taken back by a rollback: numbers are never used again.
    last_seq: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    expires: u64,
    envelope: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Accepted {
    server_timestamp: u64,
    forget_at: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn one_time_ids(
        &self,
        device: DeviceAddress,
        kind: KeyKind,
    ) -> impl Iterator<Item = (DeviceAddress, KeyKind, usize)> {
        self.one_time_keys
            .rows
            .range((device, kind, 0)..=(device, kind, usize::MAX))
            .map(|(key, _)| *key)
    }
}

impl Read for MemoryStore {
    fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.accounts.rows.get(&id).cloned())
    }

    fn account_by_handle(&mut self, handle: &Handle) -> Result<Option<AccountRow>, StoreError> {
        let id = self.handles.rows.get(handle).copied();
        Ok(id.and_then(|id| self.accounts.rows.get(&id).cloned()))
    }

    fn device(&mut self, address: DeviceAddress) -> Result<Option<DeviceRow>, StoreError> {
        Ok(self.devices.rows.get(&address).cloned())
    }

    fn devices(&mut self, account: AccountId) -> Result<Vec<DeviceRow>, StoreError> {
        let first = DeviceAddress {
            account,
            device: DeviceId::PRIMARY,
        };
        Ok(self
            .devices
            .rows
            .range(first..)
            .map(|(_, row)| row)
            .take_while(|row| row.address.account == account)
            .cloned()
            .collect())
    }

    fn signed_key(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
    ) -> Result<Option<KeyRow>, StoreError> {
        Ok(self.signed_keys.rows.get(&(device, kind)).cloned())
    }

    fn one_time_count(&mut self, device: DeviceAddress, kind: KeyKind) -> Result<u32, StoreError> {
        let count = self.one_time_ids(device, kind).count();
        u32::try_from(count).map_err(|_| StoreError::Corrupt { what: "key count" })
    }

    fn token(&mut self, identifier: &str) -> Result<Option<TokenRow>, StoreError> {
        Ok(self.tokens.rows.get(identifier).cloned())
    }

    fn fence(&mut self, device: DeviceAddress) -> Result<Option<FenceRow>, StoreError> {
        Ok(self.fences.rows.get(&device).copied())
    }

    fn mailbox(&mut self, mailbox: DeviceAddress) -> Result<MailboxRow, StoreError> {
        Ok(self
            .mailboxes
            .rows
            .get(&mailbox)
            .copied()
            .unwrap_or_default())
    }

    fn mail_after(
        &mut self,
        mailbox: DeviceAddress,
        after: u64,
        limit: PageLimit,
        now: u64,
    ) -> Result<Vec<Mail>, StoreError> {
        let mut page = Vec::new();
        let mut bytes = 0;
        let behind = (mailbox, after.saturating_add(1));
        for ((_, seq), waiting) in self.mail.rows.range(behind..=(mailbox, u64::MAX)) {
            if page.len() >= limit.envelopes || bytes >= limit.bytes {
                break;
            }
            if waiting.expires > now {
                bytes += waiting.envelope.len();
                page.push(Mail {
                    seq: *seq,
                    envelope: waiting.envelope.clone(),
                });
            }
        }
        Ok(page)
    }

    fn newest_mail(&mut self, mailbox: DeviceAddress) -> Result<u64, StoreError> {
        let mut all = self.mail.rows.range((mailbox, 0)..=(mailbox, u64::MAX));
        Ok(all.next_back().map_or(0, |((_, seq), _)| *seq))
    }

    fn expired_mail(&mut self, now: u64, rows_max: usize) -> Result<Vec<ExpiredMail>, StoreError> {
        let rows = self.mail.rows.iter();
        Ok(rows
            .filter(|(_, waiting)| waiting.expires <= now)
            .take(rows_max)
            .map(|((mailbox, seq), _)| ExpiredMail {
                mailbox: *mailbox,
                seq: *seq,
            })
            .collect())
    }

    fn accepted(
        &mut self,
        sender: DeviceAddress,
        bundle: MessageId,
    ) -> Result<Option<u64>, StoreError> {
        let row = self.accepted.rows.get(&(sender, bundle));
        Ok(row.map(|row| row.server_timestamp))
    }
}

impl Tx for MemoryStore {
    fn insert_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        self.handles.put(account.handle.clone(), account.id);
        self.accounts.put(account.id, account.clone());
        Ok(())
    }

    fn put_last_device(&mut self, account: AccountId, device: DeviceId) -> Result<(), StoreError> {
        if let Some(mut row) = self.accounts.rows.get(&account).cloned() {
            row.last_device = device;
            self.accounts.put(account, row);
        }
        Ok(())
    }

    fn put_list(&mut self, account: AccountId, list: &[u8]) -> Result<(), StoreError> {
        if let Some(mut row) = self.accounts.rows.get(&account).cloned() {
            row.list = list.to_vec();
            self.accounts.put(account, row);
        }
        Ok(())
    }

    fn delete_account(&mut self, account: AccountId) -> Result<(), StoreError> {
        self.tokens
            .remove_where(|_, row| row.account == account, usize::MAX);
        self.recoveries.remove(&account);
        if let Some(row) = self.accounts.remove(&account) {
            self.handles.remove(&row.handle);
        }
        Ok(())
    }

    fn put_device(&mut self, device: &DeviceRow) -> Result<(), StoreError> {
        self.devices.put(device.address, device.clone());
        Ok(())
    }

    fn delete_device(&mut self, address: DeviceAddress) -> Result<(), StoreError> {
        self.devices.remove(&address);
        self.fences.remove(&address);
        let of_it = |(sender, _): &(DeviceAddress, _), _: &_| *sender == address;
        self.accepted.remove_where(of_it, usize::MAX);
        Ok(())
    }

    fn put_signed_key(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
        key: &KeyRow,
    ) -> Result<(), StoreError> {
        self.signed_keys.put((device, kind), key.clone());
        Ok(())
    }

    fn replace_one_time(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
        keys: &[KeyRow],
    ) -> Result<(), StoreError> {
        for id in self.one_time_ids(device, kind).collect::<Vec<_>>() {
            self.one_time_keys.remove(&id);
        }
        for (position, key) in keys.iter().enumerate() {
            self.one_time_keys
                .put((device, kind, position), key.clone());
        }
        Ok(())
    }

    fn take_one_time(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
    ) -> Result<Option<KeyRow>, StoreError> {
        let first = self.one_time_ids(device, kind).next();
        Ok(first.and_then(|id| self.one_time_keys.remove(&id)))
    }

    fn delete_keys(&mut self, device: DeviceAddress) -> Result<(), StoreError> {
        for kind in [KeyKind::Ec, KeyKind::Kyber] {
            self.signed_keys.remove(&(device, kind));
            self.replace_one_time(device, kind, &[])?;
        }
        Ok(())
    }

    fn put_token(&mut self, identifier: &str, token: &TokenRow) -> Result<(), StoreError> {
        self.tokens.put(identifier.to_owned(), token.clone());
        Ok(())
    }

    fn end_tokens(&mut self, account: AccountId) -> Result<(), StoreError> {
        let open = |_: &_, row: &TokenRow| row.account == account && row.linked.is_none();
        self.tokens.remove_where(open, usize::MAX);
        Ok(())
    }

    fn forget_tokens(&mut self, now: u64, rows_max: usize) -> Result<usize, StoreError> {
        let over = |_: &_, row: &TokenRow| row.forget_at <= now;
        Ok(self.tokens.remove_where(over, rows_max))
    }

    fn put_fence(&mut self, device: DeviceAddress, row: FenceRow) -> Result<(), StoreError> {
        self.fences.put(device, row);
        Ok(())
    }

    fn put_mailbox(&mut self, mailbox: DeviceAddress, row: MailboxRow) -> Result<(), StoreError> {
        self.mailboxes.put(mailbox, row);
        Ok(())
    }

    fn clear_mailbox(&mut self, mailbox: DeviceAddress) -> Result<(), StoreError> {
        let rows = self.mail.rows.range((mailbox, 0)..=(mailbox, u64::MAX));
        for key in rows.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.mail.remove(&key);
        }
        self.mailboxes.remove(&mailbox);
        Ok(())
    }

    fn insert_mail(
        &mut self,
        mailbox: DeviceAddress,
        expires: u64,
        envelope: &[u8],
    ) -> Result<u64, StoreError> {
        self.last_seq += 1;
        let waiting = Waiting {
            expires,
            envelope: envelope.to_vec(),
        };
        self.mail.put((mailbox, self.last_seq), waiting);
        Ok(self.last_seq)
    }

    fn delete_mail(&mut self, mailbox: DeviceAddress, seq: u64) -> Result<Option<u64>, StoreError> {
        let removed = self.mail.remove(&(mailbox, seq));
        Ok(removed.map(|waiting| waiting.envelope.len() as u64))
    }

    fn put_accepted(
        &mut self,
        sender: DeviceAddress,
        bundle: MessageId,
        server_timestamp: u64,
        forget_at: u64,
    ) -> Result<(), StoreError> {
        let row = Accepted {
            server_timestamp,
            forget_at,
        };
        self.accepted.put((sender, bundle), row);
        Ok(())
    }

    fn forget_accepted(&mut self, now: u64, rows_max: usize) -> Result<usize, StoreError> {
        let over = |_: &_, row: &Accepted| row.forget_at <= now;
        Ok(self.accepted.remove_where(over, rows_max))
    }
}
