//! What the person has set, on whichever device: how their devices behave, what they say of themself, whom they let in.
//! It does not know how devices agree on it.

/// How this person's devices behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Others are told what was read.
    pub read_receipts: bool,
    /// Others are told what has arrived.
    pub delivery_receipts: bool,
    /// Others are told that something is being written.
    pub typing: bool,
    /// What a notification shows.
    pub notifications: Notifications,
}

/// What a notification shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notifications {
    /// Who has written what.
    Content,
    /// Who has written.
    Name,
    /// That somebody has written.
    Bare,
    /// There is none.
    Off,
}

/// What this person says of themself.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// How they call themself, if they do.
    pub name: Option<String>,
}

/// Names are not for logs.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile")
    }
}

/// Whether somebody who has written may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Nobody has written.
    None,
    /// A stranger has written, and the person has not answered in any way.
    Pending,
    /// Yes; the person has said so, or has written to them.
    Accepted,
    /// No.
    Declined,
}
