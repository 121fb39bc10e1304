//! The list of own devices, as the relay gives it.
//! It does not add or remove any (see `linking` and `removal`).

use wire::Response;
use wire::body::{DeviceInfo, Devices, from_json};

use super::general_refusal;
use crate::account::{self, Account};
use crate::device_name;
use crate::error::{Error, Refusal};
use crate::input::{Ticket, Timestamp};
use crate::output::{Device, Reply};
use crate::peers;
use crate::record::PeerRecord;
use crate::state::State;
use crate::trust;
use crate::tx::Tx;

impl State {
    /// The relay's list of own devices.
    pub(crate) async fn devices_answered(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let list = match (response.status, from_json::<Devices>(&response.body)) {
            (200, Ok(list)) => list.devices,
            (200, Err(_)) => {
                tx.resolve(ticket, Err(Refusal::RelayProtocol));
                return Ok(());
            }
            (status, _) => {
                tx.resolve(ticket, Err(general_refusal(status)));
                return Ok(());
            }
        };
        let mut peer = peers::record(tx, own.id()).await?;
        let before = peer.clone();
        let mut devices = Vec::with_capacity(list.len());
        for info in list {
            let known = peer.devices.iter().any(|d| d.device == u32::from(info.id));
            if info.id != own.address.device && !known {
                peers::add_device(&mut peer, info.id, 0, tx.now.0);
            }
            trust::note_own(&mut peer, &own, &info, tx.now.0);
            let mut device = device(&info, &own, &peer);
            if device.role.is_delegate() {
                device.name = self.label_of(tx, device.id).await?;
            }
            devices.push(device);
        }
        if peer != before {
            peers::put_own(tx, own.id(), &peer);
        }
        tx.resolve(ticket, Ok(Reply::Devices(devices)));
        Ok(())
    }
}

/// Names are for all own devices; those of an earlier version, and on a plain service, for who holds the account's key.
fn name(encrypted: &[u8], own: &Account) -> Option<String> {
    let shared = account::names_key(&own.record).ok()?;
    device_name::decrypt(encrypted, &shared)
        .or_else(|| device_name::decrypt(encrypted, &own.identity))
}

/// An own device as applications see it; a name that can't be read is empty.
pub(crate) fn device(info: &DeviceInfo, own: &Account, peer: &PeerRecord) -> Device {
    let current = info.id == own.address.device;
    Device {
        id: info.id,
        name: name(&info.name.0, own).unwrap_or_default(),
        current,
        role: if current {
            own.role()
        } else {
            trust::role(peer, info.id)
        },
        created: Timestamp(info.created),
        last_seen: Timestamp(info.last_seen),
    }
}
