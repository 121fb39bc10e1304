//! What a person lets another device have of earlier messages: chosen with the approval, kept until the device is there.
//!
//! If the page that approved it dies first, a device that nobody knew then and that asks for contacts is the one, as long
//! as nothing else was approved meanwhile. It does not know how history travels.

use sha2::{Digest as _, Sha256};
use wire::{AccountId, DeviceId};

use crate::content::OwnDevice;
use crate::error::{Error, Refusal};
use crate::input::{HistoryChoice, Ticket};
use crate::limits::HISTORY_CHOICE_MS;
use crate::linking;
use crate::output::Reply;
use crate::peers;
use crate::record::{ChosenRecord, Record as _, key};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::trust;
use crate::tx::Tx;

impl State {
    /// Keeps what was chosen for the device that shows this URI.
    pub(crate) async fn choose_history(
        &mut self,
        tx: &mut Tx<'_>,
        uri: &str,
        choice: HistoryChoice,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let at = match place(uri) {
            Ok(at) => at,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let conversations = match self.named_conversations(tx, &choice).await? {
            Ok(conversations) => conversations,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let own = self.own_id()?;
        let peer = peers::record(tx, own).await?;
        let record = ChosenRecord {
            is_none: choice.is_nothing(),
            days: days(&choice),
            conversations,
            known: peers::current(&peer).map(|(id, _)| id.get()).collect(),
            at: tx.now.0,
        };
        tx.put(&at, &record);
        Ok(Ok(Reply::Done))
    }

    /// The accounts of the conversations that were chosen; none: all of them.
    pub(crate) async fn named_conversations(
        &mut self,
        tx: &mut Tx<'_>,
        choice: &HistoryChoice,
    ) -> Result<Result<Vec<Vec<u8>>, Refusal>, Error> {
        let HistoryChoice::Some {
            conversations: Some(names),
            ..
        } = choice
        else {
            return Ok(Ok(Vec::new()));
        };
        let mut accounts = Vec::new();
        for name in names {
            match self.conversation(tx, name).await? {
                Some(id) => accounts.push(id.as_bytes().to_vec()),
                None => return Ok(Err(Refusal::UnknownConversation)),
            }
        }
        Ok(Ok(accounts))
    }

    /// The relay is asked to let a device in: with what was chosen for it.
    pub(crate) fn note_approval(&mut self, ticket: Ticket, uri: &str) {
        if let Ok(at) = place(uri) {
            self.history.approving.insert(ticket, at);
        }
    }

    /// The device that was approved with this command is there.
    pub(crate) async fn approved_device_came(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        device: DeviceId,
    ) -> Result<(), Error> {
        let Some(at) = self.history.approving.remove(&ticket) else {
            return Ok(());
        };
        let Some(chosen) = tx.get::<ChosenRecord>(&at).await? else {
            return Ok(()); // it has asked already
        };
        tx.delete(Table::Transfers, &at);
        self.start_chosen(tx, device, chosen).await
    }

    /// An own device asks for what a new one needs: perhaps the page that approved it is gone.
    pub(crate) async fn new_device_asks(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
    ) -> Result<(), Error> {
        let device = from.address().device;
        forget(tx).await?;
        let mut waiting = Vec::new();
        for (at, bytes) in tx.scan(chosen()).await? {
            waiting.push((at, ChosenRecord::read(&bytes)?));
        }
        let Some((at, record)) = waiting.pop().filter(|_| waiting.is_empty()) else {
            return Ok(());
        };
        if record.known.contains(&device.get()) {
            return Ok(());
        }
        tx.delete(Table::Transfers, &at);
        self.start_chosen(tx, device, record).await
    }

    async fn start_chosen(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        chosen: ChosenRecord,
    ) -> Result<(), Error> {
        let own = peers::record(tx, self.own_id()?).await?;
        let is_delegate = trust::role(&own, device).is_delegate();
        if chosen.is_none || self.is_plain() || is_delegate {
            return Ok(());
        }
        let of = |bytes: &Vec<u8>| AccountId::from_slice(bytes).ok();
        let only: Vec<AccountId> = chosen.conversations.iter().filter_map(of).collect();
        self.start_history(tx, device, chosen.days, &only).await
    }
}

/// Choices for devices that did not come in time.
pub(super) async fn forget(tx: &mut Tx<'_>) -> Result<(), Error> {
    for (at, bytes) in tx.scan(chosen()).await? {
        let record = ChosenRecord::read(&bytes)?;
        if record.at.saturating_add(HISTORY_CHOICE_MS) <= tx.now.0 {
            tx.delete(Table::Transfers, &at);
        }
    }
    Ok(())
}

/// Of how many days; 0: all.
pub(crate) const fn days(choice: &HistoryChoice) -> u32 {
    match choice {
        HistoryChoice::None => 0,
        HistoryChoice::Some { days, .. } => match days {
            Some(days) => *days,
            None => 0,
        },
    }
}

fn chosen() -> Scan {
    Scan::prefix(Table::Transfers, key::HISTORY_CHOSEN, 256)
}

/// For the device that shows this URI, or whose run has this name.
fn place(device: &str) -> Result<Vec<u8>, Refusal> {
    let is_run = device.len() == 32 && device.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = if is_run {
        Sha256::digest(device)
    } else {
        Sha256::digest(linking::parse(device)?.public_key)
    };
    Ok([key::HISTORY_CHOSEN, name.as_slice()].concat())
}
