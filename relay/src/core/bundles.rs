//! `PUT /v1/bundles` (ours): one send to several accounts, stored in all mailboxes or in none.
//!
//! Device check, storing and remembering are one transaction, so a device that is linked or removed
//! meanwhile is either wholly before or wholly after. The same bundle again is answered as the first
//! time, whatever the device sets are by then.

use wire::bundle::{AccountMismatch, Bundle, BundleAccepted, Recipient};
use wire::{AccountId, DeviceAddress, DeviceId, Envelope};

use super::fence::note_seal;
use super::mailbox::{Posting, post_all};
use super::sending::{DeviceSet, compare, required_devices, sendable};
use super::{Answer, Failure, Moment, refused};
use crate::limits::{BUNDLE_REMEMBERED_MS, MAIL_KEPT_MS, ONLINE_MAIL_KEPT_MS, TIMESTAMP_MAX};
use crate::store::{DeviceRow, FenceRow, KeyKind};

pub(super) fn send(
    moment: &mut Moment<'_>,
    sender: &DeviceRow,
    fence: Option<FenceRow>,
    body: &[u8],
) -> Result<Answer, Failure> {
    let bundle = Bundle::decode(body)?;
    let source = sender.address;
    if let Some(server_timestamp) = moment.tx.accepted(source, bundle.id)? {
        return Ok(accepted(server_timestamp));
    }
    if bundle.timestamp > TIMESTAMP_MAX {
        return Err(refused(422));
    }
    check_devices(moment, source, &bundle)?;
    let (bundle_id, seal) = (bundle.id, bundle.seal);
    let kept_ms = if bundle.online {
        ONLINE_MAIL_KEPT_MS
    } else {
        MAIL_KEPT_MS
    };
    let postings = postings(sender, bundle)?;
    let (server_timestamp, effects) = post_all(moment, postings, kept_ms)?;
    let forget_at = moment.now.saturating_add(BUNDLE_REMEMBERED_MS);
    moment
        .tx
        .put_accepted(source, bundle_id, server_timestamp, forget_at)?;
    note_seal(moment.tx, source, fence, seal)?;
    Ok(accepted(server_timestamp).with(effects))
}

fn accepted(server_timestamp: u64) -> Answer {
    Answer::protobuf(200, BundleAccepted { server_timestamp }.encode())
}

/// Every named account, and the sender's own whether it is named or not. A partial bundle names all that it is for:
/// exact sets protect an honest sender from missing a device, and nobody from the sender.
fn check_devices(
    moment: &mut Moment<'_>,
    source: DeviceAddress,
    bundle: &Bundle,
) -> Result<(), Failure> {
    let own = Recipient {
        account: source.account,
        messages: Vec::new(),
        without: Vec::new(),
    };
    let own = match bundle.recipient(source.account) {
        None if !bundle.partial => Some(&own),
        _ => None,
    };
    let mut mismatches = Vec::new();
    for recipient in bundle.recipients.iter().chain(own) {
        let mut found = mismatch(moment, source, recipient)?;
        if bundle.partial {
            found.missing.clear();
        }
        if is_wrong(&found) {
            mismatches.push(found);
        }
    }
    if mismatches.is_empty() {
        return Ok(());
    }
    let body = AccountMismatch::encode_all(&mismatches);
    Err(Failure::Refused(Answer::protobuf(409, body)))
}

fn mismatch(
    moment: &mut Moment<'_>,
    source: DeviceAddress,
    recipient: &Recipient,
) -> Result<AccountMismatch, Failure> {
    let account: AccountId = recipient.account;
    if moment.tx.account(account)?.is_none() {
        return Ok(AccountMismatch {
            account,
            missing: Vec::new(),
            extra: Vec::new(),
            stale: Vec::new(),
            gone: true,
        });
    }
    let actual = required_devices(moment, account, source)?;
    let messages = recipient
        .messages
        .iter()
        .map(|message| (message.device, message.registration_id.into()));
    // What the sender knows of and leaves out is not missing, as long as it is the incarnation that they know.
    let without = recipient
        .without
        .iter()
        .map(|left_out| (left_out.device, left_out.registration_id.into()));
    let named = messages.chain(without);
    let DeviceSet {
        mut missing,
        extra,
        stale,
    } = compare(&named, &actual);
    for left_out in &recipient.without {
        let address = DeviceAddress {
            account,
            device: left_out.device,
        };
        let key = moment.tx.signed_key(address, KeyKind::Ec)?;
        let wrong = extra.contains(&left_out.device) || stale.contains(&left_out.device);
        let missed = match left_out.signed_pre_key {
            // It has been online since the sender asked for its keys.
            Some(old) => key.is_some_and(|key| key.id != old),
            // Whom the account's key does not vouch for, nobody has to trust; of the others nobody may be left out.
            None => !is_certified(&actual, left_out.device),
        };
        if !wrong && missed {
            missing.push(left_out.device);
        }
    }
    Ok(AccountMismatch {
        account,
        missing,
        extra,
        stale,
        gone: false,
    })
}

fn is_certified(devices: &[DeviceRow], device: DeviceId) -> bool {
    let mut rows = devices.iter().filter(|row| row.address.device == device);
    rows.any(|row| !row.certificate.is_empty())
}

fn is_wrong(found: &AccountMismatch) -> bool {
    found.gone || !(found.missing.is_empty() && found.extra.is_empty() && found.stale.is_empty())
}

fn postings(sender: &DeviceRow, bundle: Bundle) -> Result<Vec<Posting>, Failure> {
    let Bundle {
        id: _,
        timestamp,
        urgent,
        seal: _,
        partial: _,
        online: _,
        recipients,
    } = bundle;
    let mut postings = Vec::new();
    for Recipient {
        account,
        messages,
        without: _,
    } in recipients
    {
        for message in messages {
            postings.push(Posting {
                to: DeviceAddress {
                    account,
                    device: message.device,
                },
                envelope: Envelope {
                    kind: sendable(message.kind.into())?,
                    source: sender.address,
                    destination: Some(account),
                    client_timestamp: timestamp,
                    server_timestamp: 0,
                    guid: None,
                    urgent,
                    certified: !sender.certificate.is_empty(),
                    content: message.content,
                },
            });
        }
    }
    Ok(postings)
}
