//! Who a socket is: passwords against their hashes.
//! It does not know where the header came from. Passwords are compared in constant time and never kept.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use wire::basic::Basic;

use super::{Caller, Failure, Moment, refused, refused_as};
use crate::limits::{DAY_MS, PASSWORD_MAX, PASSWORD_MIN};
use crate::store::{PasswordHash, Read, StoreError, Tx};

/// The device that a header names and proves.
///
/// # Errors
/// 401, with `account_gone` if there is no such account; or the store's failure.
pub fn authenticate(tx: &mut dyn Read, header: &str) -> Result<Caller, Failure> {
    let basic = Basic::parse(header).map_err(|_| refused(401))?;
    let address = basic.address().map_err(|_| refused(401))?;
    let Some(device) = tx.device(address)? else {
        return Err(match tx.account(address.account)? {
            Some(_) => refused(401),
            None => refused_as(401, "account_gone"),
        });
    };
    if !is_password(&basic.password, &device.password) {
        return Err(refused(401));
    }
    Ok(Caller {
        address,
        incarnation: device.incarnation,
        sign_in: None,
    })
}

/// Notes the day on which a device was last here.
///
/// # Errors
/// The store's.
pub fn note_seen(tx: &mut dyn Tx, caller: Caller, now: u64) -> Result<(), StoreError> {
    let today = start_of_day(now);
    match super::device_of(tx, caller)? {
        Some(mut device) if device.last_seen < today => {
            device.last_seen = today;
            tx.put_device(&device)
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) const fn start_of_day(now: u64) -> u64 {
    now - now % DAY_MS
}

pub(super) fn hash_password(
    moment: &mut Moment<'_>,
    password: &str,
) -> Result<PasswordHash, Failure> {
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&password.len()) {
        return Err(refused(422));
    }
    let salt = moment.random();
    Ok(PasswordHash {
        salt,
        hash: salted(&salt, password),
    })
}

pub(super) fn is_password(password: &str, expected: &PasswordHash) -> bool {
    salted(&expected.salt, password)
        .ct_eq(&expected.hash)
        .into()
}

fn salted(salt: &[u8; 16], password: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(password.as_bytes())
        .finalize()
        .into()
}
