//! Every path of the protocol, in one closed list: what a client may ask of the relay
//! ([`Endpoint`]), and what the relay may ask of a client ([`RelayRequest`]).
//! Who may ask, and what the answer means, is not known here.

use std::fmt;

use crate::rendezvous::Rendezvous;
use crate::{AccountId, DeviceId, Handle, Recovery};

/// What a client may ask of the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /v1/capabilities` (ours): which additions this relay has. 404 on a plain Signal service.
    Capabilities,
    /// `PUT /v1/accounts` (ours): a new account with its first device.
    Register,
    /// `GET /v1/accounts/whoami`.
    WhoAmI,
    /// `DELETE /v1/accounts/me`: the account of the asking device, with everything that is kept of it.
    DeleteAccount,
    /// `GET /v1/accounts/handle/{handle}` (ours).
    AccountByHandle(Handle),
    /// `GET /v1/accounts/{aci}` (ours): the handle of an account.
    Account(AccountId),
    /// `GET /v1/accounts/{aci}/list` (ours): the signed device list of an account, with certificates. 404: it has none.
    DeviceList(AccountId),
    /// `PUT /v1/accounts/me/list` (ours): the next version of the asking account's list. 409 with the present one, if it is not.
    PutDeviceList,
    /// `GET /v1/devices/provisioning/code`: a link token.
    LinkToken,
    /// `PUT /v1/provisioning/{address}`: a provisioning envelope for a waiting device.
    Provision {
        /// As the relay gave it to the waiting device.
        address: String,
    },
    /// `DELETE /v1/provisioning/{address}` (ours): tells a waiting device that it was declined.
    DeclineProvision {
        /// As the relay gave it to the waiting device.
        address: String,
    },
    /// `GET /v1/devices/wait_for_linked_device/{id}?timeout=`: long poll, 200 or 204.
    WaitForLinkedDevice {
        /// The `tokenIdentifier` of the link token.
        token_identifier: String,
        /// Seconds to hold the request.
        timeout_s: u32,
    },
    /// `/v1/rendezvous` (ours): where a browser that is to be linked meets a device.
    Rendezvous(Rendezvous),
    /// `PUT /v1/devices/link`: a new device joins the account of a link token.
    LinkDevice,
    /// `GET /v1/devices`.
    Devices,
    /// `DELETE /v1/devices/{id}`.
    RemoveDevice(DeviceId),
    /// `PUT /v1/devices/fence` (ours): how far this device is, so that a copied or restored one is found out.
    Fence,
    /// Below `/v1/recovery` (ours): coming back with words on paper.
    Recovery(Recovery),
    /// `PUT /v1/devices/capabilities`.
    DeviceCapabilities,
    /// `PUT /v2/keys`: each list that is there replaces the stored one.
    PutKeys,
    /// `PUT /v2/keys?identity=pni`: the same for the phone-number identity of a plain Signal service.
    PutPhoneKeys,
    /// `GET /v2/keys`: how many one-time keys are left.
    KeyCounts,
    /// `GET /v2/keys/{aci}/{device}` or, with no device, `.../*`: prekey bundles.
    Keys {
        /// Whose.
        account: AccountId,
        /// One device, or all of them.
        device: Option<DeviceId>,
    },
    /// `PUT /v1/messages/{aci}`: one send to one account.
    Messages(AccountId),
    /// `PUT /v1/bundles` (ours): one send to several accounts, all or nothing.
    Bundles,
    /// `GET /v1/keepalive`.
    KeepAlive,
    /// `GET /v1/keepalive/provisioning`.
    KeepAliveProvisioning,
}

impl Endpoint {
    /// The endpoint of a request, if there is one with this verb and path.
    #[must_use]
    pub fn parse(verb: &str, path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        Some(match (verb, segments.as_slice()) {
            ("GET", ["v1", "capabilities"]) => Self::Capabilities,
            ("PUT", ["v1", "accounts"]) => Self::Register,
            ("GET", ["v1", "accounts", "whoami"]) => Self::WhoAmI,
            ("DELETE", ["v1", "accounts", "me"]) => Self::DeleteAccount,
            ("GET", ["v1", "accounts", "handle", h]) => Self::AccountByHandle(h.parse().ok()?),
            ("GET", ["v1", "accounts", id]) => Self::Account(id.parse().ok()?),
            ("GET", ["v1", "accounts", id, "list"]) => Self::DeviceList(id.parse().ok()?),
            ("PUT", ["v1", "accounts", "me", "list"]) => Self::PutDeviceList,
            ("GET", ["v1", "devices", "provisioning", "code"]) => Self::LinkToken,
            ("PUT", ["v1", "provisioning", a]) => Self::Provision {
                address: address(a)?,
            },
            ("DELETE", ["v1", "provisioning", a]) => Self::DeclineProvision {
                address: address(a)?,
            },
            ("GET", ["v1", "devices", "wait_for_linked_device", id]) => Self::WaitForLinkedDevice {
                token_identifier: address(id)?,
                timeout_s: query_value(query, "timeout").map_or(Some(30), |t| t.parse().ok())?,
            },
            (verb, ["v1", "rendezvous", rest @ ..]) => {
                let value = |name: &str| query_value(query, name);
                Self::Rendezvous(Rendezvous::parse(verb, rest, value)?)
            }
            ("PUT", ["v1", "devices", "link"]) => Self::LinkDevice,
            ("GET", ["v1", "devices"]) => Self::Devices,
            ("PUT", ["v1", "devices", "fence"]) => Self::Fence,
            (verb, ["v1", "recovery", rest @ ..]) => Self::Recovery(Recovery::parse(verb, rest)?),
            ("PUT", ["v1", "devices", "capabilities"]) => Self::DeviceCapabilities,
            ("DELETE", ["v1", "devices", id]) => Self::RemoveDevice(id.parse().ok()?),
            ("PUT", ["v2", "keys"]) if query_value(query, "identity") == Some("pni") => {
                Self::PutPhoneKeys
            }
            ("PUT", ["v2", "keys"]) => Self::PutKeys,
            ("GET", ["v2", "keys"]) => Self::KeyCounts,
            ("GET", ["v2", "keys", id, "*"]) => Self::Keys {
                account: id.parse().ok()?,
                device: None,
            },
            ("GET", ["v2", "keys", id, d]) => Self::Keys {
                account: id.parse().ok()?,
                device: Some(d.parse().ok()?),
            },
            ("PUT", ["v1", "messages", id]) => Self::Messages(id.parse().ok()?),
            ("PUT", ["v1", "bundles"]) => Self::Bundles,
            ("GET", ["v1", "keepalive"]) => Self::KeepAlive,
            ("GET", ["v1", "keepalive", "provisioning"]) => Self::KeepAliveProvisioning,
            _ => return None,
        })
    }

    /// Whether a browser asks that is no device yet: the `authorization` header is then no login.
    #[must_use]
    pub const fn is_of_guest(&self) -> bool {
        matches!(
            self,
            Self::Register | Self::LinkDevice | Self::Recovery(Recovery::Open | Recovery::Device)
        )
    }

    /// The verb of this request.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Recovery(recovery) => recovery.verb(),
            Self::Capabilities
            | Self::WhoAmI
            | Self::AccountByHandle(_)
            | Self::Account(_)
            | Self::DeviceList(_)
            | Self::LinkToken
            | Self::WaitForLinkedDevice { .. }
            | Self::Devices
            | Self::KeyCounts
            | Self::Keys { .. }
            | Self::KeepAlive
            | Self::KeepAliveProvisioning => "GET",
            Self::Register
            | Self::PutDeviceList
            | Self::Provision { .. }
            | Self::LinkDevice
            | Self::Fence
            | Self::DeviceCapabilities
            | Self::PutKeys
            | Self::PutPhoneKeys
            | Self::Messages(_)
            | Self::Bundles => "PUT",
            Self::Rendezvous(what) => what.verb(),
            Self::DeleteAccount | Self::DeclineProvision { .. } | Self::RemoveDevice(_) => "DELETE",
        }
    }
}

/// The path, with its query.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capabilities => f.write_str("/v1/capabilities"),
            Self::Register => f.write_str("/v1/accounts"),
            Self::WhoAmI => f.write_str("/v1/accounts/whoami"),
            Self::DeleteAccount => f.write_str("/v1/accounts/me"),
            Self::AccountByHandle(handle) => write!(f, "/v1/accounts/handle/{handle}"),
            Self::Account(id) => write!(f, "/v1/accounts/{id}"),
            Self::DeviceList(id) => write!(f, "/v1/accounts/{id}/list"),
            Self::PutDeviceList => f.write_str("/v1/accounts/me/list"),
            Self::LinkToken => f.write_str("/v1/devices/provisioning/code"),
            Self::Provision { address } | Self::DeclineProvision { address } => {
                write!(f, "/v1/provisioning/{address}")
            }
            Self::WaitForLinkedDevice {
                token_identifier,
                timeout_s,
            } => {
                write!(
                    f,
                    "/v1/devices/wait_for_linked_device/{token_identifier}?timeout={timeout_s}"
                )
            }
            Self::Rendezvous(what) => what.fmt(f),
            Self::LinkDevice => f.write_str("/v1/devices/link"),
            Self::Devices => f.write_str("/v1/devices"),
            Self::RemoveDevice(id) => write!(f, "/v1/devices/{id}"),
            Self::Fence => f.write_str("/v1/devices/fence"),
            Self::Recovery(recovery) => f.write_str(recovery.path()),
            Self::DeviceCapabilities => f.write_str("/v1/devices/capabilities"),
            Self::PutKeys | Self::KeyCounts => f.write_str("/v2/keys"),
            Self::PutPhoneKeys => f.write_str("/v2/keys?identity=pni"),
            Self::Keys {
                account,
                device: None,
            } => write!(f, "/v2/keys/{account}/*"),
            Self::Keys {
                account,
                device: Some(device),
            } => {
                write!(f, "/v2/keys/{account}/{device}")
            }
            Self::Messages(id) => write!(f, "/v1/messages/{id}"),
            Self::Bundles => f.write_str("/v1/bundles"),
            Self::KeepAlive => f.write_str("/v1/keepalive"),
            Self::KeepAliveProvisioning => f.write_str("/v1/keepalive/provisioning"),
        }
    }
}

/// What the relay may ask of a client. Each is answered with 200 once it is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayRequest {
    /// `PUT /api/v1/message`: an envelope; the answer is the ack that deletes it.
    Message,
    /// `PUT /api/v1/queue/empty`: all that waited at connect has been sent and answered.
    QueueEmpty,
    /// `PUT /v1/address` on the provisioning socket.
    ProvisioningAddress,
    /// `PUT /v1/message` on the provisioning socket: a `ProvisionEnvelope`.
    ProvisioningEnvelope,
    /// `PUT /v1/declined` on the provisioning socket (ours).
    ProvisioningDeclined,
}

impl RelayRequest {
    const ALL: [Self; 5] = [
        Self::Message,
        Self::QueueEmpty,
        Self::ProvisioningAddress,
        Self::ProvisioningEnvelope,
        Self::ProvisioningDeclined,
    ];

    /// The request of a frame, if there is one with this verb and path.
    #[must_use]
    pub fn parse(verb: &str, path: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|request| verb == "PUT" && path == request.path())
    }

    /// The path; the verb is always `PUT`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Message => "/api/v1/message",
            Self::QueueEmpty => "/api/v1/queue/empty",
            Self::ProvisioningAddress => "/v1/address",
            Self::ProvisioningEnvelope => "/v1/message",
            Self::ProvisioningDeclined => "/v1/declined",
        }
    }
}

/// The path of the main socket.
pub const SOCKET_PATH: &str = "/v1/websocket/";
/// The path of the socket on which a new device waits to be linked.
pub const PROVISIONING_SOCKET_PATH: &str = "/v1/websocket/provisioning/";

/// An opaque id of the relay's making: URL-safe, bounded.
fn address(text: &str) -> Option<String> {
    let valid = (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
    valid.then(|| text.to_owned())
}

fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(n, _)| *n == name)
        .map(|p| p.1)
}
