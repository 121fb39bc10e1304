//! Own devices tell each other of registers: what was written here goes to the others, and a new device gets all.
//!
//! What is to be told is a mark for each register, not a queue: however often a register is written while there is no
//! connection, it is told once, as it then is. It knows no rule (see `rule`) and not what registers mean.

use prost::Message as _;
use wire::certificate::Role;
use wire::proto::service::{AppMessage, Content, Register as Told, SyncMessage};

use super::space::{Place, STAFF};
use super::{Effects, Merged, Register, merge, read, signal};
use crate::account::Account;
use crate::contacts;
use crate::content::OwnDevice;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{
    AWAY_MS, OUTBOX_MAX, REGISTERS_TOLD_BYTES, REGISTERS_TOLD_MESSAGES, REGISTERS_TOLD_ROWS,
};
use crate::output::{AppEvent, Event};
use crate::record::{OutboxRecord, UntoldRecord, key};
use crate::registers::rule::CLOCK_MAX;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;

impl State {
    pub(super) fn mark_untold(&mut self, tx: &mut Tx<'_>, place: &Place) {
        tx.put(&place.key(), &UntoldRecord::default());
        self.untold = true;
        self.outbox.due = true;
    }

    /// Whether this device, which is coming online, was away for so long that it may have missed what it was told.
    pub(crate) fn was_away(&mut self, tx: &mut Tx<'_>) -> bool {
        let before = std::mem::replace(&mut self.clock.online_at, tx.now.0);
        self.save_clock(tx);
        before != 0 && Timestamp(before).plus_ms(AWAY_MS) <= tx.now
    }

    /// An own device that knows nothing yet has asked: it is told of every register, then of the contacts.
    pub(crate) async fn tell_all(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.each_row(Table::Registers, |tx, at, _| {
            tx.put(&at, &UntoldRecord::default());
            Ok(())
        })
        .await?;
        tx.put(key::UNTOLD_CONTACTS, &UntoldRecord::default());
        self.untold = true;
        self.outbox.due = true;
        Ok(())
    }

    /// Puts what is untold into messages to own other devices, as much as may wait there at once. The next part is
    /// made when that has gone out, of what the registers then hold.
    pub(crate) async fn tell_registers(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let own = self.account.as_ref().map(Account::id);
        if !self.untold || self.outbox.has(own) {
            return Ok(());
        }
        let rows = tx
            .scan(Scan::all(Table::Untold, REGISTERS_TOLD_ROWS))
            .await?;
        self.untold = rows.len() >= REGISTERS_TOLD_ROWS;
        let keys = rows.iter().map(|(at, _)| (Table::Registers, at.clone()));
        tx.prefetch(keys.collect()).await?;
        let (mut part, mut size, mut messages) = (Vec::new(), 0, 0);
        for (at, _) in rows {
            if messages >= REGISTERS_TOLD_MESSAGES {
                self.untold = true;
                break;
            }
            if at == key::UNTOLD_CONTACTS {
                self.send_registers(tx, std::mem::take(&mut part));
                self.send_contacts(tx).await?;
            } else if let Some(told) = told(tx, &at).await? {
                let len = told.encoded_len();
                if size + len > REGISTERS_TOLD_BYTES {
                    self.send_registers(tx, std::mem::take(&mut part));
                    (size, messages) = (0, messages + 1);
                }
                size += len;
                part.push(told);
            }
            tx.delete(Table::Untold, &at);
        }
        self.send_registers(tx, part);
        Ok(())
    }

    /// A register that Signal's clients are told of too, in their words: at once, since they know no registers.
    pub(super) fn tell_with(
        &mut self,
        tx: &mut Tx<'_>,
        place: &Place,
        register: Register,
        message: SyncMessage,
    ) {
        if self.outbox.len() >= OUTBOX_MAX {
            self.mark_untold(tx, place);
            return;
        }
        let told = vec![as_told(place.clone(), register)];
        let message = SyncMessage {
            registers: told,
            ..message
        };
        self.enqueue_sync(tx, message);
    }

    /// Takes over what another own device, of Signal's, has said at this time.
    pub(crate) async fn apply_signal(
        &mut self,
        tx: &mut Tx<'_>,
        message: &SyncMessage,
        time: u64,
    ) -> Result<(), Error> {
        if !self.is_plain() {
            return Ok(());
        }
        let mut effects = Effects::default();
        for (place, value) in signal::said(message) {
            let register = Register {
                clock: time.clamp(1, CLOCK_MAX),
                value: Some(value),
            };
            let merged = merge(tx, &place, &register).await?;
            effects.note(tx, &place, &register, merged).await?;
        }
        effects.tell(tx).await
    }

    fn send_registers(&mut self, tx: &mut Tx<'_>, registers: Vec<Told>) {
        if !registers.is_empty() {
            let message = SyncMessage {
                registers,
                ..SyncMessage::default()
            };
            self.enqueue_sync(tx, message);
        }
    }

    async fn send_contacts(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for snapshot in contacts::snapshot(tx).await? {
            let message = SyncMessage {
                contact_snapshot: Some(snapshot),
                ..SyncMessage::default()
            };
            self.enqueue_sync(tx, message);
        }
        Ok(())
    }

    /// A message to own devices was given up: its registers are told again with the next connection, and what a new
    /// device has asked for is asked for again.
    pub(crate) fn not_told(&mut self, tx: &mut Tx<'_>, entry: &OutboxRecord) {
        let content = Content::decode(entry.transcript.as_slice()).unwrap_or_default();
        let message = content.sync_message.unwrap_or_default();
        for place in message.registers.iter().filter_map(place) {
            tx.put(&place.key(), &UntoldRecord::default());
        }
        if message.request.is_some()
            && let Some(account) = &mut self.account
        {
            account.record.wants_contacts = true;
            tx.put(key::ACCOUNT, &account.record);
        }
    }

    /// Takes over what another own device has told, by rule. Nobody is told again: whoever writes, tells all.
    pub(crate) async fn apply_told(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
        told: Vec<Told>,
        message: Option<AppMessage>,
    ) -> Result<(), Error> {
        self.apply_registers(tx, from.role(), told).await?;
        if let Some(content) = message.and_then(|message| message.content) {
            let from = from.address().device;
            tx.emit(Event::App(AppEvent::Message { from, content }));
        }
        Ok(())
    }

    /// Takes over registers of another own device, by rule.
    pub(crate) async fn apply_registers(
        &mut self,
        tx: &mut Tx<'_>,
        by: Role,
        mut told: Vec<Told>,
    ) -> Result<(), Error> {
        // Whom the account has let in is for owners to say.
        told.retain(|told| told.space() != STAFF || by == Role::Owner);
        let places: Vec<Place> = told.iter().filter_map(place).collect();
        let keys = places.iter().map(|place| (Table::Registers, place.key()));
        tx.prefetch(keys.collect()).await?;
        let mut effects = Effects::default();
        for told in told {
            let Some((place, register)) = checked(told) else {
                continue;
            };
            let merged = merge(tx, &place, &register).await?;
            if merged != Merged::Known {
                effects.note(tx, &place, &register, merged).await?;
            }
        }
        effects.tell(tx).await
    }
}

/// What is known here of a register that another own device has told, if that holds.
pub(crate) async fn later_than(tx: &mut Tx<'_>, told: &Told) -> Result<Option<Told>, Error> {
    let Some((place, register)) = checked(told.clone()) else {
        return Ok(None);
    };
    let known = read(tx, &place).await?;
    let later = known.filter(|known| known.beats(Some(&register)));
    Ok(later.map(|known| as_told(place, known)))
}

/// The register at a key, as it is told.
pub(crate) async fn told(tx: &mut Tx<'_>, at: &[u8]) -> Result<Option<Told>, Error> {
    let Some(place) = Place::from_key(at) else {
        return Ok(None);
    };
    // What is not there has had its time.
    let register = read(tx, &place).await?;
    Ok(register.map(|register| as_told(place, register)))
}

fn as_told(place: Place, Register { clock, value }: Register) -> Told {
    Told {
        space: Some(place.space),
        name: Some(place.name),
        clock: Some(clock),
        removed: value.is_none().then_some(true),
        value,
    }
}

fn place(told: &Told) -> Option<Place> {
    Some(Place::new(told.space.as_deref()?, told.name.clone()?))
}

/// What every device takes, and none refuses.
fn checked(told: Told) -> Option<(Place, Register)> {
    let place = place(&told)?;
    let clock = told.clock();
    let value = if told.removed() {
        None
    } else {
        Some(told.value.unwrap_or_default())
    };
    let fits = place.is_valid(value.as_deref()) && (1..=CLOCK_MAX).contains(&clock);
    fits.then_some((place, Register { clock, value }))
}
