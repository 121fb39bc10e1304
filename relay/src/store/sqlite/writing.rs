//! Every change to the database: one method, one kind of row.
//! It has no rules and begins no transaction.

use wire::{AccountId, DeviceAddress, DeviceId, MessageId};

use super::{SqliteStore, key_row, kind_number};
use crate::store::{
    AccountRow, DeviceRow, FenceRow, KeyKind, KeyRow, MailboxRow, StoreError, TokenRow, Tx,
};

impl Tx for SqliteStore {
    fn insert_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO accounts (account, handle, identity_key, created, last_device, list) \
             VALUES (?, ?, ?, ?, ?, ?)",
            (
                account.id.as_bytes(),
                account.handle.as_str(),
                &account.identity_key,
                account.created,
                account.last_device.get(),
                &account.list,
            ),
        )
        .map(drop)
    }

    fn put_last_device(&mut self, account: AccountId, device: DeviceId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE accounts SET last_device = ? WHERE account = ?",
            (device.get(), account.as_bytes()),
        )
        .map(drop)
    }

    fn put_list(&mut self, account: AccountId, list: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "UPDATE accounts SET list = ? WHERE account = ?",
            (list, account.as_bytes()),
        )
        .map(drop)
    }

    fn delete_account(&mut self, account: AccountId) -> Result<(), StoreError> {
        let account = [account.as_bytes()];
        self.execute("DELETE FROM link_tokens WHERE account = ?", account)?;
        self.execute("DELETE FROM recoveries WHERE account = ?", account)?;
        self.execute("DELETE FROM accounts WHERE account = ?", account)
            .map(drop)
    }

    fn put_device(&mut self, device: &DeviceRow) -> Result<(), StoreError> {
        let capabilities = String::from_utf8(wire::body::to_json(&device.capabilities))
            .map_err(|_| StoreError::Corrupt { what: "capability" })?;
        self.execute(
            "INSERT OR REPLACE INTO devices (account, device, incarnation, registration_id, name, \
             password_salt, password_hash, created, last_seen, capabilities, certificate) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                device.address.account.as_bytes(),
                device.address.device.get(),
                device.incarnation,
                device.registration_id.get(),
                &device.name,
                device.password.salt,
                device.password.hash,
                device.created,
                device.last_seen,
                capabilities,
                &device.certificate,
            ),
        )
        .map(drop)
    }

    fn delete_device(&mut self, at: DeviceAddress) -> Result<(), StoreError> {
        let at = (at.account.as_bytes(), at.device.get());
        self.execute("DELETE FROM fences WHERE account = ? AND device = ?", at)?;
        self.execute(
            "DELETE FROM accepted_bundles WHERE account = ? AND device = ?",
            at,
        )?;
        self.execute("DELETE FROM devices WHERE account = ? AND device = ?", at)
            .map(drop)
    }

    fn put_signed_key(
        &mut self,
        of: DeviceAddress,
        kind: KeyKind,
        key: &KeyRow,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO signed_keys \
             (account, device, kind, key_id, public_key, signature) VALUES (?, ?, ?, ?, ?, ?)",
            (
                of.account.as_bytes(),
                of.device.get(),
                kind_number(kind),
                u32::from(key.id),
                &key.public_key,
                &key.signature,
            ),
        )
        .map(drop)
    }

    fn replace_one_time(
        &mut self,
        of: DeviceAddress,
        kind: KeyKind,
        keys: &[KeyRow],
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM one_time_keys WHERE account = ? AND device = ? AND kind = ?",
            (of.account.as_bytes(), of.device.get(), kind_number(kind)),
        )?;
        for (position, key) in keys.iter().enumerate() {
            self.execute(
                "INSERT INTO one_time_keys \
                 (account, device, kind, position, key_id, public_key, signature) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    of.account.as_bytes(),
                    of.device.get(),
                    kind_number(kind),
                    position,
                    u32::from(key.id),
                    &key.public_key,
                    &key.signature,
                ),
            )?;
        }
        Ok(())
    }

    fn take_one_time(
        &mut self,
        of: DeviceAddress,
        kind: KeyKind,
    ) -> Result<Option<KeyRow>, StoreError> {
        // all, not one: the statement deletes only when it is run to its end.
        let taken = self.all(
            "DELETE FROM one_time_keys WHERE account = ?1 AND device = ?2 AND kind = ?3 \
             AND position = (SELECT min(position) FROM one_time_keys \
             WHERE account = ?1 AND device = ?2 AND kind = ?3) \
             RETURNING key_id, public_key, signature",
            (of.account.as_bytes(), of.device.get(), kind_number(kind)),
            key_row,
        )?;
        Ok(taken.into_iter().next())
    }

    fn delete_keys(&mut self, of: DeviceAddress) -> Result<(), StoreError> {
        let at = (of.account.as_bytes(), of.device.get());
        self.execute(
            "DELETE FROM one_time_keys WHERE account = ? AND device = ?",
            at,
        )?;
        self.execute(
            "DELETE FROM signed_keys WHERE account = ? AND device = ?",
            at,
        )
        .map(drop)
    }

    fn put_token(&mut self, identifier: &str, token: &TokenRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO link_tokens \
             (identifier, account, expires, linked_device, linked_incarnation, forget_at, device) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                identifier,
                token.account.as_bytes(),
                token.expires,
                token.linked.map(|linked| linked.device.get()),
                token.linked.map(|linked| linked.incarnation),
                token.forget_at,
                token.device.map_or(0, DeviceId::get),
            ),
        )
        .map(drop)
    }

    fn end_tokens(&mut self, account: AccountId) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM link_tokens WHERE account = ? AND linked_device IS NULL",
            [account.as_bytes()],
        )
        .map(drop)
    }

    fn forget_tokens(&mut self, now: u64, rows_max: usize) -> Result<usize, StoreError> {
        self.execute(
            "DELETE FROM link_tokens WHERE identifier IN \
             (SELECT identifier FROM link_tokens WHERE forget_at <= ? LIMIT ?)",
            (now, rows_max),
        )
    }

    fn put_fence(&mut self, of: DeviceAddress, row: FenceRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO fences (account, device, sign_ins, seals) VALUES (?, ?, ?, ?)",
            (
                of.account.as_bytes(),
                of.device.get(),
                row.sign_ins,
                row.seals,
            ),
        )
        .map(drop)
    }

    fn put_mailbox(&mut self, of: DeviceAddress, row: MailboxRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO mailboxes (account, device, clock, envelopes, bytes, taken) \
             VALUES (?, ?, ?, ?, ?, ?)",
            (
                of.account.as_bytes(),
                of.device.get(),
                row.clock,
                row.envelopes,
                row.bytes,
                row.taken,
            ),
        )
        .map(drop)
    }

    fn clear_mailbox(&mut self, of: DeviceAddress) -> Result<(), StoreError> {
        let at = (of.account.as_bytes(), of.device.get());
        self.execute("DELETE FROM mail WHERE account = ? AND device = ?", at)?;
        self.execute("DELETE FROM mailboxes WHERE account = ? AND device = ?", at)
            .map(drop)
    }

    fn insert_mail(
        &mut self,
        of: DeviceAddress,
        expires: u64,
        envelope: &[u8],
    ) -> Result<u64, StoreError> {
        self.execute(
            "INSERT INTO mail (account, device, expires, envelope) VALUES (?, ?, ?, ?)",
            (of.account.as_bytes(), of.device.get(), expires, envelope),
        )?;
        u64::try_from(self.connection.last_insert_rowid()).map_err(|_| StoreError::Corrupt {
            what: "mail number",
        })
    }

    fn delete_mail(&mut self, of: DeviceAddress, seq: u64) -> Result<Option<u64>, StoreError> {
        let sizes = self.all(
            "DELETE FROM mail WHERE seq = ? AND account = ? AND device = ? \
             RETURNING length(envelope)",
            (seq, of.account.as_bytes(), of.device.get()),
            |row| row.get(0),
        )?;
        Ok(sizes.into_iter().next())
    }

    fn put_accepted(
        &mut self,
        sender: DeviceAddress,
        bundle: MessageId,
        server_timestamp: u64,
        forget_at: u64,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO accepted_bundles \
             (account, device, bundle, server_timestamp, forget_at) VALUES (?, ?, ?, ?, ?)",
            (
                sender.account.as_bytes(),
                sender.device.get(),
                bundle.as_bytes(),
                server_timestamp,
                forget_at,
            ),
        )
        .map(drop)
    }

    fn forget_accepted(&mut self, now: u64, rows_max: usize) -> Result<usize, StoreError> {
        self.execute(
            "DELETE FROM accepted_bundles WHERE (account, device, bundle) IN \
             (SELECT account, device, bundle FROM accepted_bundles WHERE forget_at <= ? LIMIT ?)",
            (now, rows_max),
        )
    }
}
