//! What the browser says went wrong, as one of the engine's store faults.
//! It knows the names of exceptions, not what was being done.

use engine::StoreFault;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

/// An exception from a transaction or a request.
pub(super) fn of_exception(error: &JsValue) -> StoreFault {
    match name(error).as_deref() {
        Some("QuotaExceededError") => StoreFault::Full,
        _ => StoreFault::Failed,
    }
}

/// An exception from opening: some browsers refuse storage in private windows, each in its own words.
pub(super) fn of_opening(error: &JsValue) -> StoreFault {
    match name(error).as_deref() {
        Some("SecurityError" | "InvalidStateError" | "NotAllowedError") => StoreFault::Refused,
        _ => of_exception(error),
    }
}

/// The database is of a version above the one asked for.
pub(super) fn is_version_error(error: &JsValue) -> bool {
    name(error).as_deref() == Some("VersionError")
}

/// The exception inside an error of `idb`; `undefined` where there is none.
pub(super) fn exception_of(error: ::idb::Error) -> JsValue {
    if let ::idb::Error::DomException(exception) = error {
        return exception.into();
    }
    if let ::idb::Error::IndexedDbOpenFailed(value)
    | ::idb::Error::TransactionOpenFailed(value)
    | ::idb::Error::GetFailed(value)
    | ::idb::Error::GetAllFailed(value)
    | ::idb::Error::GetAllKeysFailed(value) = error
    {
        return value;
    }
    JsValue::UNDEFINED
}

/// An error of `rexie` while reading.
pub(super) fn of_rexie(error: rexie::Error) -> StoreFault {
    if let rexie::Error::IdbError(error) = error {
        return of_exception(&exception_of(error));
    }
    StoreFault::Failed
}

fn name(error: &JsValue) -> Option<String> {
    error.dyn_ref::<DomException>().map(DomException::name)
}
