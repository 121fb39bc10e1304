//! Messages with files, as far as the engine goes: what is said of a file is the same on every device of both people, and an
//! upload goes on after a page was killed. The bytes are for the tests in browsers.

#![expect(clippy::panic, reason = "a play that goes wrong stops at once")]

use engine::attachment::{AttachmentKey, Details, Plan, Pointer, Style};
use engine::input::{Action, Draft, FileMark, TransferCommand};
use engine::output::{Message, MessageKind, MessageStatus, TransferReply};
use engine::store::memory::Crash;
use engine::{Command, Refusal, Reply};
use sim::{Cast, ClientId, World};
use wire::limits::{ATTACHMENT_MAX, ATTACHMENTS_MAX};
use wire::{BlobId, MessageId};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn pointer(n: u8, file_name: Option<&str>) -> Pointer {
    Pointer {
        blob: BlobId::from_bytes([n; 16]),
        key: AttachmentKey::from_bytes([n; 64]),
        digest: [n; 32],
        size: 1000 + u64::from(n),
        details: Details {
            content_type: Some("image/png".to_owned()),
            file_name: file_name.map(str::to_owned),
            dimensions: Some((640, 480)),
            blur_hash: None,
            style: Style::Plain,
        },
    }
}

fn draft(text: &str, attachments: Vec<Pointer>) -> Draft {
    Draft {
        text: text.to_owned(),
        quote: None,
        attachments,
    }
}

fn send(world: &mut World, from: ClientId, to: &str, draft: Draft) -> MessageId {
    let to = to.to_owned();
    match world.ask(from, Command::Send { to, draft }) {
        Ok(Reply::MessageId(id)) => id,
        other => panic!("not sent: {other:?}"),
    }
}

/// What all see of a message; they have to agree.
fn seen(world: &mut World, cast: Cast, n: usize) -> Message {
    let views = [
        (cast.alice, "bob"),
        (cast.second, "bob"),
        (cast.bob, "alice"),
    ]
    .map(|(id, with)| world.thread(id, with).swap_remove(n));
    let [first, second, theirs] = views;
    assert_eq!(first, second);
    assert_eq!(
        (&first.text, &first.attachments, first.kind),
        (&theirs.text, &theirs.attachments, theirs.kind)
    );
    first
}

fn attachment(
    world: &mut World,
    id: ClientId,
    message: MessageId,
    index: usize,
) -> Result<Pointer, Refusal> {
    let command = TransferCommand::Attachment { message, index };
    match world.ask(id, Command::Transfer(command)) {
        Ok(Reply::Transfer(TransferReply::Attachment(pointer))) => Ok(*pointer),
        Err(refusal) => Err(refusal),
        other => panic!("no attachment: {other:?}"),
    }
}

fn act(world: &mut World, id: ClientId, action: Action) {
    assert_eq!(world.ask(id, Command::Act(action)), Ok(Reply::Done));
}

#[test]
fn files_are_told_to_every_device_of_both_and_need_no_text() {
    let mut world = World::new(900);
    let cast = Cast::new(&mut world);
    let sent = [pointer(1, Some("cat.png")), pointer(2, None)];
    let id = send(&mut world, cast.alice, "bob", draft("", sent.to_vec()));
    let message = seen(&mut world, cast, 0);
    assert_eq!((message.id, message.kind), (id, MessageKind::Text));
    let shown = message.attachments.iter();
    let shown: Vec<_> = shown
        .map(|file| (file.size, file.details.clone()))
        .collect();
    assert_eq!(shown, sent.clone().map(|file| (file.size, file.details)));
    for device in [cast.alice, cast.second, cast.bob] {
        for (index, file) in sent.iter().enumerate() {
            assert_eq!(attachment(&mut world, device, id, index).as_ref(), Ok(file));
        }
        let none = attachment(&mut world, device, id, 2);
        assert_eq!(none, Err(Refusal::UnknownAttachment));
    }
}

#[test]
fn a_message_needs_something_and_takes_so_many_files() {
    let mut world = World::new(901);
    let cast = Cast::new(&mut world);
    let to = || "bob".to_owned();
    let mut refused = |draft| world.ask(cast.alice, Command::Send { to: to(), draft });
    assert_eq!(refused(draft("", Vec::new())), Err(Refusal::MessageEmpty));
    let most = vec![pointer(1, None); ATTACHMENTS_MAX];
    let more = [most.clone(), vec![pointer(2, None)]].concat();
    let refusal = Refusal::InvalidArgument("attachments");
    assert_eq!(refused(draft("", more)), Err(refusal));
    let long = "x".repeat(wire::limits::TEXT_MAX);
    assert!(refused(draft(&long, most)).is_ok());
    let message = seen(&mut world, cast, 0);
    assert_eq!(message.attachments.len(), ATTACHMENTS_MAX);
}

#[test]
fn an_edit_keeps_the_files_and_a_deletion_for_everyone_drops_them() {
    let mut world = World::new(902);
    let cast = Cast::new(&mut world);
    let id = send(
        &mut world,
        cast.alice,
        "bob",
        draft("a cat", vec![pointer(1, None)]),
    );
    let text = "my cat".to_owned();
    act(&mut world, cast.second, Action::Edit { message: id, text });
    let message = seen(&mut world, cast, 0);
    assert_eq!(
        (message.text.as_str(), message.attachments.len()),
        ("my cat", 1)
    );
    let everyone = true;
    act(
        &mut world,
        cast.alice,
        Action::Remove {
            message: id,
            everyone,
        },
    );
    let message = seen(&mut world, cast, 0);
    assert_eq!(
        (message.kind, message.attachments),
        (MessageKind::Deleted, Vec::new())
    );
    for device in [cast.alice, cast.second, cast.bob] {
        let gone = attachment(&mut world, device, id, 0);
        assert_eq!(gone, Err(Refusal::UnknownAttachment));
    }
}

#[test]
fn an_answer_to_a_message_without_a_text_says_what_it_was() {
    let mut world = World::new(903);
    let cast = Cast::new(&mut world);
    let mut report = pointer(1, Some("report.pdf"));
    report.details.content_type = Some("application/pdf".to_owned());
    for (file, called) in [
        (report, "report.pdf"),
        (pointer(2, Some("cat.png")), "Photo"),
    ] {
        let id = send(&mut world, cast.alice, "bob", draft("", vec![file]));
        let answer = Draft {
            quote: Some(id),
            ..draft("thanks", Vec::new())
        };
        send(&mut world, cast.bob, "alice", answer);
        let quote = world.thread(cast.second, "bob").pop().unwrap().quote;
        assert_eq!(quote.unwrap().text, called);
    }
}

#[test]
fn a_message_with_files_that_failed_is_sent_again_with_them() {
    let mut world = World::new(904);
    let cast = Cast::new(&mut world);
    world.relay.refuse.push(("/v1/bundles", 409, 1)); // without saying what is wrong
    let id = send(
        &mut world,
        cast.alice,
        "bob",
        draft("", vec![pointer(1, None)]),
    );
    let failed = MessageStatus::Failed(Refusal::RelayProtocol);
    assert_eq!(world.statuses(cast.alice, "bob"), [failed]);
    let resent = world.ask(cast.alice, Command::Resend { message: id });
    assert_eq!(resent, Ok(Reply::Done));
    assert_eq!(seen(&mut world, cast, 0).attachments.len(), 1);
}

fn begin(world: &mut World, id: ClientId, file: &FileMark) -> Option<(Plan, bool)> {
    let command = TransferCommand::BeginUpload(file.clone());
    match world.try_ask(id, Command::Transfer(command))? {
        Ok(Reply::Transfer(TransferReply::Upload { plan, is_known, .. })) => Some((plan, is_known)),
        other => panic!("not begun: {other:?}"),
    }
}

fn file() -> FileMark {
    FileMark {
        name: "cat.png".to_owned(),
        size: 1000,
        modified: 7,
    }
}

#[test]
fn an_upload_goes_on_with_its_plan_until_it_is_done_or_a_day_is_over() {
    let mut world = World::new(905);
    let cast = Cast::new(&mut world);
    let (plan, is_known) = begin(&mut world, cast.alice, &file()).unwrap();
    assert!(!is_known);
    world.kill(cast.alice);
    world.open(cast.alice);
    let known = begin(&mut world, cast.alice, &file());
    assert_eq!(known, Some((plan.clone(), true)));
    let others = [
        FileMark {
            name: "dog.png".to_owned(),
            ..file()
        },
        FileMark {
            size: 1001,
            ..file()
        },
        FileMark {
            modified: 8,
            ..file()
        },
    ];
    for other in others {
        let (another, is_known) = begin(&mut world, cast.alice, &other).unwrap();
        assert!(!is_known && another.key != plan.key && another.iv != plan.iv);
    }
    let done = TransferCommand::EndUpload { blob: plan.blob };
    assert_eq!(
        world.ask(cast.alice, Command::Transfer(done)),
        Ok(Reply::Done)
    );
    let (again, is_known) = begin(&mut world, cast.alice, &file()).unwrap();
    assert!(!is_known && again.blob != plan.blob);
    world.pass_ms(DAY + 1);
    let (fresh, is_known) = begin(&mut world, cast.alice, &file()).unwrap();
    assert!(!is_known && fresh.blob != again.blob);
}

/// What it goes on with is on disk before anything is uploaded.
#[test]
fn a_plan_that_was_told_is_stored() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        let mut world = World::new(906);
        let cast = Cast::new(&mut world);
        world.crash_at(cast.alice, 0, crash);
        assert_eq!(
            begin(&mut world, cast.alice, &file()),
            None,
            "the page died"
        );
        world.open(cast.alice);
        let (plan, is_known) = begin(&mut world, cast.alice, &file()).unwrap();
        assert_eq!(is_known, crash == Crash::AfterWrite);
        assert_eq!(begin(&mut world, cast.alice, &file()), Some((plan, true)));
    }
}

#[test]
fn what_is_too_large_is_refused_before_the_relay_hears_of_it() {
    let mut world = World::new(907);
    let cast = Cast::new(&mut world);
    let file = FileMark {
        size: ATTACHMENT_MAX + 1,
        ..file()
    };
    let command = Command::Transfer(TransferCommand::BeginUpload(file));
    assert_eq!(
        world.ask(cast.alice, command),
        Err(Refusal::AttachmentTooLarge)
    );
}
