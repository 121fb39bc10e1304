//! Attachments against what another program made of the same (`engine/vectors/attachment.mjs`), against damage, and
//! through a message and back.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wire::BlobId;
use wire::limits::{ATTACHMENT_MAX, ATTACHMENTS_MAX, BLOB_MAX, FILE_NAME_MAX};
use wire::proto::service::AttachmentPointer;

use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/attachment.json")).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn unhex<const N: usize>(value: &Value) -> [u8; N] {
    let digits = value.as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    bytes.try_into().unwrap()
}

/// The content of the vectors.
fn content(length: u64) -> Vec<u8> {
    let byte = |n: u64| ((n * 31 + (n >> 8) * 7 + 3) & 255) as u8;
    (0..length).map(byte).collect()
}

fn encrypt(key: &AttachmentKey, iv: [u8; 16], pieces: &[&[u8]]) -> (Vec<u8>, [u8; 32]) {
    let size = pieces.iter().map(|piece| piece.len() as u64).sum();
    let mut encryptor = Box::new(Encryptor::new(key, iv, size).unwrap());
    let mut blob = Vec::new();
    for piece in pieces {
        encryptor.add(piece, &mut blob).unwrap();
    }
    loop {
        match encryptor.rest(&mut blob).unwrap() {
            Rest::More(more) => encryptor = more,
            Rest::Done(digest) => return (blob, digest),
        }
    }
}

/// Everything, or nothing.
fn decrypt(attachment: &Attachment, blob: &[u8], piece: usize) -> Result<Vec<u8>, Damaged> {
    let Attachment { key, digest, size } = attachment;
    let mut decryptor = Decryptor::new(key, *digest, *size);
    let mut content = Vec::new();
    for piece in blob.chunks(piece) {
        content.extend(decryptor.add(piece)?.put_aside());
    }
    content.extend(decryptor.finish()?);
    Ok(content)
}

#[derive(Clone)]
struct Attachment {
    key: AttachmentKey,
    digest: [u8; 32],
    size: u64,
}

fn sample(size: u64) -> (Attachment, Vec<u8>) {
    let key = AttachmentKey::from_bytes([5; 64]);
    let (blob, digest) = encrypt(&key, [6; 16], &[&content(size)]);
    (Attachment { key, digest, size }, blob)
}

/// The digest of what is there, as a sender who wants to harm would give it.
fn redigested(attachment: &Attachment, blob: &[u8]) -> Attachment {
    Attachment {
        digest: Sha256::digest(blob).into(),
        ..attachment.clone()
    }
}

#[test]
fn blobs_are_those_of_another_program() {
    for case in vectors()["cases"].as_array().unwrap() {
        let size = number(&case["length"]);
        let key = AttachmentKey::from_bytes(unhex(&case["key"]));
        let (blob, digest) = encrypt(&key, unhex(&case["iv"]), &[&content(size)]);
        assert_eq!(digest, unhex(&case["digest"]), "{size}");
        assert_eq!(blob.len() as u64, number(&case["blobLength"]));
        assert_eq!(blob_size(size), blob.len() as u64);
        if case["blob"].is_string() {
            assert_eq!(blob, unhex::<592>(&case["blob"]));
        }
        let attachment = Attachment { key, digest, size };
        let got = decrypt(&attachment, &blob, blob.len()).unwrap();
        assert_eq!(got, content(size), "{size}");
    }
}

#[test]
fn padded_sizes_are_those_of_another_program() {
    let vectors = vectors();
    let all = vectors["padding"].as_array().unwrap();
    assert!(all.len() > 700);
    for pair in all {
        let (size, padded) = (number(&pair[0]), number(&pair[1]));
        assert_eq!(padded_size(size), padded, "{size}");
    }
}

#[test]
fn the_largest_attachment_fits_into_a_blob_and_none_larger_is_made() {
    assert!(blob_size(ATTACHMENT_MAX) <= BLOB_MAX);
    let key = AttachmentKey::from_bytes([5; 64]);
    assert!(Encryptor::new(&key, [6; 16], ATTACHMENT_MAX).is_ok());
    assert!(Encryptor::new(&key, [6; 16], ATTACHMENT_MAX + 1).is_err());
    assert!(padded_size(u64::MAX) < BLOB_MAX, "it comes to an end");
}

#[test]
fn pieces_of_any_size_are_the_same_blob_and_the_same_content() {
    let (attachment, blob) = sample(3000);
    let all = content(3000);
    for piece in [1, 7, 15, 16, 17, 48, 49, 1000, 2999] {
        let pieces: Vec<&[u8]> = all.chunks(piece).collect();
        let (same, digest) = encrypt(&attachment.key, [6; 16], &pieces);
        assert_eq!((&same, digest), (&blob, attachment.digest), "{piece}");
        assert_eq!(decrypt(&attachment, &blob, piece), Ok(all.clone()));
    }
}

#[test]
fn large_padding_comes_in_pieces() {
    let key = AttachmentKey::from_bytes([5; 64]);
    let size = padded_size(8 * 1024 * 1024) + 1; // just behind a step: the most padding
    let mut encryptor = Box::new(Encryptor::new(&key, [6; 16], size).unwrap());
    let mut pieces = 0;
    let all = vec![1; usize::try_from(size).unwrap()];
    encryptor.add(&all, &mut Vec::new()).unwrap();
    loop {
        let mut blob = Vec::new();
        let rest = encryptor.rest(&mut blob).unwrap();
        assert!(blob.len() <= 300 * 1024, "{}", blob.len());
        pieces += 1;
        match rest {
            Rest::More(more) => encryptor = more,
            Rest::Done(_) => break,
        }
    }
    assert!(pieces > 1);
}

#[test]
fn content_of_another_size_than_declared_is_refused() {
    let key = AttachmentKey::from_bytes([5; 64]);
    let new = || Box::new(Encryptor::new(&key, [6; 16], 10).unwrap());
    let mut more = new();
    more.add(&[1; 10], &mut Vec::new()).unwrap();
    assert_eq!(more.add(&[1], &mut Vec::new()), Err(NotAsDeclared));
    let mut less = new();
    less.add(&[1; 9], &mut Vec::new()).unwrap();
    assert_eq!(less.rest(&mut Vec::new()).unwrap_err(), NotAsDeclared);
}

#[test]
fn one_changed_bit_anywhere_shows_nothing() {
    let (attachment, blob) = sample(700);
    for at in 0..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(decrypt(&attachment, &changed, 100), Err(Damaged), "{at}");
        // A digest that fits does not help without the key of the MAC.
        let fitting = redigested(&attachment, &changed);
        assert_eq!(decrypt(&fitting, &changed, 100), Err(Damaged), "{at}");
    }
}

#[test]
fn a_blob_that_was_cut_or_went_on_shows_nothing() {
    let (attachment, blob) = sample(700);
    for length in 0..blob.len() {
        let cut = &blob[..length];
        assert_eq!(decrypt(&attachment, cut, 64), Err(Damaged), "{length}");
        let fitting = redigested(&attachment, cut);
        assert_eq!(decrypt(&fitting, cut, 64), Err(Damaged), "{length}");
    }
    for more in [1, 16, 32, 48] {
        let longer = [blob.clone(), vec![0; more]].concat();
        assert_eq!(decrypt(&attachment, &longer, 64), Err(Damaged), "{more}");
    }
}

#[test]
fn another_key_digest_or_size_shows_nothing() {
    let (right, blob) = sample(700);
    assert_eq!(decrypt(&right, &blob, 64).unwrap().len(), 700);
    for at in [0, 31, 32, 63] {
        let mut bytes = *right.key.as_bytes();
        bytes[at] ^= 1;
        let wrong = Attachment {
            key: AttachmentKey::from_bytes(bytes),
            ..right.clone()
        };
        assert_eq!(decrypt(&wrong, &blob, 64), Err(Damaged), "key {at}");
    }
    let wrong = redigested(&right, b"something else");
    assert_eq!(decrypt(&wrong, &blob, 64), Err(Damaged), "digest");
    let padded = padded_size(700);
    for size in [0, 1, 699, padded + 1, u64::MAX] {
        let wrong = Attachment {
            size,
            ..right.clone()
        };
        assert_eq!(decrypt(&wrong, &blob, 64), Err(Damaged), "size {size}");
    }
}

#[test]
fn more_than_any_blob_has_is_refused_while_it_comes() {
    let (attachment, _) = sample(700);
    let mut decryptor = Decryptor::new(&attachment.key, attachment.digest, 700);
    let piece = vec![0; 1024 * 1024];
    let taken = (0..200).take_while(|_| decryptor.add(&piece).is_ok());
    assert_eq!(taken.count() as u64, BLOB_MAX / (1024 * 1024));
}

#[test]
fn nothing_secret_is_in_what_debug_shows() {
    let (attachment, blob) = sample(700);
    let mut decryptor = Decryptor::new(&attachment.key, attachment.digest, 700);
    let unproven = decryptor.add(&blob).unwrap();
    let encryptor = Encryptor::new(&attachment.key, [6; 16], 700).unwrap();
    let shown = format!(
        "{:?} {decryptor:?} {unproven:?} {encryptor:?}",
        attachment.key
    );
    let expected =
        "AttachmentKey Decryptor(0 bytes to come) Unproven(700 bytes) Encryptor(700 bytes to come)";
    assert_eq!(shown, expected);
}

fn pointer(details: Details) -> Pointer {
    Pointer {
        blob: BlobId::from_bytes([9; 16]),
        key: AttachmentKey::from_bytes([5; 64]),
        digest: [8; 32],
        size: 700,
        details,
    }
}

fn details() -> Details {
    Details {
        content_type: Some("image/png".to_owned()),
        file_name: Some("Ada’s cat.png".to_owned()),
        dimensions: Some((640, 480)),
        blur_hash: Some("LEHV6nWB2yk8pyo0adR*.7kCMdnj".to_owned()),
        style: Style::Plain,
    }
}

#[test]
fn a_pointer_goes_through_a_message_and_back() {
    let styles = [Style::Plain, Style::Voice, Style::Borderless, Style::Gif];
    for style in styles {
        for details in [details(), Details::default()] {
            let sent = pointer(Details { style, ..details });
            assert_eq!(Pointer::from_proto(&sent.to_proto()), Some(sent));
        }
    }
}

#[test]
fn a_pointer_that_leads_nowhere_is_none() {
    let good = pointer(details()).to_proto();
    type Change = fn(&mut AttachmentPointer);
    let changes: [Change; 9] = [
        |p| p.cdn_key = None,
        |p| p.cdn_key = Some("../../../etc/passwd".to_owned()),
        |p| p.key = None,
        |p| p.key = Some(vec![5; 63]),
        |p| p.key = Some(vec![5; 65]),
        |p| p.digest = None,
        |p| p.digest = Some(vec![8; 31]),
        |p| p.size = None,
        |p| p.size = Some(u32::MAX),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad);
        assert_eq!(Pointer::from_proto(&bad), None, "{n}");
    }
}

#[test]
fn claims_that_could_deceive_are_left_out_or_cut() {
    let read = |change: fn(&mut AttachmentPointer)| {
        let mut proto = pointer(details()).to_proto();
        change(&mut proto);
        Pointer::from_proto(&proto).unwrap().details
    };
    let name = |name: &str| {
        let mut proto = pointer(details()).to_proto();
        proto.file_name = Some(name.to_owned());
        Pointer::from_proto(&proto).unwrap().details.file_name
    };
    assert_eq!(name("../../.bashrc").as_deref(), Some(".bashrc"));
    assert_eq!(name("C:\\windows\\a.exe").as_deref(), Some("a.exe"));
    assert_eq!(name("cat\u{202e}gnp.exe\n").as_deref(), Some("catgnp.exe"));
    assert_eq!(name("folder/"), None);
    assert!(name(&"é".repeat(300)).unwrap().len() <= FILE_NAME_MAX);
    let typed = read(|p| p.content_type = Some("image/png\r\nx: y".to_owned()));
    assert_eq!(typed.content_type, None);
    let typed = read(|p| p.content_type = Some("x".repeat(200)));
    assert_eq!(typed.content_type, None);
    assert_eq!(read(|p| p.width = Some(0)).dimensions, None);
    assert_eq!(read(|p| p.height = None).dimensions, None);
    assert_eq!(read(|p| p.flags = Some(4)).style, Style::Plain);
}

#[test]
fn a_message_keeps_the_attachments_that_can_be_read_and_counts_the_others() {
    let good = pointer(details()).to_proto();
    let keyless = AttachmentPointer {
        key: None,
        ..good.clone()
    };
    let (all, left_out) = kept(vec![keyless.clone(), good.clone(), keyless], false);
    assert_eq!((all, left_out), (vec![good.clone()], 2));
    let (all, left_out) = kept(vec![good.clone(); ATTACHMENTS_MAX + 3], false);
    assert_eq!((all.len(), left_out), (ATTACHMENTS_MAX, 3));
    let named = AttachmentPointer {
        file_name: Some("../../evil\u{202e}gnp.exe".to_owned()),
        ..good
    };
    let (all, _) = kept(vec![named], false);
    let name = shown(&all[0]).details.file_name;
    assert_eq!(name.as_deref(), Some("evilgnp.exe"));
}

#[test]
fn what_lies_elsewhere_is_shown_on_a_plain_service_and_nowhere_else() {
    let elsewhere = AttachmentPointer {
        cdn_key: Some("someCdnKey_Of-Signal".to_owned()),
        ..pointer(details()).to_proto()
    };
    assert_eq!(kept(vec![elsewhere.clone()], false).1, 1);
    let (all, left_out) = kept(vec![elsewhere.clone()], true);
    assert_eq!((all.len(), left_out), (1, 0));
    let shown = shown(&all[0]);
    assert_eq!((shown.size, shown.details), (700, details()));
    assert_eq!(Pointer::from_proto(&all[0]), None, "it can't be fetched");
    let keyless = AttachmentPointer {
        key: Some(vec![5; 3]),
        ..elsewhere
    };
    assert_eq!(kept(vec![keyless], true).1, 1);
}

#[test]
fn a_pointer_is_a_text_until_it_is_sent_and_no_other_text_is_one() {
    let sent = pointer(details());
    let text = sent.to_text();
    assert_eq!(Pointer::from_text(&text), Some(sent));
    let (_, digits) = text.split_once(':').unwrap();
    for bad in ["", "attachment:", "attachment:0", "attachment:zz", digits] {
        assert_eq!(Pointer::from_text(bad), None, "{bad}");
    }
    assert_eq!(Pointer::from_text(&text[..text.len() - 2]), None);
    assert_eq!(Pointer::from_text("attachment:\u{e9}\u{e9}"), None);
}

#[test]
fn a_plan_goes_through_a_record_and_back() {
    let plan = Plan::from_random(
        &std::array::from_fn(|n| u8::try_from(n).unwrap_or_default()),
        700,
    );
    let bytes = plan.to_bytes();
    assert_eq!(Plan::from_bytes(&bytes), Some(plan));
    for length in 0..bytes.len() {
        assert_eq!(Plan::from_bytes(&bytes[..length]), None, "{length}");
    }
}
