//! What is wrong with what the relay shows of somebody's devices, as JavaScript gets it.
//! How it is found out is the engine's business (`engine/src/trust.rs`).

use engine::output::ListAlarm;
use serde::Serialize;
use tsify::Tsify;
use wire::AccountId;

use super::OnIdentity;

/// What the relay shows of an account's devices can't all be true.
#[derive(Debug, Serialize, Tsify)]
pub struct OnAlarm {
    /// Whose.
    #[tsify(type = "AccountId")]
    pub account: String,
    /// What is wrong.
    pub kind: AlarmKind,
}

/// What is wrong with what the relay shows of an account's devices.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum AlarmKind {
    /// Different people are shown different lists.
    Forked,
    /// An older list than before, or none.
    RolledBack,
    /// A device that nobody has certified.
    Ghost,
}

impl From<ListAlarm> for AlarmKind {
    fn from(alarm: ListAlarm) -> Self {
        match alarm {
            ListAlarm::Forked => Self::Forked,
            ListAlarm::RolledBack => Self::RolledBack,
            ListAlarm::Ghost => Self::Ghost,
        }
    }
}

impl OnIdentity {
    pub(super) fn new(account: AccountId) -> Self {
        Self {
            account: account.to_string(),
        }
    }
}

impl OnAlarm {
    pub(super) fn new(account: AccountId, alarm: ListAlarm) -> Self {
        Self {
            account: account.to_string(),
            kind: alarm.into(),
        }
    }
}
