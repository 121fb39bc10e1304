//! What every store must do, run on each: rows come back as written, order holds, and a job that is taken
//! back leaves nothing.

mod blobs;
mod recovery;

use std::collections::BTreeMap;

use wire::{AccountId, BlobId, DeviceAddress, DeviceId, MessageId};

use self::blobs::{
    blobs_come_back_and_are_found_when_they_end, the_blobs_of_an_account_that_goes_are_nobodys,
    what_was_done_to_blobs_is_taken_back,
};
use self::recovery::a_sealed_key_is_replaced_and_goes_with_its_account;
use super::memory::MemoryStore;
use super::sqlite::SqliteStore;
use super::{
    AccountRow, DeviceRow, FenceRow, KeyKind, KeyRow, Linked, MailboxRow, PageLimit, PasswordHash,
    Store, StoreError, TokenRow, Tx,
};

macro_rules! suite {
    ($($claim:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $claim() { super::$claim(super::MemoryStore::new()); })+
        }
        mod sqlite {
            $(#[test] fn $claim() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("relay.db");
                super::$claim(super::SqliteStore::open(&path).unwrap());
            })+
        }
    };
}

suite!(
    a_sealed_key_is_replaced_and_goes_with_its_account,
    accounts_are_found_by_id_and_by_handle,
    a_list_is_kept_with_its_account_and_ends_with_it,
    devices_come_by_account_and_in_order,
    keys_are_replaced_counted_and_taken_in_order,
    tokens_come_back_with_what_they_made,
    mail_comes_in_order_within_the_limits,
    mail_numbers_are_never_used_again,
    expired_mail_is_found_and_not_delivered,
    accepted_bundles_are_remembered_and_forgotten,
    a_fence_comes_back_and_goes_with_its_device,
    a_deleted_account_frees_its_handle_and_its_tokens,
    a_savepoint_takes_back_its_own_writes_only,
    a_rollback_takes_back_every_kind_of_row,
    blobs_come_back_and_are_found_when_they_end,
    the_blobs_of_an_account_that_goes_are_nobodys,
    what_was_done_to_blobs_is_taken_back,
);

fn address(account: u8, device: u32) -> DeviceAddress {
    DeviceAddress {
        account: AccountId::from_bytes([account; 16]),
        device: device.try_into().unwrap(),
    }
}

fn account(n: u8, handle: &str) -> AccountRow {
    AccountRow {
        id: AccountId::from_bytes([n; 16]),
        handle: handle.parse().unwrap(),
        identity_key: vec![5; 33],
        last_device: DeviceId::PRIMARY,
        created: 7,
        list: Vec::new(),
    }
}

fn device(at: DeviceAddress) -> DeviceRow {
    DeviceRow {
        address: at,
        incarnation: u64::MAX >> 1,
        registration_id: 0x3FFF.try_into().unwrap(),
        name: vec![0, 255],
        password: PasswordHash {
            salt: [1; 16],
            hash: [2; 32],
        },
        created: 8,
        last_seen: 9,
        capabilities: BTreeMap::from([("spqr".to_owned(), true)]),
        certificate: vec![1, 2],
    }
}

fn fence(n: u64) -> FenceRow {
    FenceRow {
        sign_ins: n,
        seals: n + 1,
    }
}

fn key(id: u32) -> KeyRow {
    KeyRow {
        id: id.try_into().unwrap(),
        public_key: vec![id.to_be_bytes()[3]; 33],
        signature: vec![3; 64],
    }
}

const ALL: PageLimit = PageLimit {
    envelopes: 100,
    bytes: usize::MAX,
};

fn commit<T>(store: &mut impl Store, job: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>) -> T {
    store.transaction(job).unwrap()
}

fn contents(store: &mut impl Store, of: DeviceAddress, limit: PageLimit) -> Vec<Vec<u8>> {
    let mail = store.mail_after(of, 0, limit, 0).unwrap().into_iter();
    mail.map(|mail| mail.envelope).collect()
}

fn accounts_are_found_by_id_and_by_handle(mut store: impl Store) {
    let alice = account(1, "alice");
    commit(&mut store, |tx| tx.insert_account(&alice));
    let found = store.account(alice.id).unwrap();
    assert_eq!(found.as_ref(), Some(&alice));
    assert_eq!(store.account_by_handle(&alice.handle).unwrap(), found);
    let nobody = "bob".parse().unwrap();
    assert_eq!(store.account_by_handle(&nobody).unwrap(), None);
}

fn a_list_is_kept_with_its_account_and_ends_with_it(mut store: impl Store) {
    let (alice, bob) = (account(1, "alice"), account(2, "bob"));
    commit(&mut store, |tx| {
        tx.insert_account(&alice)?;
        tx.insert_account(&bob)?;
        tx.put_list(alice.id, &[1])?;
        tx.put_list(alice.id, &[1, 2])
    });
    let listed = AccountRow {
        list: vec![1, 2],
        ..alice.clone()
    };
    assert_eq!(store.account(alice.id).unwrap(), Some(listed));
    assert_eq!(store.account(bob.id).unwrap(), Some(bob));
    commit(&mut store, |tx| {
        tx.delete_account(alice.id)?;
        tx.put_list(alice.id, &[3])
    });
    assert_eq!(store.account(alice.id).unwrap(), None);
}

fn devices_come_by_account_and_in_order(mut store: impl Store) {
    let all = [address(2, 1), address(1, 127), address(1, 1), address(1, 2)].map(device);
    commit(&mut store, |tx| {
        all.iter().try_for_each(|row| tx.put_device(row))
    });
    let found = store.devices(AccountId::from_bytes([1; 16])).unwrap();
    let ids: Vec<_> = found.iter().map(|row| row.address.device.get()).collect();
    assert_eq!(ids, [1, 2, 127]);
    let one = store.device(address(1, 127)).unwrap();
    assert_eq!(one, Some(device(address(1, 127))));
    commit(&mut store, |tx| tx.delete_device(address(1, 2)));
    assert_eq!(store.device(address(1, 2)).unwrap(), None);
    let renamed = DeviceRow {
        name: vec![1],
        ..device(address(1, 1))
    };
    commit(&mut store, |tx| tx.put_device(&renamed));
    assert_eq!(store.device(address(1, 1)).unwrap(), Some(renamed));
}

fn keys_are_replaced_counted_and_taken_in_order(mut store: impl Store) {
    let (of, other) = (address(1, 1), address(1, 2));
    commit(&mut store, |tx| {
        tx.put_signed_key(of, KeyKind::Ec, &key(1))?;
        tx.put_signed_key(of, KeyKind::Ec, &key(2))?;
        tx.replace_one_time(of, KeyKind::Kyber, &[key(9)])?;
        tx.replace_one_time(of, KeyKind::Ec, &[key(3), key(4)])?;
        tx.replace_one_time(of, KeyKind::Ec, &[key(8), key(5), key(7)])?;
        tx.replace_one_time(other, KeyKind::Ec, &[key(6)])
    });
    assert_eq!(store.signed_key(of, KeyKind::Ec).unwrap(), Some(key(2)));
    assert_eq!(store.signed_key(of, KeyKind::Kyber).unwrap(), None);
    assert_eq!(store.one_time_count(of, KeyKind::Ec).unwrap(), 3);
    let mut take = || commit(&mut store, |tx| tx.take_one_time(of, KeyKind::Ec));
    assert_eq!(
        [take(), take(), take()],
        [Some(key(8)), Some(key(5)), Some(key(7))]
    );
    assert_eq!(take(), None);
    assert_eq!(store.one_time_count(of, KeyKind::Kyber).unwrap(), 1);
    commit(&mut store, |tx| tx.delete_keys(of));
    assert_eq!(store.one_time_count(of, KeyKind::Kyber).unwrap(), 0);
    assert_eq!(store.signed_key(of, KeyKind::Ec).unwrap(), None);
    assert_eq!(store.one_time_count(other, KeyKind::Ec).unwrap(), 1);
}

fn tokens_come_back_with_what_they_made(mut store: impl Store) {
    let mut row = TokenRow {
        account: AccountId::from_bytes([1; 16]),
        expires: 5,
        device: Some(DeviceId::PRIMARY),
        linked: None,
        forget_at: 10,
    };
    commit(&mut store, |tx| tx.put_token("t", &row));
    assert_eq!(store.token("t").unwrap().as_ref(), Some(&row));
    row.linked = Some(Linked {
        device: DeviceId::PRIMARY,
        incarnation: 3,
    });
    commit(&mut store, |tx| tx.put_token("t", &row));
    assert_eq!(store.token("t").unwrap(), Some(row));
    assert_eq!(commit(&mut store, |tx| tx.forget_tokens(9, 5)), 0);
    assert_eq!(commit(&mut store, |tx| tx.forget_tokens(10, 5)), 1);
    assert_eq!(store.token("t").unwrap(), None);
}

fn mail_comes_in_order_within_the_limits(mut store: impl Store) {
    let (of, other) = (address(1, 1), address(1, 2));
    commit(&mut store, |tx| {
        for n in 1..=5 {
            tx.insert_mail(of, 100, &[n; 10])?;
            tx.insert_mail(other, 100, &[0])?;
        }
        tx.put_mailbox(
            of,
            MailboxRow {
                clock: 1,
                envelopes: 5,
                bytes: 50,
                taken: 3,
            },
        )
    });
    let five: Vec<_> = (1..=5).map(|n| vec![n; 10]).collect();
    assert_eq!(contents(&mut store, of, ALL), five);
    let limit = |envelopes, bytes| PageLimit { envelopes, bytes };
    assert_eq!(contents(&mut store, of, limit(2, 1000)), five[..2]);
    assert_eq!(contents(&mut store, of, limit(9, 11)), five[..2]);
    assert_eq!(contents(&mut store, of, limit(9, 1)), five[..1]);
    let page = store.mail_after(of, 0, limit(2, 1000), 0).unwrap();
    let rest = store.mail_after(of, page[1].seq, ALL, 0).unwrap();
    assert_eq!((rest.len(), &rest[0].envelope), (3, &five[2]));
    assert_eq!(store.newest_mail(of).unwrap(), rest[2].seq);
    let seq = page[0].seq;
    assert_eq!(commit(&mut store, |tx| tx.delete_mail(other, seq)), None);
    assert_eq!(commit(&mut store, |tx| tx.delete_mail(of, seq)), Some(10));
    assert_eq!(commit(&mut store, |tx| tx.delete_mail(of, seq)), None);
    let row = store.mailbox(of).unwrap();
    assert_eq!((row.envelopes, row.taken), (5, 3));
    commit(&mut store, |tx| tx.clear_mailbox(of));
    assert_eq!(store.mailbox(of).unwrap(), MailboxRow::default());
    assert_eq!(store.newest_mail(of).unwrap(), 0);
    assert_eq!(contents(&mut store, other, ALL).len(), 5);
}

fn mail_numbers_are_never_used_again(mut store: impl Store) {
    let of = address(1, 1);
    let first = commit(&mut store, |tx| tx.insert_mail(of, 1, b"a"));
    commit(&mut store, |tx| tx.delete_mail(of, first));
    let second = commit(&mut store, |tx| tx.insert_mail(of, 1, b"b"));
    assert!(second > first);
}

fn expired_mail_is_found_and_not_delivered(mut store: impl Store) {
    let of = address(1, 1);
    let seq = commit(&mut store, |tx| {
        let seq = tx.insert_mail(of, 10, b"old")?;
        tx.insert_mail(of, 20, b"new")?;
        Ok(seq)
    });
    assert_eq!(store.mail_after(of, 0, ALL, 9).unwrap().len(), 2);
    assert_eq!(store.mail_after(of, 0, ALL, 10).unwrap().len(), 1);
    assert_eq!(store.expired_mail(9, 5).unwrap(), []);
    let expired = store.expired_mail(10, 5).unwrap();
    assert_eq!((expired.len(), expired[0].seq), (1, seq));
    assert_eq!(store.expired_mail(99, 1).unwrap().len(), 1);
}

fn accepted_bundles_are_remembered_and_forgotten(mut store: impl Store) {
    let (of, id) = (address(1, 1), MessageId::from_bytes([4; 16]));
    commit(&mut store, |tx| tx.put_accepted(of, id, 77, 100));
    assert_eq!(store.accepted(of, id).unwrap(), Some(77));
    assert_eq!(store.accepted(address(1, 2), id).unwrap(), None);
    assert_eq!(commit(&mut store, |tx| tx.forget_accepted(100, 5)), 1);
    assert_eq!(store.accepted(of, id).unwrap(), None);
}

fn a_fence_comes_back_and_goes_with_its_device(mut store: impl Store) {
    let (of, other) = (address(1, 1), address(1, 2));
    let id = MessageId::from_bytes([4; 16]);
    assert_eq!(store.fence(of).unwrap(), None);
    commit(&mut store, |tx| {
        tx.put_device(&device(of))?;
        tx.put_fence(of, fence(1))?;
        tx.put_fence(of, fence(2))?;
        tx.put_fence(other, fence(3))?;
        tx.put_accepted(of, id, 77, 100)?;
        tx.put_accepted(other, id, 77, 100)
    });
    assert_eq!(store.fence(of).unwrap(), Some(fence(2)));
    commit(&mut store, |tx| tx.delete_device(of));
    assert_eq!(store.fence(of).unwrap(), None);
    assert_eq!(store.accepted(of, id).unwrap(), None);
    assert_eq!(store.fence(other).unwrap(), Some(fence(3)));
    assert_eq!(store.accepted(other, id).unwrap(), Some(77));
}

fn a_deleted_account_frees_its_handle_and_its_tokens(mut store: impl Store) {
    let (alice, bob) = (account(1, "alice"), account(2, "bob"));
    let token = |account: &AccountRow, linked| TokenRow {
        account: account.id,
        expires: 5,
        device: None,
        linked,
        forget_at: 10,
    };
    let linked = Some(Linked {
        device: DeviceId::PRIMARY,
        incarnation: 3,
    });
    commit(&mut store, |tx| {
        tx.insert_account(&alice)?;
        tx.insert_account(&bob)?;
        tx.put_token("open", &token(&alice, None))?;
        tx.put_token("used", &token(&alice, linked))?;
        tx.put_token("bob's", &token(&bob, None))?;
        tx.put_last_device(bob.id, address(2, 9).device)?;
        tx.end_tokens(alice.id)
    });
    assert_eq!(store.token("open").unwrap(), None);
    assert!(store.token("used").unwrap().is_some());
    commit(&mut store, |tx| tx.delete_account(alice.id));
    assert_eq!(store.account(alice.id).unwrap(), None);
    assert_eq!(store.token("used").unwrap(), None);
    assert!(store.token("bob's").unwrap().is_some());
    let last = store.account(bob.id).unwrap().unwrap().last_device;
    assert_eq!(last.get(), 9);
    let again = account(3, "alice");
    commit(&mut store, |tx| tx.insert_account(&again));
    let found = store.account_by_handle(&again.handle).unwrap();
    assert_eq!(found, Some(again));
}

fn a_savepoint_takes_back_its_own_writes_only(mut store: impl Store) {
    let of = address(1, 1);
    store.begin().unwrap();
    for (n, keep) in [(1, true), (2, false), (3, true)] {
        store.savepoint().unwrap();
        store.insert_mail(of, 100, &[n]).unwrap();
        if keep {
            store.release().unwrap();
        } else {
            store.rollback_to().unwrap();
        }
    }
    store.commit().unwrap();
    assert_eq!(contents(&mut store, of, ALL), [[1], [3]]);
}

fn a_rollback_takes_back_every_kind_of_row(mut store: impl Store) {
    let at = address(1, 1);
    commit(&mut store, |tx| {
        tx.insert_mail(at, 100, b"before")?;
        tx.replace_one_time(at, KeyKind::Ec, &[key(1)])
    });
    let failed = store.transaction(|tx| {
        tx.insert_account(&account(1, "alice"))?;
        tx.put_device(&device(at))?;
        tx.put_signed_key(at, KeyKind::Ec, &key(1))?;
        tx.take_one_time(at, KeyKind::Ec)?;
        tx.clear_mailbox(at)?;
        tx.put_accepted(at, MessageId::from_bytes([1; 16]), 1, 1)?;
        tx.put_fence(at, fence(1))?;
        Err::<(), _>(StoreError::Corrupt { what: "test" })
    });
    assert!(failed.is_err());
    assert_eq!(store.account(at.account).unwrap(), None);
    assert_eq!(
        store.account_by_handle(&"alice".parse().unwrap()).unwrap(),
        None
    );
    assert_eq!(store.device(at).unwrap(), None);
    assert_eq!(store.signed_key(at, KeyKind::Ec).unwrap(), None);
    assert_eq!(store.one_time_count(at, KeyKind::Ec).unwrap(), 1);
    assert_eq!(contents(&mut store, at, ALL), [b"before"]);
    let id = MessageId::from_bytes([1; 16]);
    assert_eq!(store.accepted(at, id).unwrap(), None);
    assert_eq!(store.fence(at).unwrap(), None);
}
