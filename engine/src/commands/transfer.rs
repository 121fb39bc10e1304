//! Files on their way: what an upload goes on with is stored before it begins, and what an attachment is read with is
//! given to the host alone. It moves no bytes.

use wire::limits::ATTACHMENT_MAX;

use crate::attachment::Pointer;
use crate::error::{Error, Refusal};
use crate::input::{FileMark, HistoryCommand, TransferCommand};
use crate::output::{Reply, TransferReply};
use crate::state::State;
use crate::thread;
use crate::transfers;
use crate::tx::Tx;

/// Whether only a device of an account may do it.
pub(super) const fn is_change(command: &TransferCommand) -> bool {
    match command {
        TransferCommand::BeginUpload(_) | TransferCommand::EndUpload { .. } => true,
        TransferCommand::Attachment { .. } => false,
    }
}

impl State {
    pub(super) async fn transfer(
        &mut self,
        tx: &mut Tx<'_>,
        command: TransferCommand,
    ) -> Result<Result<Reply, Refusal>, Error> {
        match command {
            TransferCommand::BeginUpload(file) => self.begin_upload(tx, file).await,
            TransferCommand::EndUpload { blob } => {
                transfers::end_upload(tx, blob).await?;
                Ok(Ok(Reply::Done))
            }
            TransferCommand::Attachment { message, index } => {
                let (_, attachments) = thread::carried(tx, message).await?;
                let Some(pointer) = attachments.get(index) else {
                    return Ok(Err(Refusal::UnknownAttachment));
                };
                let pointer = Pointer::from_proto(pointer);
                // A pointer without a blob of ours came from a service that keeps files elsewhere.
                let pointer = pointer.filter(|_| !self.is_plain());
                let pointer = pointer.ok_or(Refusal::AttachmentsUnsupported);
                let reply = |pointer| TransferReply::Attachment(Box::new(pointer));
                Ok(pointer.map(reply).map(Reply::Transfer))
            }
        }
    }

    pub(super) async fn history(
        &mut self,
        tx: &mut Tx<'_>,
        command: HistoryCommand,
    ) -> Result<Result<Reply, Refusal>, Error> {
        match command {
            HistoryCommand::Choose { uri, choice } => self.choose_history(tx, &uri, choice).await,
            HistoryCommand::Send { device, choice } => self.send_history(tx, device, choice).await,
            HistoryCommand::Cut { from } => self.cut_for_file(tx, from).await,
            HistoryCommand::Check { content } => Ok(self.check_piece(tx, &content)),
            HistoryCommand::Take { .. } => Err(Error::Bug("a piece is taken by its ticket")),
        }
    }

    async fn begin_upload(
        &mut self,
        tx: &mut Tx<'_>,
        file: FileMark,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let Some(authorization) = self.authorization() else {
            return Ok(Err(Refusal::AttachmentsUnsupported));
        };
        if file.size > ATTACHMENT_MAX {
            return Ok(Err(Refusal::AttachmentTooLarge));
        }
        let known = transfers::find_upload(tx, &file).await?;
        let is_known = known.is_some();
        let plan = match known {
            Some(plan) => plan,
            None => {
                let plan = self.draw_plan(file.size);
                if !transfers::begin_upload(tx, file, &plan).await? {
                    return Ok(Err(Refusal::QueueFull));
                }
                plan
            }
        };
        Ok(Ok(Reply::Transfer(TransferReply::Upload {
            plan,
            authorization,
            is_known,
        })))
    }
}
