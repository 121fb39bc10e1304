//! Strategies: any value of each type of the protocol, within the ranges that the types promise.
//! No test is in here.
#![expect(
    clippy::unwrap_used,
    reason = "a strategy out of range is a broken test"
)]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use wire::basic::Basic;
use wire::body::KeyId;
use wire::bundle::{AccountMismatch, Bundle, DeviceMessage, LeftOut, Recipient};
use wire::link_code::LinkCode;
use wire::link_uri::LinkUri;
use wire::rendezvous::{Open, Opened, Rendezvous, Waiting};
use wire::{
    AccountId, DeviceAddress, DeviceId, Endpoint, Envelope, EnvelopeKind, Frame, Handle, MessageId,
    Recovery, RegistrationId, Request, Response,
};

use super::bodies::bodies;

pub(crate) fn account() -> impl Strategy<Value = AccountId> {
    any::<[u8; 16]>().prop_map(AccountId::from_bytes)
}

pub(crate) fn device() -> impl Strategy<Value = DeviceId> {
    (1..=127_u32).prop_map(|n| DeviceId::try_from(n).unwrap())
}

pub(crate) fn address() -> impl Strategy<Value = DeviceAddress> {
    (account(), device()).prop_map(|(account, device)| DeviceAddress { account, device })
}

pub(crate) fn handle() -> impl Strategy<Value = Handle> {
    "[a-z0-9][a-z0-9._-]{0,63}".prop_map(|text| text.parse().unwrap())
}

pub(crate) fn registration() -> impl Strategy<Value = RegistrationId> {
    any::<u16>().prop_map(RegistrationId::from_random)
}

fn kind() -> impl Strategy<Value = EnvelopeKind> {
    prop::sample::select(vec![1_u32, 3, 6, 8]).prop_map(|n| n.try_into().unwrap())
}

pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("[a-z-]{1,12}", "[!-~]{0,20}"), 0..3)
}

pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    let request = (any::<u64>(), "[A-Z]{0,7}", "\\PC{0,40}", headers(), bytes());
    let response = (any::<u64>(), 100..600_u16, headers(), bytes());
    prop_oneof![
        request.prop_map(|(id, verb, path, headers, body)| Frame::Request(Request {
            id,
            verb,
            path,
            headers,
            body
        })),
        response.prop_map(|(id, status, headers, body)| Frame::Response(Response {
            id,
            status,
            headers,
            body
        })),
    ]
}

pub(crate) fn bundle() -> impl Strategy<Value = Bundle> {
    let message = (registration(), option::of((kind(), bytes())));
    let recipients = btree_map(account(), btree_map(device(), message, 0..4), 0..=8);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let head = (any::<[u8; 16]>(), any::<u64>(), flags, any::<u64>());
    (head, recipients).prop_map(
        |((id, timestamp, (urgent, partial, online), seal), recipients)| Bundle {
            id: MessageId::from_bytes(id),
            timestamp,
            urgent,
            seal,
            partial,
            online,
            recipients: recipients.into_iter().map(recipient).collect(),
        },
    )
}

/// Without kind and content: left out.
type Messages = BTreeMap<DeviceId, (RegistrationId, Option<(EnvelopeKind, Vec<u8>)>)>;

fn recipient((account, devices): (AccountId, Messages)) -> Recipient {
    let (mut messages, mut without) = (Vec::new(), Vec::new());
    for (device, (registration_id, message)) in devices {
        match message {
            Some((kind, content)) => messages.push(DeviceMessage {
                device,
                registration_id,
                kind,
                content,
            }),
            None => without.push(LeftOut {
                device,
                registration_id,
                signed_pre_key: KeyId::try_from(u32::from(device) - 1).ok(),
            }),
        }
    }
    Recipient {
        account,
        messages,
        without,
    }
}

pub(crate) fn mismatches() -> impl Strategy<Value = Vec<AccountMismatch>> {
    let devices = btree_map(device(), 0..3_u8, 0..10);
    btree_map(account(), (devices, any::<bool>()), 1..=9).prop_map(|accounts| {
        let mismatch = |(account, (devices, gone)): (_, (BTreeMap<DeviceId, u8>, _))| {
            let list = |wanted| {
                let of_list = devices.iter().filter(move |(_, list)| **list == wanted);
                of_list.map(|(device, _)| *device).collect()
            };
            AccountMismatch {
                account,
                missing: list(0),
                extra: list(1),
                stale: list(2),
                gone,
            }
        };
        accounts.into_iter().map(mismatch).collect()
    })
}

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    let parts = (
        prop_oneof![kind(), Just(EnvelopeKind::ServerReceipt)],
        address(),
        option::of(account()),
        any::<[u64; 2]>(),
        option::of(any::<[u8; 16]>()),
        any::<[bool; 2]>(),
        bytes(),
    );
    parts.prop_map(
        |(kind, source, destination, [client, server], guid, [urgent, certified], content)| {
            Envelope {
                kind,
                source,
                destination,
                client_timestamp: client,
                server_timestamp: server,
                guid,
                urgent,
                certified,
                content,
            }
        },
    )
}

pub(crate) fn endpoint() -> impl Strategy<Value = Endpoint> {
    let opaque = "[A-Za-z0-9_=-]{1,128}";
    prop_oneof![
        Just(Endpoint::Capabilities),
        Just(Endpoint::Register),
        Just(Endpoint::WhoAmI),
        handle().prop_map(Endpoint::AccountByHandle),
        account().prop_map(Endpoint::Account),
        account().prop_map(Endpoint::DeviceList),
        Just(Endpoint::PutDeviceList),
        Just(Endpoint::LinkToken),
        opaque.prop_map(|address| Endpoint::Provision { address }),
        opaque.prop_map(|address| Endpoint::DeclineProvision { address }),
        (opaque, any::<u32>()).prop_map(|(token_identifier, timeout_s)| {
            Endpoint::WaitForLinkedDevice {
                token_identifier,
                timeout_s,
            }
        }),
        rendezvous().prop_map(Endpoint::Rendezvous),
        Just(Endpoint::LinkDevice),
        Just(Endpoint::Devices),
        device().prop_map(Endpoint::RemoveDevice),
        Just(Endpoint::DeleteAccount),
        Just(Endpoint::Fence),
        Just(Endpoint::Recovery(Recovery::Status)),
        Just(Endpoint::Recovery(Recovery::Put)),
        Just(Endpoint::Recovery(Recovery::Open)),
        Just(Endpoint::Recovery(Recovery::Device)),
        Just(Endpoint::DeviceCapabilities),
        Just(Endpoint::PutKeys),
        Just(Endpoint::PutPhoneKeys),
        Just(Endpoint::KeyCounts),
        (account(), option::of(device()))
            .prop_map(|(account, device)| Endpoint::Keys { account, device }),
        account().prop_map(Endpoint::Messages),
        Just(Endpoint::Bundles),
        Just(Endpoint::KeepAlive),
        Just(Endpoint::KeepAliveProvisioning),
    ]
}

fn rendezvous() -> impl Strategy<Value = Rendezvous> {
    let id = "[0-9a-f]{32}";
    prop_oneof![
        Just(Rendezvous::Open),
        (option::of(id), any::<u32>())
            .prop_map(|(at, timeout_s)| Rendezvous::Look { at, timeout_s }),
        (id, any::<u8>()).prop_map(|(at, index)| Rendezvous::Put { at, index }),
        (id, any::<u8>(), any::<u32>()).prop_map(|(at, index, timeout_s)| Rendezvous::Get {
            at,
            index,
            timeout_s
        }),
        id.prop_map(|at| Rendezvous::End { at }),
    ]
}

pub(crate) fn open() -> impl Strategy<Value = Open> {
    let credential = option::of("[!-~]{1,40}");
    let message = vec(any::<u8>(), 1..40);
    (any::<[u8; 16]>(), option::of(handle()), credential, message).prop_map(
        |(rendezvous, handle, credential, message)| Open {
            rendezvous,
            handle,
            credential,
            message,
        },
    )
}

pub(crate) fn waiting() -> impl Strategy<Value = Waiting> {
    (any::<[u8; 16]>(), option::of(handle()), bytes()).prop_map(|(rendezvous, claimed, message)| {
        Waiting {
            rendezvous,
            claimed,
            message,
        }
    })
}

pub(crate) fn opened() -> impl Strategy<Value = Opened> {
    ("[0-9a-f]{32}", handle()).prop_map(|(address, handle)| Opened { address, handle })
}

pub(crate) fn link_code() -> impl Strategy<Value = LinkCode> {
    any::<([u8; 16], [u8; 32], [u8; 32])>().prop_map(|(rendezvous, commitment, secret)| LinkCode {
        rendezvous,
        commitment,
        secret,
    })
}

pub(crate) fn link_uri() -> impl Strategy<Value = LinkUri> {
    let name = "[ -~äé’漢💻]{0,64}";
    ("[A-Za-z0-9_=-]{1,128}", any::<[u8; 33]>(), name).prop_map(|(address, public_key, name)| {
        LinkUri {
            address,
            public_key,
            name,
        }
    })
}

/// The bytes of any message.
pub(crate) fn encoded() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        frame().prop_map(Frame::encode),
        bundle().prop_map(|bundle| bundle.encode()),
        mismatches().prop_map(|mismatches| AccountMismatch::encode_all(&mismatches)),
        envelope().prop_map(|envelope| envelope.encode()),
        open().prop_map(|open| open.encode()),
        opened().prop_map(|opened| opened.encode()),
        waiting().prop_map(|waiting| waiting.encode()),
        bodies()
            .prop_map(|bodies| bodies.written())
            .prop_shuffle()
            .prop_map(|mut all| { all.pop().unwrap_or_default() }),
    ]
}

/// Any text: a path, a link URI, a header value.
pub(crate) fn written() -> impl Strategy<Value = String> {
    prop_oneof![
        endpoint().prop_map(|endpoint| endpoint.to_string()),
        link_uri().prop_map(|uri| uri.to_string()),
        link_code().prop_map(|code| code.to_string()),
        (address(), "[ -~]{0,20}").prop_map(|(address, p)| Basic::device(address, &p).header()),
    ]
}
