//! Whom a command means, and sending to them: a handle that is not known is asked for first.
//! It does not know how messages travel (see `outbox`).

use wire::body::{AccountInfo, from_json};
use wire::{AccountId, Endpoint, Handle, Response};

use super::{draft_refusal, general_refusal};
use crate::contacts;
use crate::error::{Error, Refusal};
use crate::input::{Command, ConversationId, Draft, Ticket};
use crate::output::Reply;
use crate::request::Pending;
use crate::state::State;
use crate::tx::Tx;

impl State {
    /// The conversation that a handle or account id names, if we know it.
    pub(crate) async fn conversation(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<Option<ConversationId>, Error> {
        if let Ok(id) = name.parse::<AccountId>() {
            return Ok(Some(id));
        }
        let Ok(handle) = name.parse::<Handle>() else {
            return Ok(None);
        };
        match &self.account {
            Some(own) if own.handle.as_ref() == Some(&handle) => Ok(Some(own.id())),
            _ => contacts::by_handle(tx, &handle).await,
        }
    }

    pub(super) async fn send(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        to: String,
        draft: Draft,
    ) -> Result<(), Error> {
        if let Some(refusal) = draft_refusal(&draft) {
            tx.resolve(ticket, Err(refusal));
            return Ok(());
        }
        let known = self.conversation(tx, &to).await?;
        if let Some(conversation) = known
            && (to.parse::<AccountId>().is_ok() || !contacts::is_gone(tx, conversation).await?)
        {
            self.note_contact(tx, conversation).await?;
            let result = self.enqueue_text(tx, conversation, draft).await?;
            tx.resolve(ticket, result.map(Reply::MessageId));
            return Ok(());
        }
        self.look_for(tx, ticket, &to.clone(), Command::Send { to, draft });
        Ok(())
    }

    /// Asks the relay whose handle this is; the command goes on with the answer.
    pub(super) fn look_for(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        handle: &str,
        command: Command,
    ) {
        let Ok(handle) = handle.parse::<Handle>() else {
            tx.resolve(ticket, Err(Refusal::HandleInvalid));
            return;
        };
        if !self.connection.is_up() {
            self.park(tx, ticket, command);
            return;
        }
        let endpoint = Endpoint::AccountByHandle(handle.clone());
        let pending = Pending::FindHandle {
            handle,
            ticket,
            command,
        };
        self.connection.ask(tx, &endpoint, pending);
    }

    /// The relay's answer to "whose handle is this": the command goes on.
    pub(crate) async fn handle_found(
        &mut self,
        tx: &mut Tx<'_>,
        handle: Handle,
        ticket: Ticket,
        command: Command,
        response: &Response,
    ) -> Result<(), Error> {
        let refusal = match (response.status, from_json::<AccountInfo>(&response.body)) {
            (200, Ok(info)) if info.handle == handle => {
                contacts::ensure(tx, info.uuid, Some(&handle)).await?;
                return Box::pin(self.command(tx, ticket, command)).await;
            }
            (404, _) if contacts::by_handle(tx, &handle).await?.is_some() => Refusal::AccountGone,
            (404, _) => Refusal::UnknownHandle,
            (200, _) => Refusal::RelayProtocol,
            (status, _) => general_refusal(status),
        };
        tx.resolve(ticket, Err(refusal));
        Ok(())
    }

    /// The relay's answer to "what is the handle of this account".
    pub(crate) async fn looked_up(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        response: &Response,
    ) -> Result<(), Error> {
        if let (200, Ok(info)) = (response.status, from_json::<AccountInfo>(&response.body))
            && info.uuid == account
        {
            contacts::ensure(tx, account, Some(&info.handle)).await?;
        }
        Ok(())
    }
}
