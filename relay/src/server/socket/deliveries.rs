//! The mailbox side of a socket: carries out what its `Delivery` says.
//! What is due and in which order is decided there, not here.

use tokio::time::Instant;
use wire::Frame;

use super::{Done, End, Outgoing, REMOVED, Socket};
use crate::core::mailbox::{self, Page};
use crate::core::{Caller, Failure, auth};
use crate::database::{Unavailable, Verdict, now};
use crate::delivery::{Action, Delivery};

/// A socket that said who it is.
pub(super) struct Session {
    pub(super) caller: Caller,
    pub(super) delivery: Delivery,
}

impl Socket {
    pub(super) fn begin_session(&mut self, caller: Caller) {
        self.place.take_device(caller.address);
        let (delivery, actions) = Delivery::start();
        self.session = Some(Session { caller, delivery });
        drop(self.app.database.write(move |moment| {
            auth::note_seen(moment.tx, caller, moment.now)?;
            Ok((Verdict::Keep, (), Vec::new()))
        }));
        self.carry_out(actions);
    }

    /// The fence has agreed to this sign-in: from here on this socket may send.
    pub(super) fn agreed(&mut self, sign_in: Option<u64>) {
        if let (Some(session), Some(sign_in)) = (&mut self.session, sign_in) {
            session.caller.sign_in = Some(sign_in);
        }
    }

    pub(super) fn carry_out(&mut self, actions: Vec<Action>) {
        let Some(caller) = self.session.as_ref().map(|session| session.caller) else {
            return;
        };
        for action in actions {
            match action {
                Action::Send(request) => {
                    let bytes = Frame::Request(request).encode();
                    self.outbox.push_back(Outgoing::Delivery(bytes));
                }
                Action::Fetch { after } => self.fetch(caller, after),
                // Nobody waits for it. If it fails, the envelope comes again: at least once.
                Action::Delete { seq } => drop(self.app.database.write(move |moment| {
                    mailbox::ack(moment.tx, caller.address, seq)?;
                    Ok((Verdict::Keep, (), Vec::new()))
                })),
            }
        }
    }

    /// The first fetch goes through the writer: behind the acks of this device's earlier socket, so that
    /// what was acked there does not come again here.
    fn fetch(&mut self, caller: Caller, after: u64) {
        self.looked_at = Instant::now();
        self.work.push(if after == 0 {
            let page = self.app.database.write(move |moment| {
                let page = mailbox::page(moment.tx, caller, after, moment.now);
                Ok((Verdict::Keep, page, Vec::new()))
            });
            Box::pin(async move { Done::Fetched(page.await) })
        } else {
            let page = self
                .app
                .database
                .read(move |tx| mailbox::page(tx, caller, after, now()));
            Box::pin(async move { Done::Fetched(page.await) })
        });
    }

    pub(super) fn fetched(
        &mut self,
        page: Result<Result<Page, Failure>, Unavailable>,
    ) -> Result<(), End> {
        match page {
            Ok(Ok(page)) => {
                if let Some(session) = &mut self.session {
                    let actions = session.delivery.fetched(page, now());
                    self.carry_out(actions);
                }
                Ok(())
            }
            Ok(Err(Failure::Refused(_))) => Err(REMOVED),
            Ok(Err(Failure::Store(error))) => {
                tracing::error!(%error, "a mailbox could not be read");
                Err(End::Close(1011, "storage failed"))
            }
            Err(Unavailable) => Err(End::Close(1013, "try again later")),
        }
    }

    pub(super) fn look(&mut self) {
        if let Some(session) = &mut self.session {
            let actions = session.delivery.woken(now());
            self.carry_out(actions);
        }
    }
}
