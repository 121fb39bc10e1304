//! What applications ask for. Each command is answered by exactly one `Resolve`, at once or when the
//! relay has answered; a refused command has changed nothing.

mod acts;
mod app;
mod devices;
mod people;
mod settings;
mod transfer;

use wire::Endpoint;
use wire::limits::{ATTACHMENTS_MAX, TEXT_MAX};

use crate::account::Account;
use crate::contacts;
use crate::error::{Error, Refusal};
use crate::identity;
use crate::input::{
    Command, Draft, HistoryCommand, RecoveryCommand, RunCommand, StaffCommand, Ticket,
};
use crate::limits::PARKED_MAX;
use crate::linking;
use crate::output::{ClientState, Reply};
use crate::registers;
use crate::request::Pending;
use crate::staff;
use crate::state::State;
use crate::thread;
use crate::tx::Tx;
pub(crate) use devices::device;

impl State {
    pub(crate) async fn command(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        command: Command,
    ) -> Result<(), Error> {
        if let Some(refusal) = self.refusal(&command) {
            tx.resolve(ticket, Err(refusal));
            return Ok(());
        }
        if needs_relay(&command) && !self.connection.is_up() {
            self.park(tx, ticket, command);
            return Ok(());
        }
        match command {
            Command::Register {
                handle,
                credential,
                device_name,
            } => {
                self.register(tx, ticket, &handle, credential, &device_name)
                    .await?;
            }
            Command::Link {
                handle,
                credential,
                device_name,
            } => {
                self.start_offers(tx, ticket, handle, (credential, device_name));
            }
            Command::AwaitLink => self.await_link(tx, ticket),
            Command::CancelLink => {
                self.end_offers(tx, Refusal::LinkCancelled);
                tx.resolve(ticket, Ok(Reply::Done));
            }
            Command::OpenLink { uri } => self.open_link(tx, ticket, &uri),
            Command::Run(command) => self.run_command(tx, ticket, command).await?,
            Command::ApproveLink { uri, role } => self.approve_link(tx, ticket, uri, role.into()),
            Command::RejectLink { uri } => self.reject_link(tx, ticket, &uri),
            Command::Send { to, draft } => self.send(tx, ticket, to, draft).await?,
            Command::Devices => {
                let pending = Pending::Devices(ticket);
                self.connection.ask(tx, &Endpoint::Devices, pending);
            }
            Command::Unlink { device, lost } => self.unlink(tx, ticket, device, lost).await?,
            Command::DeleteAccount => self.delete_account(tx, ticket),
            Command::Recovery(command) => self.recovery(tx, ticket, command).await?,
            Command::Staff(command) => self.staff(tx, ticket, command).await?,
            Command::Set(setting) => self.set(tx, ticket, setting).await?,
            Command::History(HistoryCommand::Take { content }) => {
                self.take_piece(tx, ticket, &content);
            }
            local @ (Command::MarkRead { .. }
            | Command::Act(_)
            | Command::Typing { .. }
            | Command::AcceptIdentity { .. }
            | Command::RejectIdentity { .. }
            | Command::Resend { .. }
            | Command::Account
            | Command::Settings
            | Command::Profile
            | Command::Safety(_)
            | Command::App(_)
            | Command::Transfer(_)
            | Command::History(_)
            | Command::Conversations
            | Command::Contacts
            | Command::Messages { .. }
            | Command::Search(_)) => {
                let result = self.local(tx, local).await?;
                tx.resolve(ticket, result);
            }
        }
        Ok(())
    }

    /// What the store alone can answer.
    async fn local(
        &mut self,
        tx: &mut Tx<'_>,
        command: Command,
    ) -> Result<Result<Reply, Refusal>, Error> {
        Ok(match command {
            Command::MarkRead {
                conversation,
                message,
            } => match self.conversation(tx, &conversation).await? {
                Some(id) if self.mark_read(tx, id, message).await? => Ok(Reply::Done),
                Some(_) => Err(Refusal::UnknownMessage),
                None => Err(Refusal::UnknownConversation),
            },
            Command::Typing {
                conversation,
                is_typing,
            } => match self.conversation(tx, &conversation).await? {
                Some(id) => {
                    self.tell_typing(tx, id, is_typing).await?;
                    Ok(Reply::Done)
                }
                None => Err(Refusal::UnknownConversation),
            },
            Command::Messages {
                conversation,
                before,
                after,
                limit,
            } => match self.conversation(tx, &conversation).await? {
                Some(id) => thread::page(tx, id, before, after, limit)
                    .await?
                    .map(Reply::Messages),
                None => Err(Refusal::UnknownConversation),
            },
            Command::Search(search) => self.search(tx, search).await?,
            Command::AcceptIdentity { account } => self.decide(tx, &account, true).await?,
            Command::RejectIdentity { account } => self.decide(tx, &account, false).await?,
            Command::Resend { message } => self.resend(tx, message).await?.map(|()| Reply::Done),
            Command::Conversations => Ok(Reply::Conversations(thread::list(tx).await?)),
            Command::Contacts => Ok(Reply::Contacts(contacts::list(tx).await?)),
            Command::Settings => Ok(Reply::Settings(registers::settings(tx).await?)),
            Command::Profile => Ok(Reply::Profile(registers::profile(tx).await?)),
            Command::Safety(command) => self.safety(tx, command).await?,
            Command::App(command) => self.app(tx, command).await?,
            Command::Transfer(command) => self.transfer(tx, command).await?,
            Command::History(command) => self.history(tx, command).await?,
            Command::Act(action) => self.action(tx, action).await?,
            Command::Account
            | Command::Set(_)
            | Command::Register { .. }
            | Command::Link { .. }
            | Command::AwaitLink
            | Command::CancelLink
            | Command::OpenLink { .. }
            | Command::Run(_)
            | Command::ApproveLink { .. }
            | Command::RejectLink { .. }
            | Command::Send { .. }
            | Command::Devices
            | Command::Unlink { .. }
            | Command::Recovery(_)
            | Command::Staff(_)
            | Command::DeleteAccount => {
                let account = self.account.as_ref().and_then(Account::view);
                Ok(account.map_or(Reply::Done, Reply::Account))
            }
        })
    }

    /// The person decides about an account's other identity key.
    async fn decide(
        &mut self,
        tx: &mut Tx<'_>,
        account: &str,
        accept: bool,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let Some(account) = self.conversation(tx, account).await? else {
            return Ok(Err(Refusal::UnknownConversation));
        };
        if accept {
            self.accept_identity(tx, account).await?;
        } else {
            identity::reject(tx, account).await?;
        }
        Ok(Ok(Reply::Done))
    }

    /// What this client can't do in its present state.
    fn refusal(&self, command: &Command) -> Option<Refusal> {
        let role = self.account.as_ref().map(Account::role);
        if role.is_some_and(|role| self.is_member() && !staff::allows(role, command)) {
            return Some(Refusal::NotAllowed);
        }
        match command {
            Command::Register { .. } => {
                self.account.is_some().then_some(Refusal::AlreadyRegistered)
            }
            // A browser that was unlinked may come back, if there is something to come back to.
            Command::Recovery(RecoveryCommand::Anew { .. }) => {
                self.account.is_some().then_some(Refusal::AlreadyRegistered)
            }
            Command::Link { .. } | Command::Recovery(RecoveryCommand::Recover { .. }) => {
                match self.unlinked_refusal() {
                    Some(gone @ Refusal::AccountGone) => Some(gone),
                    Some(_) => None,
                    None => self.account.is_some().then_some(Refusal::AlreadyRegistered),
                }
            }
            Command::ApproveLink { .. }
            | Command::RejectLink { .. }
            | Command::OpenLink { .. }
            | Command::Send { .. }
            | Command::Act(_)
            | Command::Typing { .. }
            | Command::Resend { .. }
            | Command::AcceptIdentity { .. }
            | Command::RejectIdentity { .. }
            | Command::MarkRead { .. }
            | Command::Devices
            | Command::Unlink { .. }
            | Command::Set(_)
            | Command::History(_)
            | Command::Recovery(RecoveryCommand::Make | RecoveryCommand::Status)
            | Command::Staff(_)
            | Command::DeleteAccount => self.device_refusal(),
            Command::Run(RunCommand::Confirm { .. }) => None,
            Command::Run(_) => self.device_refusal(),
            Command::App(command) if app::is_change(command) => self.device_refusal(),
            Command::Transfer(command) if transfer::is_change(command) => self.device_refusal(),
            Command::AwaitLink
            | Command::CancelLink
            | Command::Account
            | Command::Conversations
            | Command::Messages { .. }
            | Command::Search(_)
            | Command::Settings
            | Command::Profile
            | Command::Safety(_)
            | Command::App(_)
            | Command::Transfer(_)
            | Command::Contacts => None,
        }
    }

    /// Why this is no device of an account, if it is none.
    fn device_refusal(&self) -> Option<Refusal> {
        match self.client_state() {
            ClientState::New => Some(Refusal::NotReady),
            ClientState::Ready => None,
            ClientState::Unlinked => self.unlinked_refusal(),
        }
    }

    /// Keeps a command until there is a connection or the try for it has failed.
    pub(crate) fn park(&mut self, tx: &mut Tx<'_>, ticket: Ticket, command: Command) {
        if self.parked.len() >= PARKED_MAX {
            tx.resolve(ticket, Err(Refusal::QueueFull));
            return;
        }
        self.parked.push((ticket, command));
        self.connect(tx);
    }
}

/// What is wrong with a text that is to be sent.
fn text_refusal(text: &str) -> Option<Refusal> {
    match text.len() {
        0 => Some(Refusal::MessageEmpty),
        1..=TEXT_MAX => None,
        _ => Some(Refusal::MessageTooLong),
    }
}

/// What is wrong with a message that is to be sent.
fn draft_refusal(draft: &Draft) -> Option<Refusal> {
    match (draft.text.len(), draft.attachments.len()) {
        (_, files) if files > ATTACHMENTS_MAX => Some(Refusal::InvalidArgument("attachments")),
        (0, 1..) => None,
        _ => text_refusal(&draft.text),
    }
}

/// Commands that can't be stored for later: without a connection they wait for the next one, or fail.
fn needs_relay(command: &Command) -> bool {
    match command {
        Command::Register { .. }
        | Command::Link { .. }
        | Command::ApproveLink { .. }
        | Command::RejectLink { .. }
        | Command::Devices
        | Command::Unlink { .. }
        | Command::Recovery(_)
        | Command::DeleteAccount => true,
        Command::Run(command) => command.needs_relay(),
        Command::Staff(command) => matches!(command, StaffCommand::Approve { .. }),
        Command::OpenLink { uri } => linking::begins_run(uri),
        Command::AwaitLink
        | Command::CancelLink
        | Command::Send { .. }
        | Command::Act(_)
        | Command::Typing { .. }
        | Command::Resend { .. }
        | Command::AcceptIdentity { .. }
        | Command::RejectIdentity { .. }
        | Command::Account
        | Command::Conversations
        | Command::Messages { .. }
        | Command::Search(_)
        | Command::MarkRead { .. }
        | Command::Set(_)
        | Command::Settings
        | Command::Profile
        | Command::Safety(_)
        | Command::App(_)
        | Command::Transfer(_)
        | Command::History(_)
        | Command::Contacts => false,
    }
}

/// What a status says that means nothing special to the request.
pub(crate) fn general_refusal(status: u16) -> Refusal {
    match status {
        429 => Refusal::RateLimited,
        401 => Refusal::Unlinked,
        200..=299 => Refusal::RelayProtocol,
        _ => Refusal::RelayRefused,
    }
}
