//! What messages with attachments say. How a pointer is judged is for the tests of `attachment`; what becomes of what is said,
//! for those of the simulator.

use super::*;
use crate::attachment::{AttachmentKey, Details, Pointer};

const OURS: Context = Context {
    author: AccountId::from_bytes([1; 16]),
    is_plain: false,
};

fn pointer() -> AttachmentPointer {
    let pointer = Pointer {
        blob: wire::BlobId::from_bytes([9; 16]),
        key: AttachmentKey::from_bytes([5; 64]),
        digest: [8; 32],
        size: 700,
        details: Details::default(),
    };
    pointer.to_proto()
}

fn said(body: Option<&str>, attachments: Vec<AttachmentPointer>) -> Said {
    OURS.data(DataMessage {
        body: body.map(str::to_owned),
        attachments,
        ..DataMessage::default()
    })
}

fn text(text: &str, attachments: Vec<AttachmentPointer>, left_out: usize) -> Said {
    Said::Text {
        text: Some(text.to_owned()),
        quote: None,
        timer: Timer::default(),
        attachments,
        left_out,
    }
}

#[test]
fn attachments_need_no_text_and_a_text_no_attachments() {
    assert_eq!(said(None, vec![pointer()]), text("", vec![pointer()], 0));
    assert_eq!(
        said(Some("see"), vec![pointer()]),
        text("see", vec![pointer()], 0)
    );
    assert_eq!(
        said(Some("hello"), Vec::new()),
        text("hello", Vec::new(), 0)
    );
    assert_eq!(said(None, Vec::new()), Said::Nothing);
}

#[test]
fn a_malformed_attachment_is_left_out_and_alone_it_is_a_malformed_message() {
    let bad = AttachmentPointer::default;
    assert_eq!(
        said(Some("see"), vec![bad(), pointer()]),
        text("see", vec![pointer()], 1)
    );
    assert_eq!(said(Some("see"), vec![bad()]), text("see", Vec::new(), 1));
    assert_eq!(said(None, vec![bad()]), Said::Malformed);
}

#[test]
fn what_was_written_is_read_as_it_was_meant() {
    let sent = super::text(String::new(), 7, None, Timer::default(), vec![pointer()]);
    assert_eq!(sent.body, None, "as Signal's clients write it");
    assert_eq!(OURS.data(sent), text("", vec![pointer()], 0));
}
