//! The memory store keeps every claim of the conformance suite, as IndexedDB does in the browser tests.
//! It answers at once, so no runtime is needed.

use engine::store::conformance::{self, Checked};
use engine::store::memory::MemoryStore;
use futures_util::FutureExt;

macro_rules! claim {
    ($name:ident) => {
        #[test]
        fn $name() -> Checked {
            let place = MemoryStore::new();
            let open = async || place.clone();
            conformance::$name(&open)
                .now_or_never()
                .expect("memory never waits")
        }
    };
}

engine::store_claims!(claim);
