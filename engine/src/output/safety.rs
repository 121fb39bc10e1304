//! What two people compare to know that nobody stands between them.
//! It says nothing of how keys come to be known.

/// An answer about keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SafetyReply {
    /// Of a person.
    Number(SafetyNumber),
    /// What comparing has shown.
    Compared(Comparison),
    /// Of one's own account key: 6 groups of 5 digits, with a space between two.
    Fingerprint(String),
}

/// What two people compare. While the other person's key has changed it is of the new one, which their screen shows too if
/// it is theirs.
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyNumber {
    /// 12 groups of 5, with a space between two; the same for both people.
    pub digits: String,
    /// For a QR code; each person's is accepted by the other.
    pub scannable: Vec<u8>,
    /// The person has compared this key.
    pub verified: bool,
    /// They have come with this key in place of another one, and it has not been accepted.
    pub changed: bool,
    /// That other one was compared.
    pub was_verified: bool,
}

/// Whom one talks to is not for logs.
impl std::fmt::Debug for SafetyNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SafetyNumber(changed: {})", self.changed)
    }
}

/// What comparing has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is their key: the new one, while it has changed.
    Match,
    /// Their key has changed, they say, but what they show is the key known so far: the new one is not theirs.
    MatchKnown,
    /// It is not their key.
    NoMatch,
    /// It is about somebody else: one's own code, another person's, or theirs for another person.
    SomebodyElse,
}
