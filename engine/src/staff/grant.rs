//! What is granted to another person, and its stored form, which is a promise: the register that says who had access when.
//! Who may grant, and what follows from it, is not known here.

use sha2::{Digest, Sha256};
use wire::AccountId;
use wire::certificate::{Capabilities, Role};

use crate::input::Timestamp;
use crate::limits::STAFF_CERTIFICATE_MS;
use crate::output::Granted;

/// What a device that is let in will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Owner,
    Device,
    Delegate(Box<Granting>),
}

impl From<Role> for Standing {
    /// A delegate has a grant, and comes by it alone.
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Device | Role::DelegateRead | Role::DelegateAnswer => Self::Device,
        }
    }
}

/// What is granted, checked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Granting {
    pub(crate) salt: [u8; 16],
    pub(crate) label: String,
    pub(crate) answers: bool,
    pub(super) reads_sent: bool,
    pub(super) conversations: Option<Vec<AccountId>>,
    pub(super) until: Option<Timestamp>,
}

impl std::fmt::Debug for Granting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Granting")
    }
}

impl Granting {
    pub(crate) const fn role(&self) -> Role {
        if self.answers {
            Role::DelegateAnswer
        } else {
            Role::DelegateRead
        }
    }

    /// Who reads only some conversations has no `READ`, which is for all: those are told who it is.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let with = |so: bool, capability| if so { capability } else { Capabilities::NONE };
        with(self.conversations.is_none(), Capabilities::READ)
            .and(with(self.answers, Capabilities::SEND))
            .and(with(self.reads_sent, Capabilities::READ_SENT))
    }

    pub(crate) fn label_commitment(&self) -> [u8; 32] {
        commitment(&self.salt, &self.label)
    }

    /// When a certificate that is made now ends.
    pub(crate) fn not_after(&self, now: Timestamp) -> u64 {
        certificate_end(now, self.until.map_or(0, |until| until.0))
    }
}

pub(super) fn certificate_end(now: Timestamp, until: u64) -> u64 {
    let end = now.plus_ms(STAFF_CERTIFICATE_MS).0;
    if until == 0 { end } else { end.min(until) }
}

/// Binds a label to a certificate, which is seen by all, without showing it.
pub(super) fn commitment(salt: &[u8], label: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update(salt);
    hash.chain_update(label.as_bytes()).finalize().into()
}

/// The value of a register in [`STAFF`], whose name is the epoch of the certificate. A promise.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct GrantRecord {
    #[prost(uint32, tag = "1")]
    pub(super) device: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) salt: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) label: String,
    #[prost(uint32, tag = "4")]
    pub(super) role: u32,
    #[prost(uint32, tag = "5")]
    pub(super) capabilities: u32,
    /// 16 bytes each, if it does not read all.
    #[prost(bytes = "vec", tag = "6")]
    pub(super) conversations: Vec<u8>,
    #[prost(uint64, tag = "7")]
    pub(super) since: u64,
    /// 0: until it is removed.
    #[prost(uint64, tag = "8")]
    pub(super) until: u64,
    #[prost(uint64, tag = "9")]
    pub(super) ended: u64,
    #[prost(uint64, tag = "10")]
    pub(super) expires: u64,
}

impl std::fmt::Debug for GrantRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantRecord")
    }
}

impl GrantRecord {
    pub(super) fn has(&self, capability: Capabilities) -> bool {
        u16::try_from(self.capabilities)
            .is_ok_and(|bits| Capabilities::try_from(bits).is_ok_and(|all| all.has(capability)))
    }

    pub(super) fn chosen(&self) -> impl Iterator<Item = AccountId> {
        let ids = self.conversations.chunks_exact(16);
        ids.filter_map(|id| AccountId::from_slice(id).ok())
    }

    pub(super) fn view(&self) -> Option<Granted> {
        let all = self.has(Capabilities::READ);
        Some(Granted {
            device: self.device.try_into().ok()?,
            label: self.label.clone(),
            answers: self.has(Capabilities::SEND),
            reads_sent: self.has(Capabilities::READ_SENT),
            conversations: (!all).then(|| self.chosen().collect()),
            since: Timestamp(self.since),
            until: (self.until > 0).then_some(Timestamp(self.until)),
            expires: Timestamp(self.expires),
            ended: (self.ended > 0).then_some(Timestamp(self.ended)),
        })
    }
}

pub(super) fn bytes_of(accounts: &[AccountId]) -> Vec<u8> {
    let ids = accounts.iter().map(|account| account.as_bytes().as_slice());
    ids.collect::<Vec<_>>().concat()
}
