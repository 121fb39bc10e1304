//! Brings a database of an older version to this one, step by step, in one upgrade transaction.
//!
//! A step is a file, and never changes once released: it names stores literally and knows nothing of the
//! present schema. A step may only await requests of the upgrade's own transaction.
//! If a step fails, the whole upgrade is undone.

mod v0_to_v1;
mod v1_to_v2;
mod v2_to_v3;
mod v3_to_v4;

use ::idb::event::VersionChangeEvent;
use ::idb::{Database, Error, Transaction};

use super::schema::VERSION;

type Step = fn(&Database, &Transaction) -> Result<(), Error>;

/// The step at index `n` leads from version `n` to `n + 1`. A missing file does not compile.
const STEPS: [Step; VERSION as usize] = [
    v0_to_v1::step,
    v1_to_v2::step,
    v2_to_v3::step,
    v3_to_v4::step,
];

/// Runs the steps from the version found up to this one.
pub(super) fn run(
    event: &VersionChangeEvent,
    database: &Database,
    transaction: &Transaction,
) -> Result<(), Error> {
    let found = usize::try_from(event.old_version()?).map_err(|_| Error::NumberConversionError)?;
    STEPS
        .iter()
        .skip(found)
        .try_for_each(|step| step(database, transaction))
}
