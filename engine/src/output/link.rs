//! What is shown of linking, on the new browser and on the device that lets it in.
//! Digits and codes are for the person in front of it: `Debug` shows none.

use std::fmt;

use wire::Handle;

use crate::error::Refusal;
use crate::input::Timestamp;

/// By what this browser can be linked, as it is now.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkOffer {
    /// To be shown as QR code and as text.
    pub uri: String,
    /// When the URI is replaced or ends.
    pub expires_at: Timestamp,
    /// In place of digits, to be shown as QR code and as text, to the person alone.
    pub code: Option<String>,
    /// To be typed on the existing device, once that has answered.
    pub digits: Option<String>,
    /// The existing device has approved, and shows the digits to be typed here.
    pub approved: bool,
    /// Why there will be no digits.
    pub problem: Option<Refusal>,
}

impl fmt::Debug for LinkOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            uri: _,
            expires_at,
            code: _,
            digits: _,
            approved,
            problem,
        } = self;
        write!(f, "LinkOffer({expires_at:?}, {approved}, {problem:?})")
    }
}

/// What the device claims that asks to be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkClaim {
    /// What it calls itself; may be empty.
    pub device_name: String,
    /// Whom it has signed in as, if that is somebody else than this account.
    pub claimed_handle: Option<Handle>,
    /// How it is linked.
    pub way: LinkWay,
    /// When it is over, if it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// How a device is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkWay {
    /// By its URI.
    Uri,
    /// By its code.
    Code,
    /// By the digits that it shows, which are to be typed before it can be approved.
    Digits,
}

/// What the person types on the new browser; empty if nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits(pub String);

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits")
    }
}
