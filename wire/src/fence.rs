//! The fence (ours): what a device says of itself right after signing in, so that a copied or restored one
//! is found out. Each count is stored before what it counts leaves the device, so a store that has lost some
//! of it says less than the relay has seen. The comparison is the relay's.

use serde::{Deserialize, Serialize};

/// `PUT /v1/devices/fence`: what a device has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fence {
    /// Sign-ins, this one included.
    pub sign_ins: u64,
    /// Bundles made final.
    pub seals: u64,
    /// Envelopes that came in, repeats included.
    pub received: u64,
}

/// The code of the relay's refusal: the device has counted less than the relay has seen of it.
pub const ROLLED_BACK: &str = "device_rolled_back";
