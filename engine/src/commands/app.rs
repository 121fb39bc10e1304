//! Application data: keys and sizes are checked here, then it is registers like everything else.
//! It does not know what an application keeps.

use wire::proto::service::{AppMessage, SyncMessage};

use crate::error::{Error, Refusal};
use crate::input::AppCommand;
use crate::limits::{APP_COUNT_MAX, APP_MESSAGE_MAX, OUTBOX_MAX};
use crate::output::{AppKind, AppReply, Reply};
use crate::registers::{self, Key, Place, app};
use crate::state::State;
use crate::tx::Tx;

/// Whether only a device of an account may do it.
pub(super) const fn is_change(command: &AppCommand) -> bool {
    match command {
        AppCommand::Set { .. }
        | AppCommand::Delete { .. }
        | AppCommand::Add { .. }
        | AppCommand::Include { .. }
        | AppCommand::Send { .. } => true,
        AppCommand::Get { .. }
        | AppCommand::List { .. }
        | AppCommand::Count { .. }
        | AppCommand::Members { .. } => false,
    }
}

impl State {
    pub(super) async fn app(
        &mut self,
        tx: &mut Tx<'_>,
        command: AppCommand,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let key = match key(&command) {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(key) = key else {
            return Ok(self.send_app(tx, command));
        };
        let reply = match command {
            AppCommand::Get { .. } => AppReply::Value(key.get(tx).await?),
            AppCommand::List { .. } => AppReply::List(key.list(tx).await?),
            AppCommand::Count { .. } => AppReply::Count(key.sum(tx).await?),
            AppCommand::Members { .. } => AppReply::Members(key.members(tx).await?),
            AppCommand::Set { value, .. } => {
                let value = app::value_bytes(&value);
                return self.put(tx, &key.place(), Some(value)).await;
            }
            AppCommand::Delete { .. } => return self.put(tx, &key.place(), None).await,
            AppCommand::Add { by, .. } => return self.add(tx, &key, by).await,
            AppCommand::Include {
                element, is_member, ..
            } => {
                let value = is_member.then(Vec::new);
                return match key.place_of_element(&element) {
                    Ok(place) => self.put(tx, &place, value).await,
                    Err(refusal) => Ok(Err(refusal)),
                };
            }
            AppCommand::Send { .. } => return Err(Error::Bug("a message has no key")),
        };
        Ok(Ok(Reply::App(reply)))
    }

    /// Writes an item if there is room for it. What is not there is not removed.
    async fn put(
        &mut self,
        tx: &mut Tx<'_>,
        place: &Place,
        value: Option<Vec<u8>>,
    ) -> Result<Result<Reply, Refusal>, Error> {
        match &value {
            Some(bytes) => {
                if let Err(refusal) = app::room(tx, place, bytes).await? {
                    return Ok(Err(refusal));
                }
            }
            None if registers::value(tx, place).await?.is_none() => return Ok(Ok(Reply::Done)),
            None => {}
        }
        self.write(tx, place, value).await?;
        Ok(Ok(Reply::Done))
    }

    /// Adds to what this device has counted.
    async fn add(
        &mut self,
        tx: &mut Tx<'_>,
        key: &Key,
        by: i64,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let Some(own) = &self.account else {
            return Ok(Err(Refusal::NotReady));
        };
        let place = key.place_of_device(own.address, own.registration_id.into());
        let known = registers::value(tx, &place).await?;
        let count = known.as_deref().and_then(app::read_count).unwrap_or(0);
        let count = count.saturating_add(by);
        if !(-APP_COUNT_MAX..=APP_COUNT_MAX).contains(&count) {
            return Ok(Err(Refusal::InvalidArgument("n")));
        }
        self.put(tx, &place, Some(app::count_bytes(count))).await
    }

    fn send_app(&mut self, tx: &mut Tx<'_>, command: AppCommand) -> Result<Reply, Refusal> {
        let AppCommand::Send { content } = command else {
            return Err(Refusal::AppKeyInvalid);
        };
        if content.len() > APP_MESSAGE_MAX {
            return Err(Refusal::AppItemTooLarge);
        }
        if self.outbox.len() >= OUTBOX_MAX {
            return Err(Refusal::QueueFull);
        }
        let content = Some(content);
        let message = SyncMessage {
            app_message: Some(AppMessage { content }),
            ..SyncMessage::default()
        };
        self.enqueue_sync(tx, message);
        Ok(Reply::Done)
    }
}

/// The key that a command is about.
fn key(command: &AppCommand) -> Result<Option<Key>, Refusal> {
    let (key, kind) = match command {
        AppCommand::Set { key, .. } | AppCommand::Get { key } | AppCommand::Delete { key } => {
            (key, AppKind::Value)
        }
        AppCommand::Add { key, .. } | AppCommand::Count { key } => (key, AppKind::Counter),
        AppCommand::Include { key, .. } | AppCommand::Members { key } => (key, AppKind::Set),
        AppCommand::List { prefix } => return Key::parse_prefix(prefix, AppKind::Value).map(Some),
        AppCommand::Send { .. } => return Ok(None),
    };
    Key::parse(key, kind).map(Some)
}
