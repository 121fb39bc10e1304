//! The API as a page may use it: at any time, twice, in parallel, wrongly. There is no relay in these tests.
//! Whatever a page does, it gets a `LockstepError` or an answer, and the module goes on.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends there")]

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use lockstep::api::client::Client;
use lockstep::clock::Timer;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const NOBODY: &str = "ws://127.0.0.1:9";

#[wasm_bindgen]
extern "C" {
    /// The client as JavaScript has it.
    type JsClient;

    #[wasm_bindgen(method)]
    fn state(this: &JsClient) -> String;
    #[wasm_bindgen(method)]
    fn connection(this: &JsClient) -> String;
    #[wasm_bindgen(method)]
    fn account(this: &JsClient) -> Promise;
    #[wasm_bindgen(method)]
    fn conversations(this: &JsClient) -> Promise;
    #[wasm_bindgen(method)]
    fn close(this: &JsClient) -> Promise;
    #[wasm_bindgen(method)]
    fn free(this: &JsClient);
    #[wasm_bindgen(method, catch)]
    fn on(this: &JsClient, event: &JsValue, listener: &JsValue) -> Result<Function, JsValue>;
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

fn options(store: &str) -> JsValue {
    object(&[("relay", NOBODY.into()), ("store", store.into())])
}

async fn open(store: &str) -> JsClient {
    JsFuture::from(Client::open(&options(store)))
        .await
        .unwrap()
        .unchecked_into()
}

async fn code(promise: Promise) -> String {
    JsFuture::from(promise)
        .await
        .map_or_else(|error| code_of(&error), |_| "resolved".to_owned())
}

/// The code of an error, after a look at the rest of it.
fn code_of(error: &JsValue) -> String {
    let error: &js_sys::Error = error.dyn_ref().unwrap();
    assert_eq!(error.name(), "LockstepError");
    assert!(String::from(error.message()).ends_with('.'), "a sentence");
    let field = |name: &str| Reflect::get(error, &name.into()).unwrap();
    assert!(field("retry").as_bool().is_some());
    field("code").as_string().unwrap()
}

/// Calls a method by name with any arguments; what it throws counts as a rejection.
async fn call(client: &JsClient, method: &str, arguments: &[JsValue]) -> String {
    let function: Function = Reflect::get(client, &method.into())
        .unwrap()
        .dyn_into()
        .unwrap();
    match function.apply(client, &arguments.iter().collect::<Array>()) {
        Ok(value) => match value.dyn_into::<Promise>() {
            Ok(promise) => code(promise).await,
            Err(_) => "returned".to_owned(),
        },
        Err(thrown) => code_of(&thrown),
    }
}

const METHODS: [&str; 27] = [
    "account",
    "register",
    "link",
    "openLink",
    "send",
    "conversations",
    "messages",
    "markRead",
    "contacts",
    "settings",
    "setSettings",
    "profile",
    "setProfile",
    "setContact",
    "block",
    "acceptRequest",
    "declineRequest",
    "verify",
    "mute",
    "archive",
    "pin",
    "setDraft",
    "markUnread",
    "staff",
    "changeStaff",
    "setWithoutStaff",
    "seenStaff",
];

/// What of them takes nothing.
const WITHOUT_ARGUMENTS: [&str; 5] = [
    "account",
    "conversations",
    "contacts",
    "settings",
    "profile",
];

#[wasm_bindgen_test]
async fn a_new_client_is_new_and_says_so_without_a_relay() {
    let client = open("api_new").await;
    assert_eq!(client.state(), "new");
    assert!(["offline", "connecting"].contains(&client.connection().as_str()));
    assert!(
        JsFuture::from(client.account())
            .await
            .unwrap()
            .is_undefined()
    );
    let state = JsFuture::from(client.conversations()).await;
    assert!(state.is_ok_and(|list| Array::is_array(&list)) || client.state() == "new");
    JsFuture::from(client.close()).await.unwrap();
}

#[wasm_bindgen_test]
async fn an_unreachable_relay_is_an_event_and_not_the_end() {
    let client = open("api_offline").await;
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let listener = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        noted.borrow_mut().push(
            Reflect::get(&event, &"state".into())
                .unwrap()
                .as_string()
                .unwrap(),
        );
    });
    client.on(&"connection".into(), listener.as_ref()).unwrap();
    for _ in 0..100 {
        if seen.borrow().iter().any(|state| state == "offline") {
            break;
        }
        Timer::after_ms(50).await;
    }
    assert!(seen.borrow().iter().any(|state| state == "offline"));
    assert_eq!(client.state(), "new");
    assert!(JsFuture::from(client.account()).await.is_ok());
    JsFuture::from(client.close()).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_store_is_open_once_at_a_time() {
    let first = open("api_twice").await;
    assert_eq!(
        code(Client::open(&options("api_twice"))).await,
        "store_in_use"
    );
    assert!(
        JsFuture::from(first.account()).await.is_ok(),
        "the first goes on"
    );
    JsFuture::from(first.close()).await.unwrap();
    let second = open("api_twice").await;
    JsFuture::from(second.close()).await.unwrap();
}

#[wasm_bindgen_test]
async fn closing_twice_is_closing() {
    let client = open("api_close").await;
    let both = [client.close(), client.close()];
    for closing in both {
        JsFuture::from(closing).await.unwrap();
    }
    JsFuture::from(client.close()).await.unwrap();
    assert_eq!(client.connection(), "offline");
}

#[wasm_bindgen_test]
async fn after_close_every_call_is_refused() {
    let client = open("api_closed").await;
    let waiting = client.account();
    let closing = client.close();
    // Asked before, answered in one of two ways, but answered.
    assert!(["resolved", "closed"].contains(&code(waiting).await.as_str()));
    assert_eq!(code(client.account()).await, "closed", "while closing");
    JsFuture::from(closing).await.unwrap();
    let device = object(&[("deviceName", "x".into()), ("handle", "bob".into())]);
    let text = object(&[("text", "x".into())]);
    let id = JsValue::from("00112233445566778899aabbccddeeff");
    assert_eq!(
        call(&client, "register", std::slice::from_ref(&device)).await,
        "closed"
    );
    assert_eq!(call(&client, "link", &[device]).await, "closed");
    assert_eq!(call(&client, "openLink", &["x".into()]).await, "closed");
    assert_eq!(call(&client, "send", &["bob".into(), text]).await, "closed");
    assert_eq!(call(&client, "messages", &["bob".into()]).await, "closed");
    assert_eq!(
        call(&client, "markRead", &["bob".into(), id]).await,
        "closed"
    );
    for method in ["account", "conversations", "contacts", "devices"] {
        assert_eq!(call(&client, method, &[]).await, "closed", "{method}");
    }
    assert_eq!(client.state(), "new");
}

#[wasm_bindgen_test]
async fn many_calls_at_once_are_all_answered() {
    let client = open("api_parallel").await;
    let calls: Vec<Promise> = (0..200).map(|_| client.account()).collect();
    for call in calls {
        assert_eq!(code(call).await, "resolved");
    }
    let calls: Vec<Promise> = (0..2_000).map(|_| client.account()).collect();
    let mut full = 0;
    for call in calls {
        let code = code(call).await;
        assert!(
            ["resolved", "queue_full"].contains(&code.as_str()),
            "{code}"
        );
        full += u32::from(code == "queue_full");
    }
    assert!(full > 0, "the queue has a limit");
    assert_eq!(code(client.account()).await, "resolved", "and gets over it");
    JsFuture::from(client.close()).await.unwrap();
}

async fn goes_on(client: &JsClient) {
    assert_eq!(
        code(client.account()).await,
        "resolved",
        "the module goes on"
    );
    JsFuture::from(client.close()).await.unwrap();
}

#[wasm_bindgen_test]
async fn arguments_of_any_type_are_refused_by_name() {
    let client = open("api_types").await;
    let nonsense = [
        JsValue::UNDEFINED,
        JsValue::NULL,
        JsValue::TRUE,
        JsValue::from(7),
        JsValue::from(f64::NAN),
        JsValue::from("text"),
        JsValue::symbol(Some("symbol")),
        JsValue::bigint_from_str("7"),
        Array::new().into(),
        object(&[
            ("deviceName", 7.into()),
            ("text", JsValue::NULL),
            ("limit", "x".into()),
        ]),
        Function::new_no_args("").into(),
        // Whatever is read from it throws.
        js_sys::eval("({ get handle() { throw null }, get deviceName() { throw 1 }, get text() { throw 2 } })").unwrap(),
        js_sys::eval("new Proxy({}, { get() { throw new Error('no') }, has() { throw 1 } })")
            .unwrap(),
    ];
    for value in &nonsense {
        let is_text = value.is_string();
        for method in ["register", "link"] {
            assert_eq!(
                call(&client, method, std::slice::from_ref(value)).await,
                "invalid_argument",
                "{method}"
            );
        }
        assert_eq!(code(Client::open(value)).await, "invalid_argument");
        assert_eq!(
            call(&client, "send", &["bob".into(), value.clone()]).await,
            "invalid_argument"
        );
        if !is_text {
            for method in ["messages", "markRead", "send"] {
                assert_eq!(
                    call(&client, method, std::slice::from_ref(value)).await,
                    "invalid_argument",
                    "{method}"
                );
            }
            // It takes a text, or options, which may be absent.
            let opened = call(&client, "openLink", std::slice::from_ref(value)).await;
            let may_be_options =
                value.is_undefined() || value.is_null() || value.is_object() || value.is_function();
            assert!(
                opened == "invalid_argument" || (may_be_options && opened == "not_ready"),
                "{opened}"
            );
            assert!(client.on(value, &Function::new_no_args("")).is_err());
        }
        if !value.is_function() {
            let thrown = client.on(&"message".into(), value).unwrap_err();
            assert_eq!(code_of(&thrown), "invalid_argument");
        }
    }
    goes_on(&client).await;
}

#[wasm_bindgen_test]
async fn calls_without_arguments_are_answered_or_refused() {
    let client = open("api_bare").await;
    for method in METHODS {
        let code = call(&client, method, &[]).await;
        let takes_nothing = WITHOUT_ARGUMENTS.contains(&method);
        let expected = if takes_nothing {
            "resolved"
        } else if ["openLink", "staff"].contains(&method) {
            "not_ready" // without a text `openLink` waits for whoever asks, which needs an account, as having staff does
        } else {
            "invalid_argument"
        };
        assert_eq!(code, expected, "{method}");
    }
    goes_on(&client).await;
}

#[wasm_bindgen_test]
async fn application_data_is_checked_before_there_is_an_account() {
    let client = open("api_app").await;
    let app = |client: &JsClient| -> JsClient {
        let app = Reflect::get(client, &"app".into()).unwrap();
        app.unchecked_into()
    };
    let (key, value) = (JsValue::from("notes/one"), JsValue::from(7));
    let set = [key.clone(), value];
    assert_eq!(call(&app(&client), "set", &set).await, "not_ready");
    for method in ["get", "list", "count", "members"] {
        let one = std::slice::from_ref(&key);
        assert_eq!(
            call(&app(&client), method, one).await,
            "resolved",
            "{method}"
        );
        let bad = ["no-namespace".into()];
        assert_eq!(
            call(&app(&client), method, &bad).await,
            "app_key_invalid",
            "{method}"
        );
        assert_eq!(
            call(&app(&client), method, &[]).await,
            "invalid_argument",
            "{method}"
        );
    }
    for bad in [
        "(() => 1)",
        "Symbol('s')",
        "10n",
        "({ toJSON() { throw new Error('mine') } })",
        "(() => { const loop = {}; loop.loop = loop; return loop; })()",
        "undefined",
    ] {
        let value = js_sys::eval(bad).unwrap();
        let code = call(&app(&client), "set", &[key.clone(), value]).await;
        assert_eq!(code, "invalid_argument", "{bad}");
    }
    for n in [0.5, f64::NAN, 1e300] {
        let code = call(&app(&client), "add", &[key.clone(), n.into()]).await;
        assert_eq!(code, "invalid_argument", "{n}");
    }
    let noise = [JsValue::from("bytes")];
    assert_eq!(
        call(&app(&client), "send", &noise).await,
        "invalid_argument"
    );
    let kept = app(&client);
    JsFuture::from(client.close()).await.unwrap();
    assert_eq!(call(&kept, "get", &[key]).await, "closed");
}

#[wasm_bindgen_test]
async fn values_out_of_range_are_refused_by_name() {
    let open = |relay: &str, store: &str| {
        Client::open(&object(&[("relay", relay.into()), ("store", store.into())]))
    };
    assert_eq!(
        code(open("ftp://relay.example", "api_range")).await,
        "invalid_argument"
    );
    assert_eq!(code(open(NOBODY, "")).await, "invalid_argument");
    assert_eq!(
        code(open(NOBODY, &"x".repeat(1000))).await,
        "invalid_argument"
    );
    let client = self::open("api_range").await;
    for limit in [0.0, -1.0, 0.5, 501.0, f64::NAN, f64::INFINITY, 1e300] {
        let options = object(&[("limit", limit.into())]);
        assert_eq!(
            call(&client, "messages", &["bob".into(), options]).await,
            "invalid_argument",
            "{limit}"
        );
    }
    let before = object(&[("before", "not an id".into())]);
    assert_eq!(
        call(&client, "messages", &["bob".into(), before]).await,
        "invalid_argument"
    );
    assert_eq!(
        call(&client, "markRead", &["bob".into(), "not an id".into()]).await,
        "invalid_argument"
    );
    let thrown = client
        .on(&"nonsense".into(), &Function::new_no_args(""))
        .unwrap_err();
    assert_eq!(code_of(&thrown), "invalid_argument");
    JsFuture::from(client.close()).await.unwrap();
}

#[wasm_bindgen_test]
async fn what_staff_may_is_read_strictly() {
    let client = open("api_staff").await;
    let list = Array::of1(&7.into());
    let changes = [
        JsValue::UNDEFINED,
        JsValue::NULL,
        "text".into(),
        object(&[("conversations", "bob".into())]),
        object(&[("conversations", list.into())]),
        object(&[("until", "tomorrow".into())]),
        object(&[("until", f64::NAN.into())]),
        object(&[("until", f64::INFINITY.into())]),
        object(&[("until", (-1.0).into())]),
    ];
    for change in changes {
        let code = call(&client, "changeStaff", &[2.into(), change.clone()]).await;
        assert_eq!(code, "invalid_argument", "{change:?}");
    }
    for device in ["2".into(), 0.5.into(), JsValue::from(256), JsValue::NULL] {
        let nothing = object(&[("until", JsValue::NULL)]);
        let code = call(&client, "changeStaff", &[device.clone(), nothing]).await;
        assert_eq!(code, "invalid_argument", "{device:?}");
    }
    for without in [JsValue::UNDEFINED, 1.into(), "true".into()] {
        let code = call(&client, "setWithoutStaff", &["bob".into(), without]).await;
        assert_eq!(code, "invalid_argument");
    }
    goes_on(&client).await;
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_harms_nobody() {
    let client = open("api_throwing").await;
    let heard = Rc::new(RefCell::new(0_u32));
    let count = Rc::clone(&heard);
    let listener = Closure::<dyn FnMut(JsValue)>::new(move |_: JsValue| *count.borrow_mut() += 1);
    client
        .on(
            &"connection".into(),
            &Function::new_no_args("throw new Error('mine')"),
        )
        .unwrap();
    client.on(&"connection".into(), listener.as_ref()).unwrap();
    let off = client
        .on(&"connection".into(), &Function::new_no_args("throw null"))
        .unwrap();
    for _ in 0..100 {
        if *heard.borrow() > 0 {
            break;
        }
        Timer::after_ms(50).await;
    }
    assert!(*heard.borrow() > 0, "the one after it was called");
    assert_eq!(code(client.account()).await, "resolved");
    for _ in 0..2 {
        off.call0(&JsValue::UNDEFINED).unwrap();
    }
    JsFuture::from(client.close()).await.unwrap();
    off.call0(&JsValue::UNDEFINED).unwrap();
}

#[wasm_bindgen_test]
async fn a_client_may_be_freed_while_it_works() {
    let client = open("api_freed").await;
    let off = client
        .on(&"message".into(), &Function::new_no_args(""))
        .unwrap();
    let (asked, closing) = (client.account(), client.close());
    client.free();
    off.call0(&JsValue::UNDEFINED).unwrap();
    assert!(["resolved", "closed"].contains(&code(asked).await.as_str()));
    JsFuture::from(closing).await.unwrap();
    let again = open("api_freed").await;
    assert_eq!(
        code(again.account()).await,
        "resolved",
        "the module goes on"
    );
    JsFuture::from(again.close()).await.unwrap();
}

#[wasm_bindgen_test]
async fn opened_and_closed_again_and_again_it_is_still_the_same() {
    for _ in 0..10 {
        let client = open("api_again").await;
        assert_eq!(client.state(), "new");
        JsFuture::from(client.close()).await.unwrap();
    }
}
