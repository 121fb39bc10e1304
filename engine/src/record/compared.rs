//! What is kept for comparing own devices: digests of what they hold, and when they do it.
//! What the fields mean is the business of `repair`.

use prost::Message;

use super::Record;
use crate::store::Table;

records! {
    /// What a group of things says that own devices agree on; empty: it has changed since this was known.
    DigestRecord in Digests {
        #[prost(bytes = "vec", tag = "1")] pub digest: Vec<u8>,
        /// From then on it is another, without any change; 0: never.
        #[prost(uint64, tag = "2")] pub until: u64,
    }

    /// When own devices compare what they hold. One record, at [`key::REPAIR`].
    RepairRecord in Meta {
        #[prost(uint64, tag = "1")] pub daily_at: u64,
        /// Not 0: sooner, since not all that differed was told.
        #[prost(uint64, tag = "2")] pub again_at: u64,
        /// How often that was since the last daily one.
        #[prost(uint32, tag = "3")] pub again: u32,
        /// Up to here, what is from before there were digests has its groups.
        #[prost(bytes = "vec", tag = "4")] pub grouped_to: Vec<u8>,
        #[prost(bool, tag = "5")] pub grouped: bool,
        /// The root that the others were last told.
        #[prost(bytes = "vec", tag = "6")] pub told: Vec<u8>,
    }
}
