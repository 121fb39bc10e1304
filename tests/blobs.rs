//! Attachments in a real browser against a relay of a few lines, which loses what it is told to lose. It keeps the rules of
//! docs/protocol.md, section 20; that the real one does, is shown by its own tests.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends there")]

use std::cell::RefCell;

use engine::attachment::{Details, Pointer, blob_size};
use js_sys::{Array, Function, Reflect, Uint8Array};
use lockstep::blobs::{Access, Fault, Plan, Progress, Watch, download, upload};
use lockstep::clock::random;
use lockstep::socket::RelayAddress;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{AbortController, Blob};

wasm_bindgen_test_configure!(run_in_browser);

/// In place of `fetch`, for requests to `relay.test`. `faults` are names, each of which spoils one request.
const FAKE: &str = r#"
    const relay = { blobs: new Map(), faults: [], log: [], largest: 0, authorization: "" };
    const real = globalThis.fetch;
    const json = (status, value, headers = {}) => new Response(JSON.stringify(value), { status, headers });
    const refused = (status, code, headers) => json(status, { code }, headers);
    const answer = async (url, init) => {
        const id = new URL(url).pathname.split("/").at(-1);
        const body = init.body ?? new Uint8Array();
        const headers = new Headers(init.headers);
        const blob = relay.blobs.get(id);
        const range = headers.get("range");
        relay.log.push(`${init.method} ${headers.get("upload-offset") ?? range ?? ""}`.trim());
        if (headers.has("authorization")) relay.authorization = headers.get("authorization");
        const fault = relay.faults.length && relay.faults[0].startsWith(init.method) ? relay.faults.shift().split(" ").slice(1) : [];
        if (fault[0] === "lost") throw new TypeError("network");
        if (fault[0] === "status") return refused(Number(fault[1]), fault[2] ?? "", { "retry-after": "0" });
        if (fault[0] === "hang") return new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(new Error("abort"))));
        if (fault[0] === "setback" && blob) blob.bytes = blob.bytes.slice(0, Number(fault[1]));
        const text = () => JSON.parse(new TextDecoder().decode(body));
        if (init.method === "PUT") {
            const size = text().size;
            if (!blob) relay.blobs.set(id, { size, bytes: new Uint8Array(), complete: false });
            const { bytes, complete } = relay.blobs.get(id);
            return json(200, { offset: bytes.length, complete });
        }
        if (!blob) return refused(404, "blob_unknown");
        if (init.method === "PATCH") {
            relay.largest = Math.max(relay.largest, body.length);
            if (blob.complete) return refused(409, "blob_complete");
            if (Number(headers.get("upload-offset")) !== blob.bytes.length) return refused(409, "blob_offset");
            const taken = fault[0] === "half" ? body.slice(0, body.length / 2) : body;
            const bytes = new Uint8Array(blob.bytes.length + taken.length);
            bytes.set(blob.bytes);
            bytes.set(taken, blob.bytes.length);
            blob.bytes = bytes;
            if (bytes.length > blob.size) return refused(413, "blob_too_large");
            if (fault[0] === "half" || fault[0] === "unanswered") throw new TypeError("network");
            return json(200, { offset: bytes.length, complete: false });
        }
        if (init.method === "POST") {
            if (blob.bytes.length !== blob.size) return refused(409, "blob_incomplete");
            const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", blob.bytes));
            if (text().sha256 !== btoa(String.fromCharCode(...hash))) return blob.complete ? refused(409, "blob_complete") : refused(422, "blob_digest");
            blob.complete = true;
            if (fault[0] === "unanswered") throw new TypeError("network");
            return new Response(null, { status: 204 });
        }
        if (!blob.complete) return refused(404, "blob_unknown");
        const [first, last] = range.slice(6).split("-").map(Number);
        const part = blob.bytes.slice(first, last + 1);
        if (fault[0] === "flip") part[0] ^= 1;
        const place = `bytes ${first}-${first + part.length - 1}/${fault[0] === "resize" ? blob.size + 1 : blob.size}`;
        return new Response(part, { status: 206, headers: { "content-range": place } });
    };
    globalThis.fetch = (url, init) => String(url).startsWith("http://relay.test/") ? answer(url, init) : real(url, init);
    return relay;
"#;

fn draw(size: u64) -> Plan {
    Plan::from_random(&random().unwrap(), size)
}

struct Fake(JsValue);

impl Fake {
    fn new() -> Self {
        let relay = Function::new_no_args(FAKE).call0(&JsValue::NULL);
        Self(relay.unwrap())
    }

    fn part(&self, name: &str) -> JsValue {
        Reflect::get(&self.0, &name.into()).unwrap()
    }

    fn spoil(&self, faults: &[&str]) {
        let list = Array::from(&self.part("faults"));
        let all = faults.iter().map(|fault| JsValue::from(*fault));
        let all: Array = list.iter().chain(all).collect();
        Reflect::set(&self.0, &"faults".into(), &all).unwrap();
    }

    /// Whether all that was to be spoiled was.
    fn is_spent(&self) -> bool {
        Array::from(&self.part("faults")).length() == 0
    }

    fn log(&self) -> Vec<String> {
        let log = Array::from(&self.part("log"));
        log.iter().map(|line| line.as_string().unwrap()).collect()
    }

    fn forget(&self) {
        Reflect::set(&self.0, &"log".into(), &Array::new()).unwrap();
    }
}

fn access() -> Access {
    Access {
        relay: RelayAddress::parse("ws://relay.test").unwrap(),
        authorization: Some("Basic me".to_owned()),
    }
}

const MIB: u64 = 1024 * 1024;

fn content(size: u64) -> Vec<u8> {
    (0..size)
        .map(|n| u8::try_from((n * 31 + (n >> 8) * 7) & 255).unwrap())
        .collect()
}

fn file(bytes: &[u8]) -> Blob {
    let parts = Array::of1(&Uint8Array::from(bytes));
    Blob::new_with_u8_array_sequence(&parts).unwrap()
}

async fn bytes(blob: &Blob) -> Vec<u8> {
    let buffer = JsFuture::from(blob.array_buffer()).await.unwrap();
    Uint8Array::new(&buffer).to_vec()
}

fn quiet(_: Progress) {}

const WATCH: Watch<'static> = Watch {
    progress: &quiet,
    abort: None,
};

async fn send(plan: &Plan, content: &[u8]) -> Result<Pointer, Fault> {
    let digest = upload(&access(), plan, &file(content), &WATCH).await?;
    let details = Details {
        content_type: Some("image/png".to_owned()),
        ..Details::default()
    };
    Ok(plan.pointer(digest, details))
}

#[wasm_bindgen_test]
async fn a_file_goes_up_and_comes_down_in_slices() {
    let fake = Fake::new();
    for size in [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 77] {
        let content = content(size);
        let plan = draw(size);
        let pointer = send(&plan, &content).await.unwrap();
        let got = download(&access(), &pointer, &WATCH).await.unwrap();
        assert_eq!(got.type_(), "image/png");
        assert!(bytes(&got).await == content, "{size}");
    }
    let largest = fake.part("largest").as_f64().unwrap();
    assert!(
        largest <= 1_048_576.0,
        "what proxies let through: {largest}"
    );
}

#[wasm_bindgen_test]
async fn only_uploads_say_who_asks() {
    let fake = Fake::new();
    let plan = draw(100);
    let pointer = send(&plan, &content(100)).await.unwrap();
    assert_eq!(fake.part("authorization"), "Basic me");
    Reflect::set(&fake.0, &"authorization".into(), &"".into()).unwrap();
    download(&access(), &pointer, &WATCH).await.unwrap();
    assert_eq!(fake.part("authorization"), "");
}

#[wasm_bindgen_test]
async fn an_upload_goes_on_where_it_stopped_whatever_was_lost() {
    let fake = Fake::new();
    let content = content(3 * MIB);
    fake.spoil(&[
        "PUT lost",
        "PATCH lost",
        "PUT status 503",
        "PATCH half",
        "PATCH unanswered",
        "PATCH status 429 blob_busy",
        "POST lost",
        "POST unanswered",
    ]);
    let plan = draw(3 * MIB);
    let pointer = send(&plan, &content).await.unwrap();
    assert!(fake.is_spent(), "{:?}", fake.log());
    let got = download(&access(), &pointer, &WATCH).await.unwrap();
    assert!(bytes(&got).await == content);
}

#[wasm_bindgen_test]
async fn after_a_reload_only_what_is_missing_is_sent() {
    let fake = Fake::new();
    let content = content(3 * MIB);
    let plan = draw(3 * MIB);
    // The page is closed while the third slice is on its way.
    let closing = AbortController::new().unwrap();
    let at_two = |progress: Progress| {
        if progress.done > 2 * MIB {
            closing.abort();
        }
    };
    let watch = Watch {
        progress: &at_two,
        abort: Some(closing.signal()),
    };
    let ended = upload(&access(), &plan, &file(&content), &watch).await;
    assert_eq!(ended, Err(Fault::Aborted));
    fake.forget();
    let kept = Plan::from_bytes(&plan.to_bytes()).unwrap();
    assert_eq!(kept, plan);
    let pointer = send(&kept, &content).await.unwrap();
    let sent: Vec<_> = fake.log();
    assert_eq!(sent.first().map(String::as_str), Some("PUT"));
    let patches = sent.iter().filter(|line| line.starts_with("PATCH"));
    let offsets: Vec<u64> = patches
        .map(|line| line.split(' ').next_back().unwrap().parse().unwrap())
        .collect();
    assert!(offsets.iter().all(|offset| *offset > 2 * MIB), "{sent:?}");
    let got = download(&access(), &pointer, &WATCH).await.unwrap();
    assert!(bytes(&got).await == content);
    // Once more after it is complete: nothing is sent, and the outcome is the same.
    fake.forget();
    assert_eq!(send(&kept, &content).await.unwrap(), pointer);
    assert_eq!(fake.log(), ["PUT", "POST"]);
    // Another file in its place is not taken for it.
    let mut other = content.clone();
    *other.get_mut(5).unwrap() ^= 1;
    assert_eq!(send(&kept, &other).await, Err(Fault::Changed));
}

#[wasm_bindgen_test]
async fn a_relay_that_was_set_back_gets_all_again() {
    let fake = Fake::new();
    let content = content(3 * MIB);
    let plan = draw(3 * MIB);
    fake.spoil(&["PATCH x", "PATCH x", "PATCH setback 1000", "PATCH lost"]);
    let pointer = send(&plan, &content).await.unwrap();
    assert!(fake.is_spent());
    let got = download(&access(), &pointer, &WATCH).await.unwrap();
    assert!(bytes(&got).await == content);
}

#[wasm_bindgen_test]
async fn a_file_that_changed_is_not_sent_as_the_same() {
    let fake = Fake::new();
    let plan = draw(100);
    assert_eq!(send(&plan, &content(101)).await, Err(Fault::Changed));
    assert_eq!(fake.log().len(), 0);
    fake.spoil(&["PATCH half", "PUT status 401"]);
    assert_eq!(send(&plan, &content(100)).await, Err(Fault::SignedOut));
    let other = vec![9; 100];
    assert_eq!(send(&plan, &other).await, Err(Fault::Changed));
}

#[wasm_bindgen_test]
async fn refusals_say_what_they_mean() {
    let fake = Fake::new();
    for (fault, expected) in [
        ("PUT status 401", Fault::SignedOut),
        ("PUT status 409 blob_taken", Fault::Gone),
        ("PUT status 413 blob_too_large", Fault::TooLarge),
        (
            "PUT status 429 blob_quota",
            Fault::Quota { retry_after_s: 0 },
        ),
        ("PUT status 403", Fault::Refused { status: 403 }),
        ("PATCH status 404 blob_unknown", Fault::Gone),
        ("POST status 422 blob_digest", Fault::Changed),
    ] {
        fake.spoil(&[fault]);
        let plan = draw(100);
        assert_eq!(send(&plan, &content(100)).await, Err(expected), "{fault}");
        assert!(fake.is_spent());
    }
}

#[wasm_bindgen_test]
async fn a_file_that_is_too_large_is_refused_before_the_relay_hears_of_it() {
    let fake = Fake::new();
    // The same piece a hundred times costs no memory.
    let piece = file(&content(MIB));
    let mut parts: Array = (0..100).map(|_| JsValue::from(piece.clone())).collect();
    parts.extend([JsValue::from(file(&[1]))]);
    let large = Blob::new_with_blob_sequence(&parts).unwrap();
    let plan = draw(100 * MIB + 1);
    let refused = upload(&access(), &plan, &large, &WATCH).await;
    assert_eq!(refused, Err(Fault::TooLarge));
    assert_eq!(fake.log().len(), 0);
}

#[wasm_bindgen_test]
async fn what_is_damaged_on_the_way_is_not_given_out() {
    let fake = Fake::new();
    let plan = draw(2 * MIB);
    let pointer = send(&plan, &content(2 * MIB)).await.unwrap();
    for faults in [
        &["GET flip"][..],
        &["GET x", "GET x", "GET flip"],
        &["GET x", "GET resize"],
        &["GET status 416"],
    ] {
        fake.spoil(faults);
        let got = download(&access(), &pointer, &WATCH).await;
        assert_eq!(got.unwrap_err(), Fault::Damaged, "{faults:?}");
        assert!(fake.is_spent());
    }
    let mut wrong = pointer.clone();
    wrong.digest[0] ^= 1;
    let got = download(&access(), &wrong, &WATCH).await;
    assert_eq!(got.unwrap_err(), Fault::Damaged);
    let unknown = draw(2 * MIB);
    let nowhere = unknown.pointer(pointer.digest, Details::default());
    let got = download(&access(), &nowhere, &WATCH).await;
    assert_eq!(got.unwrap_err(), Fault::Gone);
    fake.spoil(&["GET lost", "GET x", "GET status 503"]);
    let got = download(&access(), &pointer, &WATCH).await.unwrap();
    assert!(bytes(&got).await == content(2 * MIB));
}

#[wasm_bindgen_test]
async fn progress_grows_to_the_whole() {
    let _fake = Fake::new();
    let size = 2 * MIB + 5;
    let total = blob_size(size);
    let seen = RefCell::new(Vec::new());
    let note = |progress: Progress| seen.borrow_mut().push(progress);
    let watch = Watch {
        progress: &note,
        abort: None,
    };
    let plan = draw(size);
    let content = file(&content(size));
    let digest = upload(&access(), &plan, &content, &watch).await.unwrap();
    let pointer = plan.pointer(digest, Details::default());
    for _ in 0..2 {
        let seen = seen.take();
        assert!(seen.len() >= 3, "{seen:?}");
        assert!(seen.is_sorted_by(|one, next| one.done < next.done));
        assert!(seen.iter().all(|progress| progress.total == total));
        assert_eq!(seen.last().map(|progress| progress.done), Some(total));
        let got = download(&access(), &pointer, &watch).await.unwrap();
        assert_eq!(got.type_(), "application/octet-stream");
    }
}

#[wasm_bindgen_test]
async fn a_request_that_hangs_ends_when_the_page_says_so() {
    let fake = Fake::new();
    let plan = draw(100);
    for fault in ["PUT hang", "PATCH hang", "POST hang"] {
        fake.spoil(&[fault]);
        let stop = AbortController::new().unwrap();
        let watch = Watch {
            progress: &quiet,
            abort: Some(stop.signal()),
        };
        let soon = async {
            lockstep::clock::Timer::after_ms(50).await;
            stop.abort();
        };
        let file = file(&content(100));
        let access = access();
        let work = upload(&access, &plan, &file, &watch);
        let (ended, ()) = futures_util::future::join(work, soon).await;
        assert_eq!(ended, Err(Fault::Aborted), "{fault}");
        let again = upload(&access, &plan, &file, &watch).await;
        assert_eq!(again, Err(Fault::Aborted), "it stays so");
    }
    send(&plan, &content(100)).await.unwrap();
}

#[wasm_bindgen_test]
async fn what_could_run_as_a_page_is_given_out_as_plain_bytes() {
    let _fake = Fake::new();
    let plan = draw(10);
    let sent = send(&plan, &content(10)).await.unwrap();
    for (claimed, given) in [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/pdf", "application/octet-stream"),
        ("image/jpeg", "image/jpeg"),
        ("video/mp4", "video/mp4"),
        ("audio/ogg", "audio/ogg"),
    ] {
        let mut pointer = sent.clone();
        pointer.details.content_type = Some(claimed.to_owned());
        let got = download(&access(), &pointer, &WATCH).await.unwrap();
        assert_eq!(got.type_(), given);
    }
}
