//! The fence: a device that was copied, or restored from an older state, sends nothing.
//!
//! A device counts what it does, and stores each count before what it counts leaves it. The relay remembers how far it
//! has seen the device to be. Whoever then says less is not the device that was seen, or is that device
//! without its memory; and of two copies, the one that signs in first is the device. It is for devices that ask for it:
//! one that never did is not held to it. What was refused is not remembered.

use wire::DeviceAddress;
use wire::fence::{Fence, ROLLED_BACK};

use super::{Answer, Caller, Failure, refused, refused_as};
use crate::limits::FENCE_RETRY_S;
use crate::store::{DeviceRow, FenceRow, Tx};

/// `PUT /v1/devices/fence` (ours).
pub(super) fn agree(tx: &mut dyn Tx, device: &DeviceRow, body: &[u8]) -> Result<Answer, Failure> {
    let Fence {
        sign_ins,
        seals,
        received,
    } = wire::body::from_json(body)?;
    if sign_ins > COUNT_MAX {
        return Err(refused(422)); // else one request could lock the device out for good
    }
    let at = device.address;
    let seen = tx.fence(at)?.unwrap_or_default();
    if sign_ins <= seen.sign_ins || seals < seen.seals || received < tx.mailbox(at)?.taken {
        return Err(refused_as(409, ROLLED_BACK));
    }
    tx.put_fence(at, FenceRow { sign_ins, ..seen })?;
    Ok(Answer::empty(204))
}

/// Of a device with a fence only the socket may send on which it was agreed to last: an older one is about to be
/// closed, and may be another copy's.
pub(super) fn check(tx: &mut dyn Tx, caller: Option<Caller>) -> Result<Option<FenceRow>, Failure> {
    let caller = caller.ok_or_else(|| refused(401))?;
    match tx.fence(caller.address)? {
        Some(fence) if caller.sign_in != Some(fence.sign_ins) => Err(Failure::Refused(Answer {
            retry_after_s: Some(FENCE_RETRY_S),
            ..Answer::empty(503)
        })),
        fence => Ok(fence),
    }
}

/// Notes the number of a sealing that was accepted.
pub(super) fn note_seal(
    tx: &mut dyn Tx,
    device: DeviceAddress,
    fence: Option<FenceRow>,
    seal: u64,
) -> Result<(), Failure> {
    match fence {
        Some(_) if seal > COUNT_MAX => Err(refused(422)),
        Some(fence) if seal > fence.seals => {
            let seals = seal;
            Ok(tx.put_fence(device, FenceRow { seals, ..fence })?)
        }
        Some(_) | None => Ok(()),
    }
}

/// Databases and JavaScript count this far; nobody does so by sending.
const COUNT_MAX: u64 = 1 << 53;
