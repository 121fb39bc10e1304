//! Where a browser that is to be linked meets a device: who may, how often, and what is never changed.
//! What the messages mean is tested where it is known.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use wire::Endpoint;
use wire::rendezvous::{Open, Opened, Rendezvous, Waiting, name};

use super::super::credential::{CredentialCheck, JwtCheck, JwtKey, JwtRules};
use super::super::quota::Quota;
use super::super::testing::Device;
use super::{Answer, Scene, scene};
use crate::limits::RENDEZVOUS_KEPT_MS;

const SECRET: [u8; 32] = [5; 32];

impl Scene {
    fn open_with(&mut self, id: u8, handle: Option<&str>, credential: Option<String>) -> Answer {
        let open = Open {
            rendezvous: [id; 16],
            handle: handle.map(|handle| handle.parse().unwrap()),
            credential,
            message: vec![id],
        };
        let endpoint = Endpoint::Rendezvous(Rendezvous::Open);
        self.bench.stranger(endpoint, &open.encode())
    }

    /// The browser's address.
    fn open(&mut self, id: u8) -> String {
        let answer = self.open_with(id, Some("alice"), None);
        assert_eq!(answer.status, 200);
        Opened::decode(&answer.body).unwrap().address
    }

    fn look(&mut self, by: Device) -> Option<Waiting> {
        self.look_at(by, None)
    }

    fn look_at(&mut self, by: Device, at: Option<String>) -> Option<Waiting> {
        let look = Endpoint::Rendezvous(Rendezvous::Look { at, timeout_s: 1 });
        let answer = self.bench.ask(&by, look, &[]);
        (answer.status == 200).then(|| Waiting::decode(&answer.body).unwrap())
    }

    fn put(&mut self, by: Option<Device>, at: &str, index: u8, message: &[u8]) -> u16 {
        let put = Rendezvous::Put {
            at: at.to_owned(),
            index,
        };
        let by = by.map(|device| device.caller);
        let asked = Endpoint::Rendezvous(put);
        self.bench.ask_with(by, asked, message, None).status
    }

    fn get(&mut self, by: Option<Device>, at: &str, index: u8) -> (u16, Vec<u8>) {
        let get = Rendezvous::Get {
            at: at.to_owned(),
            index,
            timeout_s: 1,
        };
        let by = by.map(|device| device.caller);
        let answer = self
            .bench
            .ask_with(by, Endpoint::Rendezvous(get), &[], None);
        (answer.status, answer.body)
    }

    fn leave(&mut self, by: Option<Device>, at: &str) -> u16 {
        let end = Endpoint::Rendezvous(Rendezvous::End { at: at.to_owned() });
        let by = by.map(|device| device.caller);
        self.bench.ask_with(by, end, &[], None).status
    }

    pub(super) fn wants_credentials(&mut self) {
        let key = JwtKey::Secret(SECRET.to_vec());
        let check = JwtCheck::new(&key, JwtRules::default()).unwrap();
        self.bench.core.credentials = CredentialCheck::Jwt(Box::new(check));
    }
}

pub(super) fn credential(handle: &str) -> Option<String> {
    let claims = json!({ "handle": handle, "exp": 4_000_000_000_u64 });
    let key = EncodingKey::from_secret(&SECRET);
    Some(encode(&Header::default(), &claims, &key).unwrap())
}

#[test]
fn a_browser_and_a_device_exchange_messages() {
    let mut scene = scene();
    let (a1, at) = (scene.a1, name(&[1; 16]));
    assert_eq!(scene.look(a1), None);
    let address = scene.open(1);
    let found = scene.look(a1).unwrap();
    assert_eq!((found.rendezvous, found.message), ([1; 16], vec![1]));
    assert_eq!(scene.get(None, &address, 0), (204, vec![]));
    assert_eq!(scene.put(Some(a1), &at, 0, b"answer"), 204);
    assert_eq!(scene.get(None, &address, 0), (200, b"answer".to_vec()));
    assert_eq!(scene.put(None, &address, 1, b"reveal"), 204);
    assert_eq!(scene.get(Some(a1), &at, 1), (200, b"reveal".to_vec()));
    assert_eq!(scene.look(a1), None, "it is not found twice");
}

#[test]
fn no_message_is_changed_or_comes_out_of_turn() {
    let mut scene = scene();
    let (a1, at) = (Some(scene.a1), name(&[1; 16]));
    let address = scene.open(1);
    assert_eq!(scene.put(a1, &at, 0, b"one"), 204);
    assert_eq!(scene.put(a1, &at, 0, b"one"), 204, "a repeat is the same");
    assert_eq!(scene.put(a1, &at, 0, b"two"), 409);
    assert_eq!(scene.put(a1, &at, 2, b"three"), 409);
    assert_eq!(scene.put(None, &address, 0, b"other"), 409);
    assert_eq!(scene.get(None, &address, 0), (200, b"one".to_vec()));
    assert_eq!(scene.put(None, &address, 1, &[0; 16 * 1024 + 1]), 413);
}

#[test]
fn only_devices_of_the_account_find_it_and_only_one_is_bound() {
    let mut scene = scene();
    let (a1, a2, b1) = (scene.a1, scene.a2, scene.b1);
    let at = name(&[1; 16]);
    let address = scene.open(1);
    assert_eq!(scene.look(b1), None);
    assert_eq!(scene.put(Some(b1), &at, 0, b"mine"), 404);
    assert_eq!(
        scene.put(None, &at, 1, b"mine"),
        404,
        "the id is no address"
    );
    assert_eq!(scene.put(Some(a1), &address, 0, b"mine"), 404);
    let look = Endpoint::Rendezvous(Rendezvous::Look {
        at: None,
        timeout_s: 1,
    });
    assert_eq!(scene.bench.stranger(look, &[]).status, 401);
    assert!(scene.look(a2).is_some(), "looking binds nobody");
    assert_eq!(scene.get(Some(a1), &at, 1).0, 409);
    assert_eq!(scene.put(Some(a1), &at, 0, b"first"), 204);
    assert_eq!(scene.put(Some(a2), &at, 0, b"first"), 409);
    assert_eq!(scene.get(Some(a2), &at, 0).0, 409);
    assert_eq!(scene.leave(Some(a2), &at), 409);
}

#[test]
fn of_an_account_one_run_goes_on_at_a_time() {
    let mut scene = scene();
    scene.wants_credentials();
    let (a1, a2) = (Some(scene.a1), Some(scene.a2));
    let own = scene.open_with(1, None, credential("alice"));
    let staff = scene.open_with(2, Some("alice"), credential("bob"));
    assert_eq!((own.status, staff.status), (200, 200));
    assert_eq!(scene.put(a1, &name(&[1; 16]), 0, b"x"), 204);
    assert_eq!(scene.put(a2, &name(&[2; 16]), 0, b"x"), 409);
    assert_eq!(scene.leave(a1, &name(&[1; 16])), 204);
    assert_eq!(scene.put(a2, &name(&[2; 16]), 0, b"x"), 204);
}

#[test]
fn a_rendezvous_is_over_after_five_minutes() {
    let mut scene = scene();
    let address = scene.open(1);
    scene.bench.now += RENDEZVOUS_KEPT_MS - 1;
    assert_eq!(scene.get(None, &address, 0).0, 204);
    scene.bench.now += 1;
    assert_eq!(scene.get(None, &address, 0).0, 404);
    assert_eq!(scene.look(scene.a1), None);
}

#[test]
fn who_ends_it_is_told_to_the_other() {
    let mut scene = scene();
    let (a1, at) = (Some(scene.a1), name(&[1; 16]));
    let address = scene.open(1);
    assert_eq!(scene.put(a1, &at, 0, b"answer"), 204);
    assert_eq!(scene.leave(a1, &at), 204);
    assert_eq!(scene.get(None, &address, 0), (410, vec![]));
    assert_eq!(scene.put(None, &address, 1, b"reveal"), 410);
    let address = scene.open(2);
    assert_eq!(scene.put(a1, &name(&[2; 16]), 0, b"answer"), 204);
    assert_eq!(scene.leave(None, &address), 204);
    assert_eq!(scene.get(a1, &name(&[2; 16]), 1).0, 410);
}

#[test]
fn a_device_that_looks_again_has_left_what_it_was_bound_to() {
    let mut scene = scene();
    let a1 = scene.a1;
    let address = scene.open(1);
    assert_eq!(scene.put(Some(a1), &name(&[1; 16]), 0, b"answer"), 204);
    assert_eq!(scene.look(a1), None);
    assert_eq!(scene.get(None, &address, 0).0, 410);
}

#[test]
fn a_browser_that_opens_anew_makes_its_own_earlier_one_end_and_nobody_elses() {
    let mut scene = scene();
    scene.wants_credentials();
    let own = |answer: Answer| Opened::decode(&answer.body).unwrap().address;
    let first = own(scene.open_with(1, None, credential("alice")));
    let staff = own(scene.open_with(2, Some("alice"), credential("bob")));
    let again = own(scene.open_with(3, None, credential("alice")));
    let status = |scene: &mut Scene, at: &str| scene.get(None, at, 0).0;
    assert_eq!(status(&mut scene, &first), 404);
    assert_eq!(status(&mut scene, &staff), 204);
    assert_eq!(status(&mut scene, &again), 204);
}

#[test]
fn a_device_is_told_whom_the_credential_names_and_finds_its_own_person_first() {
    let mut scene = scene();
    scene.wants_credentials();
    let a1 = scene.a1;
    assert_eq!(scene.open_with(1, Some("alice"), None).status, 401);
    assert_eq!(scene.open_with(1, None, None).status, 401);
    assert_eq!(scene.open_with(1, None, credential("alice")).status, 200);
    let staff = scene.open_with(2, Some("alice"), credential("bob"));
    assert_eq!(staff.status, 200);
    assert_eq!(scene.look(a1).unwrap().claimed, None);
    let named = scene.look_at(a1, Some(name(&[2; 16]))).unwrap();
    assert_eq!(named.rendezvous, [2; 16], "a code names its own");
    assert_eq!(scene.look_at(a1, Some(name(&[9; 16]))), None);
    assert_eq!(scene.leave(Some(a1), &name(&[1; 16])), 204);
    let claimed = scene.look(a1).unwrap().claimed.unwrap();
    assert_eq!(claimed.as_str(), "bob");
}

#[test]
fn without_credentials_a_browser_names_the_account() {
    let mut scene = scene();
    assert_eq!(scene.open_with(1, None, None).status, 422);
    assert_eq!(scene.open_with(1, Some("nobody"), None).status, 404);
    assert_eq!(scene.open_with(1, Some("alice"), None).status, 200);
}

#[test]
fn the_sixth_run_in_an_hour_is_refused_and_so_is_the_sixth_opening() {
    let mut scene = scene();
    let a1 = Some(scene.a1);
    scene.bench.quota = Quota::new();
    for id in 1..=5 {
        scene.open(id);
        assert_eq!(scene.put(a1, &name(&[id; 16]), 0, b"x"), 204);
    }
    let refused = scene.open_with(6, Some("alice"), None);
    assert_eq!((refused.status, refused.retry_after_s), (429, Some(720)));
    // Others that open for the account use up what they have of their own, not what its devices may answer.
    scene.wants_credentials();
    let staff = scene.open_with(7, Some("alice"), credential("bob"));
    assert_eq!(staff.status, 200);
    scene.leave(a1, &name(&[5; 16]));
    assert_eq!(scene.put(a1, &name(&[7; 16]), 0, b"x"), 429);
}
