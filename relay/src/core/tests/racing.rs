//! What happens between two reads of one answer, since reading goes on while others write.
//! A store that is written to at that moment plays the other side.

use wire::{AccountId, BlobId, DeviceAddress, Handle, MessageId};

use super::scene;
use crate::core::mailbox::page;
use crate::store::memory::MemoryStore;
use crate::store::{
    AccountRow, BlobRead, BlobRow, BlobUse, DeviceRow, ExpiredMail, FenceRow, KeyKind, KeyRow,
    Mail, MailboxRow, PageLimit, Read, RecoveryRead, RecoveryRow, StoreError, TokenRow, Tx as _,
};

/// An envelope is appended after the first look into the mailbox.
struct Racing<'s> {
    store: &'s mut MemoryStore,
    looks: u32,
    came: u64,
}

impl Racing<'_> {
    fn looked(&mut self, mailbox: DeviceAddress) {
        self.looks += 1;
        if self.looks == 1 {
            self.store.insert_mail(mailbox, u64::MAX, b"late").unwrap();
            self.came = self.store.newest_mail(mailbox).unwrap();
        }
    }
}

fn other<T>() -> Result<T, StoreError> {
    Err(StoreError::Corrupt {
        what: "nobody asks for this",
    })
}

impl BlobRead for Racing<'_> {
    fn blob(&mut self, _: BlobId) -> Result<Option<BlobRow>, StoreError> {
        other()
    }
    fn ended_blobs(&mut self, _: u64, _: usize) -> Result<Vec<BlobId>, StoreError> {
        other()
    }
    fn blob_use(&mut self, _: AccountId) -> Result<Option<BlobUse>, StoreError> {
        other()
    }
}

impl RecoveryRead for Racing<'_> {
    fn recovery(&mut self, _: AccountId) -> Result<Option<RecoveryRow>, StoreError> {
        other()
    }
}

impl Read for Racing<'_> {
    fn device(&mut self, address: DeviceAddress) -> Result<Option<DeviceRow>, StoreError> {
        self.store.device(address)
    }
    fn mail_after(
        &mut self,
        mailbox: DeviceAddress,
        after: u64,
        limit: PageLimit,
        now: u64,
    ) -> Result<Vec<Mail>, StoreError> {
        let mail = self.store.mail_after(mailbox, after, limit, now);
        self.looked(mailbox);
        mail
    }
    fn newest_mail(&mut self, mailbox: DeviceAddress) -> Result<u64, StoreError> {
        let newest = self.store.newest_mail(mailbox);
        self.looked(mailbox);
        newest
    }
    fn account(&mut self, _: AccountId) -> Result<Option<AccountRow>, StoreError> {
        other()
    }
    fn account_by_handle(&mut self, _: &Handle) -> Result<Option<AccountRow>, StoreError> {
        other()
    }
    fn devices(&mut self, _: AccountId) -> Result<Vec<DeviceRow>, StoreError> {
        other()
    }
    fn signed_key(&mut self, _: DeviceAddress, _: KeyKind) -> Result<Option<KeyRow>, StoreError> {
        other()
    }
    fn one_time_count(&mut self, _: DeviceAddress, _: KeyKind) -> Result<u32, StoreError> {
        other()
    }
    fn token(&mut self, _: &str) -> Result<Option<TokenRow>, StoreError> {
        other()
    }
    fn fence(&mut self, _: DeviceAddress) -> Result<Option<FenceRow>, StoreError> {
        other()
    }
    fn mailbox(&mut self, _: DeviceAddress) -> Result<MailboxRow, StoreError> {
        other()
    }
    fn expired_mail(&mut self, _: u64, _: usize) -> Result<Vec<ExpiredMail>, StoreError> {
        other()
    }
    fn accepted(&mut self, _: DeviceAddress, _: MessageId) -> Result<Option<u64>, StoreError> {
        other()
    }
}

#[test]
fn what_comes_while_a_mailbox_is_looked_into_is_not_passed_over() {
    let mut scene = scene();
    let caller = scene.b1.caller;
    let mut racing = Racing {
        store: &mut scene.bench.store,
        looks: 0,
        came: 0,
    };
    let found = page(&mut racing, caller, 0, 1).unwrap();
    // Whoever gets this goes on behind the last envelope, or, without one, behind `newest`.
    let goes_on = found.mail.last().map_or(found.newest, |last| last.seq);
    let has_it = found.mail.iter().any(|mail| mail.seq == racing.came);
    assert!(racing.came > 0 && (has_it || goes_on < racing.came));
}
