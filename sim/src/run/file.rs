//! Files in a run: each is uploaded as a host does it, goes on where a page died, and is sent in a message.
//! It does not judge; whether every device can fetch the same bytes is looked at when all faults are over.

use engine::attachment::{Details, Plan};
use engine::input::{FileMark, TransferCommand};
use engine::output::{Message, TransferReply};
use engine::{Command, Reply};

use super::Run;
use super::act::started;
use crate::ClientId;
use crate::check::record::{Shown, file};
use crate::check::{Check, Violation};

impl Run {
    /// Uploads the file of the next text, or goes on with that, and sends it.
    pub(super) fn attach(&mut self, by: ClientId, to: usize) -> String {
        let who = self.record.name(by);
        let n = self.record.said.len();
        let content = file(n);
        let mark = FileMark {
            name: format!("file {n}"),
            size: content.len() as u64,
            modified: 0,
        };
        let begin = Command::Transfer(TransferCommand::BeginUpload(mark));
        let Some(Reply::Transfer(TransferReply::Upload {
            plan,
            authorization,
            ..
        })) = started(&mut self.world, by, begin)
        else {
            return format!("{who} can't begin with file {n}");
        };
        let put = self.world.upload(by, (&plan, &content), &authorization);
        let digest = match put {
            Ok(digest) => digest,
            Err(fault) => {
                if fault == engine::input::BlobFault::Refused {
                    self.end_upload(by, &plan); // the relay has ended it: it is begun anew
                }
                return format!("{who} has uploaded nothing of file {n}: {fault:?}");
            }
        };
        if !self.end_upload(by, &plan) || !self.is_ready(by) {
            return format!("{who} has uploaded file {n}, and died");
        }
        let details = Details {
            file_name: Some(format!("file {n}")),
            ..Details::default()
        };
        self.say_with(by, to, vec![plan.pointer(digest, details)])
    }

    fn end_upload(&mut self, by: ClientId, plan: &Plan) -> bool {
        let end = TransferCommand::EndUpload { blob: plan.blob };
        started(&mut self.world, by, Command::Transfer(end)).is_some()
    }

    /// Every browser fetches every file that it shows, and gets what was sent.
    pub(super) fn judge_files(&mut self, shown: &[Shown]) {
        for browser in shown {
            let id = browser.browser;
            if !self.record.ready_since.contains_key(&id) {
                continue;
            }
            let messages = browser.threads.iter().flat_map(|(_, thread)| thread);
            for message in messages {
                if let Some(what) = self.spoilt_file(id, message) {
                    let what = format!("{}: {what}", self.record.name(id));
                    let check = Check::Files;
                    self.violations.push(Violation { check, what });
                }
            }
        }
    }

    fn spoilt_file(&mut self, by: ClientId, message: &Message) -> Option<String> {
        let n = self.record.said_as(&message.text)?;
        let expected = usize::from(self.record.said[n].has_file);
        if message.attachments.len() != expected {
            let count = message.attachments.len();
            return Some(format!("{:?} has {count} files", message.text));
        }
        let (message, index) = (message.id, 0);
        for _ in 0..expected {
            let ask = TransferCommand::Attachment { message, index };
            let found = match self.world.try_ask(by, Command::Transfer(ask)) {
                Some(Ok(Reply::Transfer(TransferReply::Attachment(pointer)))) => {
                    self.world.relay.get_blob(self.world.now, &pointer)
                }
                other => return Some(format!("file {n} can't be asked for: {other:?}")),
            };
            if found.as_deref() != Ok(&file(n)) {
                let what = found.map(|bytes| bytes.len());
                return Some(format!("file {n} is not what was sent: {what:?}"));
            }
        }
        None
    }
}
