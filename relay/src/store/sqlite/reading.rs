//! Every question to the database: one method, one statement, one kind of row.
//! It has no rules and begins no transaction.

use rusqlite::Row;
use rusqlite::types::Type;
use wire::{AccountId, DeviceAddress, Handle, MessageId};

use super::{SqliteStore, account_id, address, bad_column, device_id, key_row, kind_number};
use crate::store::{
    AccountRow, DeviceRow, ExpiredMail, FenceRow, KeyKind, KeyRow, Linked, Mail, MailboxRow,
    PageLimit, PasswordHash, Read, StoreError, TokenRow,
};

impl Read for SqliteStore {
    fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.one(
            "SELECT account, handle, identity_key, created, last_device, list FROM accounts WHERE account = ?",
            [id.as_bytes()],
            account_row,
        )
    }

    fn account_by_handle(&mut self, handle: &Handle) -> Result<Option<AccountRow>, StoreError> {
        self.one(
            "SELECT account, handle, identity_key, created, last_device, list FROM accounts WHERE handle = ?",
            [handle.as_str()],
            account_row,
        )
    }

    fn device(&mut self, at: DeviceAddress) -> Result<Option<DeviceRow>, StoreError> {
        self.one(
            "SELECT account, device, incarnation, registration_id, name, password_salt, \
             password_hash, created, last_seen, capabilities, certificate FROM devices \
             WHERE account = ? AND device = ?",
            (at.account.as_bytes(), at.device.get()),
            device_row,
        )
    }

    fn devices(&mut self, account: AccountId) -> Result<Vec<DeviceRow>, StoreError> {
        self.all(
            "SELECT account, device, incarnation, registration_id, name, password_salt, \
             password_hash, created, last_seen, capabilities, certificate FROM devices \
             WHERE account = ? ORDER BY device",
            [account.as_bytes()],
            device_row,
        )
    }

    fn signed_key(
        &mut self,
        of: DeviceAddress,
        kind: KeyKind,
    ) -> Result<Option<KeyRow>, StoreError> {
        self.one(
            "SELECT key_id, public_key, signature FROM signed_keys \
             WHERE account = ? AND device = ? AND kind = ?",
            (of.account.as_bytes(), of.device.get(), kind_number(kind)),
            key_row,
        )
    }

    fn one_time_count(&mut self, of: DeviceAddress, kind: KeyKind) -> Result<u32, StoreError> {
        let count = self.one(
            "SELECT count(*) FROM one_time_keys WHERE account = ? AND device = ? AND kind = ?",
            (of.account.as_bytes(), of.device.get(), kind_number(kind)),
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    fn token(&mut self, identifier: &str) -> Result<Option<TokenRow>, StoreError> {
        self.one(
            "SELECT account, expires, linked_device, linked_incarnation, forget_at, device \
             FROM link_tokens WHERE identifier = ?",
            [identifier],
            |row| {
                let linked = match (row.get::<_, Option<u32>>(2)?, row.get::<_, Option<u64>>(3)?) {
                    (Some(_), Some(incarnation)) => Some(Linked {
                        device: device_id(row, 2)?,
                        incarnation,
                    }),
                    _ => None,
                };
                Ok(TokenRow {
                    account: account_id(row, 0)?,
                    expires: row.get(1)?,
                    device: match row.get::<_, u32>(5)? {
                        0 => None,
                        _ => Some(device_id(row, 5)?),
                    },
                    linked,
                    forget_at: row.get(4)?,
                })
            },
        )
    }

    fn fence(&mut self, of: DeviceAddress) -> Result<Option<FenceRow>, StoreError> {
        self.one(
            "SELECT sign_ins, seals FROM fences WHERE account = ? AND device = ?",
            (of.account.as_bytes(), of.device.get()),
            |row| {
                Ok(FenceRow {
                    sign_ins: row.get(0)?,
                    seals: row.get(1)?,
                })
            },
        )
    }

    fn mailbox(&mut self, of: DeviceAddress) -> Result<MailboxRow, StoreError> {
        let row = self.one(
            "SELECT clock, envelopes, bytes, taken FROM mailboxes WHERE account = ? AND device = ?",
            (of.account.as_bytes(), of.device.get()),
            |row| {
                Ok(MailboxRow {
                    clock: row.get(0)?,
                    envelopes: row.get(1)?,
                    bytes: row.get(2)?,
                    taken: row.get(3)?,
                })
            },
        )?;
        Ok(row.unwrap_or_default())
    }

    fn mail_after(
        &mut self,
        of: DeviceAddress,
        after: u64,
        limit: PageLimit,
        now: u64,
    ) -> Result<Vec<Mail>, StoreError> {
        let mut statement = self.prepare(
            "SELECT seq, envelope FROM mail \
             WHERE account = ? AND device = ? AND seq > ? AND expires > ? ORDER BY seq LIMIT ?",
        )?;
        let mut rows = statement.query((
            of.account.as_bytes(),
            of.device.get(),
            after,
            now,
            limit.envelopes,
        ))?;
        let mut page = Vec::new();
        let mut bytes = 0;
        while bytes < limit.bytes
            && let Some(row) = rows.next()?
        {
            let mail = Mail {
                seq: row.get(0)?,
                envelope: row.get(1)?,
            };
            bytes += mail.envelope.len();
            page.push(mail);
        }
        Ok(page)
    }

    fn newest_mail(&mut self, of: DeviceAddress) -> Result<u64, StoreError> {
        let newest = self.one(
            "SELECT max(seq) FROM mail WHERE account = ? AND device = ?",
            (of.account.as_bytes(), of.device.get()),
            |row| row.get::<_, Option<u64>>(0),
        )?;
        Ok(newest.flatten().unwrap_or(0))
    }

    fn expired_mail(&mut self, now: u64, rows_max: usize) -> Result<Vec<ExpiredMail>, StoreError> {
        self.all(
            "SELECT account, device, seq FROM mail WHERE expires <= ? ORDER BY expires LIMIT ?",
            (now, rows_max),
            |row| {
                Ok(ExpiredMail {
                    mailbox: address(row, 0)?,
                    seq: row.get(2)?,
                })
            },
        )
    }

    fn accepted(
        &mut self,
        sender: DeviceAddress,
        bundle: MessageId,
    ) -> Result<Option<u64>, StoreError> {
        self.one(
            "SELECT server_timestamp FROM accepted_bundles \
             WHERE account = ? AND device = ? AND bundle = ?",
            (
                sender.account.as_bytes(),
                sender.device.get(),
                bundle.as_bytes(),
            ),
            |row| row.get(0),
        )
    }
}

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: account_id(row, 0)?,
        handle: row
            .get::<_, String>(1)?
            .parse()
            .map_err(|_| bad_column(1, Type::Text))?,
        identity_key: row.get(2)?,
        created: row.get(3)?,
        last_device: device_id(row, 4)?,
        list: row.get(5)?,
    })
}

fn device_row(row: &Row<'_>) -> rusqlite::Result<DeviceRow> {
    Ok(DeviceRow {
        address: address(row, 0)?,
        incarnation: row.get(2)?,
        registration_id: row
            .get::<_, u32>(3)?
            .try_into()
            .map_err(|_| bad_column(3, Type::Integer))?,
        name: row.get(4)?,
        password: PasswordHash {
            salt: row.get(5)?,
            hash: row.get(6)?,
        },
        created: row.get(7)?,
        last_seen: row.get(8)?,
        capabilities: wire::body::from_json(row.get::<_, String>(9)?.as_bytes())
            .map_err(|_| bad_column(9, Type::Text))?,
        certificate: row.get(10)?,
    })
}
