//! Who deals with what the relay has answered: the one `match` on open requests.
//! It does not know what an answer means.

use wire::Response;

use crate::error::Error;
use crate::request::Pending;
use crate::state::State;
use crate::tx::Tx;

impl State {
    pub(super) async fn response(
        &mut self,
        tx: &mut Tx<'_>,
        answer: &Response,
    ) -> Result<(), Error> {
        let Some(pending) = self.connection.take(answer.id) else {
            return Ok(());
        };
        match pending {
            Pending::Service => self.service_answered(tx, answer).await,
            Pending::ServiceAgain => {
                self.service_answered_again(tx, answer);
                Ok(())
            }
            Pending::SignIn => self.signed_in(tx, answer).await,
            Pending::Fence => self.fence_answered(tx, answer).await,
            Pending::KeepAlive | Pending::UploadKeys => Ok(()),
            Pending::RotateKeys(signed) => {
                self.keys_rotated(tx, signed, answer);
                Ok(())
            }
            Pending::UploadPhoneKeys => {
                self.phone_keys_answered(tx, answer);
                Ok(())
            }
            Pending::Register(ticket) => self.registered(tx, ticket, answer).await,
            Pending::Join => self.joined(tx, answer).await,
            Pending::KeyCounts => self.key_counts_answered(tx, answer),
            Pending::Keys { account, device } => {
                self.keys_answered(tx, account, device, answer).await
            }
            Pending::Bundle(seq) => self.bundle_answered(tx, seq, answer).await,
            Pending::Part(seq, account) => self.part_answered(tx, seq, account, answer).await,
            Pending::FindHandle {
                handle,
                ticket,
                command,
            } => self.handle_found(tx, handle, ticket, command, answer).await,
            Pending::Lookup(account) => self.looked_up(tx, account, answer).await,
            Pending::Devices(ticket) => self.devices_answered(tx, ticket, answer).await,
            Pending::Unlink { ticket, device } => {
                self.unlink_answered(tx, ticket, device, answer).await
            }
            Pending::DeleteAccount(ticket) => {
                self.delete_answered(tx, ticket, answer);
                Ok(())
            }
            Pending::LinkToken {
                ticket,
                uri,
                standing,
            } => self.link_token(tx, ticket, uri, standing, answer).await,
            Pending::DeviceList(account) => self.list_answered(tx, account, answer).await,
            Pending::PutList(change) => self.list_put(tx, *change, answer).await,
            Pending::Provision {
                ticket,
                certified,
                token_identifier,
            } => {
                self.provisioned(tx, ticket, certified, token_identifier, answer)
                    .await
            }
            Pending::AwaitDevice { ticket, certified } => {
                self.device_came(tx, ticket, certified, answer).await
            }
            Pending::Run { run, asked } => self.run_answered(tx, (run, asked), answer).await,
            Pending::Recovery(asked) => self.recovery_answered(tx, asked, answer).await,
            Pending::Decline(ticket) => {
                self.declined(tx, ticket, answer);
                Ok(())
            }
        }
    }
}
