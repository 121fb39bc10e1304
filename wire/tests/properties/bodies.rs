//! Strategies for the JSON bodies. No test is in here.
//! Their parts are drawn once and go into each body that has a place for them.
#![expect(
    clippy::unwrap_used,
    reason = "a strategy out of range is a broken test"
)]

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use wire::body::{
    AccountAttributes, AccountInfo, Base64, Capabilities, DeviceCredentials, DeviceInfo,
    DevicePreKeys, Devices, IncomingMessage, KeyCounts, KeyId, LinkDevice, LinkToken,
    ListedDevices, MessagesSent, MismatchedDevices, PreKey, PreKeyResponse, Provision,
    PutDeviceList, Refusal, Register, SendMessages, SetKeys, SignedPreKey, StaleDevices, to_json,
};
use wire::{AccountId, DeviceId, Handle};

use super::arbitrary::{account, bytes, device, handle, registration};

/// One of each JSON body.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    pub(crate) register: Register,
    pub(crate) link_device: LinkDevice,
    pub(crate) set_keys: SetKeys,
    pub(crate) pre_keys: PreKeyResponse,
    pub(crate) send: SendMessages,
    pub(crate) devices: Devices,
    pub(crate) account: AccountInfo,
    pub(crate) credentials: DeviceCredentials,
    pub(crate) token: LinkToken,
    pub(crate) provision: Provision,
    pub(crate) counts: KeyCounts,
    pub(crate) sent: MessagesSent,
    pub(crate) mismatched: MismatchedDevices,
    pub(crate) stale: StaleDevices,
    pub(crate) capabilities: Capabilities,
    pub(crate) refusal: Refusal,
    pub(crate) listed: ListedDevices,
    pub(crate) put_list: PutDeviceList,
}

impl Bodies {
    pub(crate) fn written(&self) -> Vec<Vec<u8>> {
        vec![
            to_json(&self.register),
            to_json(&self.link_device),
            to_json(&self.set_keys),
            to_json(&self.pre_keys),
            to_json(&self.send),
            to_json(&self.devices),
            to_json(&self.account),
            to_json(&self.credentials),
            to_json(&self.token),
            to_json(&self.provision),
            to_json(&self.counts),
            to_json(&self.sent),
            to_json(&self.mismatched),
            to_json(&self.stale),
            to_json(&self.capabilities),
            to_json(&self.refusal),
            to_json(&self.listed),
            to_json(&self.put_list),
        ]
    }
}

fn base64() -> impl Strategy<Value = Base64> {
    bytes().prop_map(Base64)
}

fn key_id() -> impl Strategy<Value = KeyId> {
    (1..=0x00FF_FFFF_u32).prop_map(|n| n.try_into().unwrap())
}

fn pre_key() -> impl Strategy<Value = PreKey> {
    (key_id(), base64()).prop_map(|(key_id, public_key)| PreKey { key_id, public_key })
}

fn signed() -> impl Strategy<Value = SignedPreKey> {
    (key_id(), base64(), base64()).prop_map(|(key_id, public_key, signature)| SignedPreKey {
        key_id,
        public_key,
        signature,
    })
}

fn attributes() -> impl Strategy<Value = AccountAttributes> {
    let capabilities = btree_map("\\PC{0,8}", any::<bool>(), 0..3);
    let parts = (
        any::<bool>(),
        registration(),
        option::of(any::<u32>()),
        base64(),
        capabilities,
    );
    parts.prop_map(
        |(fetches_messages, registration_id, pni_registration_id, name, capabilities)| {
            AccountAttributes {
                fetches_messages,
                registration_id,
                pni_registration_id,
                name,
                capabilities,
            }
        },
    )
}

/// What the bodies are made of, drawn once.
#[derive(Clone, Debug)]
struct Parts {
    text: String,
    maybe: Option<String>,
    account: AccountId,
    handle: Handle,
    device: DeviceId,
    devices: Vec<DeviceId>,
    one_time: Vec<PreKey>,
    kyber: Vec<SignedPreKey>,
    signed: SignedPreKey,
    last_resort: SignedPreKey,
    attributes: AccountAttributes,
    bytes: Base64,
    counts: [u32; 2],
    time: u64,
    flags: [bool; 3],
}

fn parts() -> impl Strategy<Value = Parts> {
    let texts = ("\\PC{0,20}", option::of("\\PC{0,20}"));
    let ids = (account(), handle(), device(), btree_set(device(), 0..5));
    let keys = (
        vec(pre_key(), 0..3),
        vec(signed(), 0..3),
        signed(),
        signed(),
    );
    let rest = (
        attributes(),
        base64(),
        any::<[u32; 2]>(),
        any::<u64>(),
        any::<[bool; 3]>(),
    );
    (texts, ids, keys, rest).prop_map(|(texts, ids, keys, rest)| {
        let (text, maybe) = texts;
        let (account, handle, device, devices) = ids;
        let (one_time, kyber, signed, last_resort) = keys;
        let (attributes, bytes, counts, time, flags) = rest;
        let devices = devices.into_iter().collect();
        Parts {
            text,
            maybe,
            account,
            handle,
            device,
            devices,
            one_time,
            kyber,
            signed,
            last_resort,
            attributes,
            bytes,
            counts,
            time,
            flags,
        }
    })
}

pub(crate) fn bodies() -> impl Strategy<Value = Bodies> {
    parts().prop_map(|parts| {
        let [first, second, third] = parts.flags;
        let [count, pq_count] = parts.counts;
        Bodies {
            register: parts.register(),
            link_device: parts.link_device(),
            set_keys: parts.set_keys(),
            pre_keys: parts.pre_keys(),
            send: parts.send(),
            devices: parts.devices(),
            account: AccountInfo {
                uuid: parts.account,
                handle: parts.handle,
                device_id: third.then_some(parts.device),
                list_version: first.then_some(parts.time),
            },
            credentials: DeviceCredentials {
                uuid: parts.account,
                pni: parts.maybe,
                device_id: parts.device,
            },
            token: LinkToken {
                verification_code: parts.text.clone(),
                token_identifier: parts.text.clone(),
                device_id: second.then_some(parts.device),
            },
            listed: ListedDevices {
                list: parts.bytes.clone(),
                certificates: vec![parts.bytes.clone()],
            },
            put_list: PutDeviceList {
                list: parts.bytes.clone(),
                certificates: vec![parts.bytes.clone()],
            },
            provision: Provision { body: parts.bytes },
            counts: KeyCounts { count, pq_count },
            sent: MessagesSent { needs_sync: first },
            mismatched: MismatchedDevices {
                missing_devices: parts.devices.clone(),
                extra_devices: parts.devices.clone(),
            },
            stale: StaleDevices {
                stale_devices: parts.devices,
            },
            capabilities: Capabilities {
                bundles: first,
                handles: second,
                credential_required: third,
            },
            refusal: Refusal { code: parts.text },
        }
    })
}

impl Parts {
    fn register(&self) -> Register {
        Register {
            handle: self.handle.clone(),
            credential: self.maybe.clone(),
            password: self.text.clone(),
            identity_key: self.bytes.clone(),
            proof: self.bytes.clone(),
            account_attributes: self.attributes.clone(),
            aci_signed_pre_key: self.signed.clone(),
            aci_pq_last_resort_pre_key: self.last_resort.clone(),
            anew: self.flags[0],
        }
    }

    fn link_device(&self) -> LinkDevice {
        LinkDevice {
            verification_code: self.text.clone(),
            account_attributes: self.attributes.clone(),
            aci_signed_pre_key: self.signed.clone(),
            aci_pq_last_resort_pre_key: self.last_resort.clone(),
            credential: self.maybe.clone(),
            certificate: self.flags[0].then(|| self.bytes.clone()),
        }
    }

    fn set_keys(&self) -> SetKeys {
        let [signed, last_resort, _] = self.flags;
        SetKeys {
            pre_keys: self.one_time.clone(),
            pq_pre_keys: self.kyber.clone(),
            signed_pre_key: signed.then(|| self.signed.clone()),
            pq_last_resort_pre_key: last_resort.then(|| self.last_resort.clone()),
        }
    }

    fn pre_keys(&self) -> PreKeyResponse {
        let keys = DevicePreKeys {
            device_id: self.device,
            registration_id: self.attributes.registration_id,
            signed_pre_key: self.signed.clone(),
            pre_key: self.one_time.first().cloned(),
            pq_pre_key: self.last_resort.clone(),
            certificate: self.flags[0].then(|| self.bytes.clone()),
        };
        PreKeyResponse {
            identity_key: self.bytes.clone(),
            devices: vec![keys],
            device_list: self.flags[1].then(|| self.bytes.clone()),
        }
    }

    fn send(&self) -> SendMessages {
        let [kind, destination_registration_id] = self.counts;
        let [online, urgent, _] = self.flags;
        let message = IncomingMessage {
            kind,
            destination_device_id: self.device,
            destination_registration_id,
            content: self.bytes.clone(),
        };
        SendMessages {
            messages: vec![message],
            timestamp: self.time,
            online,
            urgent,
        }
    }

    fn devices(&self) -> Devices {
        let device = DeviceInfo {
            id: self.device,
            name: self.bytes.clone(),
            last_seen: self.time,
            created: self.time,
            registration_id: self.attributes.registration_id,
            certificate: self.flags[2].then(|| self.bytes.clone()),
        };
        Devices {
            devices: vec![device],
        }
    }
}
