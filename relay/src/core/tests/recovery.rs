//! The sealed account key at the relay, and accounts that begin anew.

use wire::body::{Base64, Refusal, Register};
use wire::recovery::{
    OpenRecovery, OpenedRecovery, PutRecovery, RecoverDevice, RecoveryStatus, recover_device_proof,
    recovery_proof,
};

use super::*;
use crate::core::credential::{CredentialCheck, JwtCheck, JwtKey, JwtRules};
use crate::core::testing::person::attributes;
use crate::limits::DAY_MS;
use crate::store::RecoveryRead as _;

fn put(bench: &mut Bench<MemoryStore>, person: &mut Person, by: &Device, sealed: &[u8]) -> u16 {
    let body = PutRecovery {
        sealed: Base64(sealed.to_vec()),
        proof: Base64(person.sign(&recovery_proof(by.account(), sealed))),
    };
    bench
        .ask(by, Endpoint::Recovery(Recovery::Put), &to_json(&body))
        .status
}

fn open(bench: &mut Bench<MemoryStore>, handle: &str) -> Answer {
    let body = OpenRecovery {
        handle: handle.parse().unwrap(),
        credential: None,
    };
    bench.stranger(Endpoint::Recovery(Recovery::Open), &to_json(&body))
}

fn recover(person: &mut Person, account: AccountId, registration_id: u32) -> RecoverDevice {
    let password = format!("a password that is long, {registration_id}");
    RecoverDevice {
        handle: person.handle.parse().unwrap(),
        credential: None,
        proof: Base64(person.sign(&recover_device_proof(account, &password))),
        password,
        account_attributes: attributes(registration_id),
        aci_signed_pre_key: person.signed_ec(),
        aci_pq_last_resort_pre_key: person.kyber(),
    }
}

fn device(bench: &mut Bench<MemoryStore>, body: &RecoverDevice) -> Answer {
    bench.stranger(Endpoint::Recovery(Recovery::Device), &to_json(body))
}

fn code(answer: &Answer) -> String {
    from_json::<Refusal>(&answer.body).unwrap().code
}

#[test]
fn a_sealed_key_is_kept_replaced_and_given_to_who_asks_for_the_account() {
    let mut bench = bench();
    let mut alice = Person::new("alice", 1);
    let device = bench.register(&mut alice, 1);
    assert_eq!(code(&open(&mut bench, "alice")), "no_recovery");
    let status = bench.ask(&device, Endpoint::Recovery(Recovery::Status), &[]);
    assert_eq!(status.status, 404);
    for sealed in [b"first".as_slice(), b"second"] {
        assert_eq!(put(&mut bench, &mut alice, &device, sealed), 204);
        let opened: OpenedRecovery = from_json(&open(&mut bench, "alice").body).unwrap();
        assert_eq!(opened.sealed.0, sealed);
        assert_eq!(opened.uuid, device.account());
        let status = bench.ask(&device, Endpoint::Recovery(Recovery::Status), &[]);
        let status: RecoveryStatus = from_json(&status.body).unwrap();
        assert_eq!((status.made, status.digest.0.len()), (bench.now, 32));
    }
    assert_eq!(code(&open(&mut bench, "bob")), "unknown_handle");
}

#[test]
fn only_who_holds_the_account_key_puts_a_sealed_key_there() {
    let mut bench = bench();
    let mut alice = Person::new("alice", 1);
    let mut mallory = Person::new("mallory", 2);
    let device = bench.register(&mut alice, 1);
    let other = bench.register(&mut mallory, 2);
    assert_eq!(put(&mut bench, &mut mallory, &device, b"sealed"), 422);
    let body = PutRecovery {
        sealed: Base64(b"sealed".to_vec()),
        proof: Base64(alice.sign(&recovery_proof(other.account(), b"sealed"))),
    };
    let answer = bench.ask(&device, Endpoint::Recovery(Recovery::Put), &to_json(&body));
    assert_eq!(answer.status, 422, "signed for another account");
    for sealed in [vec![], vec![1; 4097]] {
        assert_eq!(put(&mut bench, &mut alice, &device, &sealed), 422);
    }
    assert_eq!(code(&open(&mut bench, "alice")), "no_recovery");
}

#[test]
fn a_browser_with_the_account_key_becomes_a_device_once_whatever_it_asks_again() {
    let mut bench = bench();
    let mut alice = Person::new("alice", 1);
    let first = bench.register(&mut alice, 1);
    let body = recover(&mut alice, first.account(), 9);
    let answer = device(&mut bench, &body);
    let made = bench.made(&answer, 9);
    assert_eq!(made.caller.address.device, id(2));
    assert_eq!(device(&mut bench, &body).body, answer.body);
    assert_eq!(bench.store.devices(first.account()).unwrap().len(), 2);
    assert_eq!(
        bench.ask(&first, Endpoint::WhoAmI, &[]).status,
        200,
        "the other one stays"
    );
    assert_eq!(bench.ask(&made, Endpoint::WhoAmI, &[]).status, 200);
}

#[test]
fn a_proof_counts_for_its_account_its_password_and_its_use_only() {
    let mut bench = bench();
    let mut alice = Person::new("alice", 1);
    let mut mallory = Person::new("mallory", 2);
    let account = bench.register(&mut alice, 1).account();
    let others = bench.register(&mut mallory, 2).account();
    let right = recover(&mut alice, account, 9);
    let mut another_password = right.clone();
    another_password.password.push('x');
    let mut another_account = right.clone();
    another_account.proof = Base64(alice.sign(&recover_device_proof(others, &right.password)));
    let mut another_use = right.clone();
    another_use.proof = Base64(alice.sign(&recovery_proof(account, right.password.as_bytes())));
    let mut another_key = recover(&mut mallory, account, 9);
    another_key.handle = right.handle.clone();
    for wrong in [another_password, another_account, another_use, another_key] {
        assert_eq!(device(&mut bench, &wrong).status, 422);
    }
    assert_eq!(bench.store.devices(account).unwrap().len(), 1);
}

#[test]
fn ten_times_an_hour_the_sealed_key_is_given_out() {
    let mut bench = bench();
    bench.quota = Quota::new();
    let mut alice = Person::new("alice", 1);
    let owner = bench.register(&mut alice, 1);
    assert_eq!(put(&mut bench, &mut alice, &owner, b"sealed"), 204);
    let statuses: Vec<_> = (0..11).map(|_| open(&mut bench, "alice").status).collect();
    assert_eq!(statuses[..10], [200; 10]);
    assert_eq!(statuses[10], 429);
    bench.now += 3_600_000;
    assert_eq!(open(&mut bench, "alice").status, 200);
}

/// Who has lost all of them can't remove one.
#[test]
fn a_full_account_is_recovered_in_the_place_of_the_device_that_was_away_longest() {
    let mut bench = bench();
    bench.core.devices_max = 2;
    let mut alice = Person::new("alice", 1);
    let first = bench.register(&mut alice, 1);
    bench.now += DAY_MS;
    let second = bench.link(&mut alice, &first, 2);
    let body = recover(&mut alice, first.account(), 9);
    let answer = device(&mut bench, &body);
    assert_eq!(answer.effects, [Effect::Removed(first.caller.address)]);
    assert_eq!(bench.ask(&first, Endpoint::WhoAmI, &[]).status, 401);
    assert_eq!(bench.ask(&second, Endpoint::WhoAmI, &[]).status, 200);
}

fn jwt(bench: &mut Bench<MemoryStore>) {
    let key = JwtKey::Secret(vec![7; 32]);
    let check = JwtCheck::new(&key, JwtRules::default()).unwrap();
    bench.core.credentials = CredentialCheck::Jwt(Box::new(check));
}

fn token(handle: &str, now: u64) -> String {
    let claims = serde_json::json!({ "handle": handle, "exp": now / 1000 + 60 });
    let key = jsonwebtoken::EncodingKey::from_secret(&[7; 32]);
    let header = jsonwebtoken::Header::default();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

fn anew(bench: &mut Bench<MemoryStore>, person: &mut Person) -> (Answer, Register) {
    let mut body = person.register(9);
    body.anew = true;
    body.credential = Some(token(&person.handle, bench.now));
    (bench.stranger(Endpoint::Register, &to_json(&body)), body)
}

#[test]
fn recovery_needs_the_platforms_credential() {
    let mut bench = bench();
    let mut alice = Person::new("alice", 1);
    let owner = bench.register(&mut alice, 1);
    assert_eq!(put(&mut bench, &mut alice, &owner, b"sealed"), 204);
    jwt(&mut bench);
    assert_eq!(open(&mut bench, "alice").status, 401);
    let mut body = recover(&mut alice, owner.account(), 9);
    assert_eq!(device(&mut bench, &body).status, 401);
    body.credential = Some(token("bob", bench.now));
    assert_eq!(device(&mut bench, &body).status, 401);
    body.credential = Some(token("alice", bench.now));
    assert_eq!(device(&mut bench, &body).status, 200);
}

#[test]
fn an_account_begins_anew_only_when_its_devices_are_gone_and_the_platform_says_whose_it_is() {
    let mut bench = bench();
    let owner = bench.register(&mut Person::new("alice", 1), 1);
    let mut later = Person::new("alice", 2);
    let mut body = later.register(9);
    body.anew = true;
    let refused = bench.stranger(Endpoint::Register, &to_json(&body));
    assert_eq!(code(&refused), "handle_taken", "nobody says whose it is");
    jwt(&mut bench);
    bench.now += DAY_MS;
    let (active, _) = anew(&mut bench, &mut later);
    assert_eq!(
        (active.status, code(&active)),
        (409, "devices_active".to_owned())
    );
    assert!(
        active
            .retry_after_s
            .is_some_and(|wait| wait <= 2 * 24 * 3600)
    );
    assert_eq!(bench.ask(&owner, Endpoint::WhoAmI, &[]).status, 200);

    bench.now += DAY_MS;
    let (begun, body) = anew(&mut bench, &mut later);
    assert_eq!(begun.status, 200);
    let made = bench.made(&begun, 9);
    assert_eq!(
        made.account(),
        owner.account(),
        "people see the same account"
    );
    assert_eq!(made.caller.address.device, id(2));
    assert_eq!(begun.effects, [Effect::Removed(owner.caller.address)]);
    assert_eq!(bench.ask(&owner, Endpoint::WhoAmI, &[]).status, 401);
    let account = bench.store.account(made.account()).unwrap().unwrap();
    assert_eq!(account.identity_key, body.identity_key.0);
    let again = bench.stranger(Endpoint::Register, &to_json(&body));
    assert_eq!(again.body, begun.body, "the answer may have been lost");
}

#[test]
fn an_account_that_begins_anew_keeps_no_sealed_key() {
    let mut bench = bench();
    let mut alice = Person::new("alice", 1);
    let owner = bench.register(&mut alice, 1);
    assert_eq!(put(&mut bench, &mut alice, &owner, b"sealed"), 204);
    jwt(&mut bench);
    bench.now += 2 * DAY_MS;
    let (begun, _) = anew(&mut bench, &mut Person::new("alice", 2));
    assert_eq!(begun.status, 200);
    assert_eq!(bench.store.recovery(owner.account()).unwrap(), None);
}
