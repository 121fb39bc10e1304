//! Safety numbers: what two people compare to know that nobody stands between them, as Signal makes them, so that Signal's
//! clients show the same digits and read the same codes.
//!
//! They are over account keys alone: linking and removing devices does not change them. What is compared is fixed when it
//! is shown; that a key was verified is a register (see `registers`). How keys come to be known is not known here.

use libsignal_protocol::{Fingerprint, IdentityKey};
use prost::Message;
use wire::AccountId;

use crate::account::Account;
use crate::error::{Error, KeyRefusal, Refusal};
use crate::input::SafetyCommand;
use crate::limits::{COMPARED_PEOPLE_MAX, FINGERPRINT_TEXT_MAX};
use crate::output::{Comparison, Reply, SafetyNumber, SafetyReply};
use crate::peers;
use crate::record::{ContactRecord, PeerRecord};
use crate::state::State;
use crate::tx::Tx;

/// Signal's present version of the scanned form: ids are service ids.
const VERSION: u32 = 2;
/// Signal's number. Each makes finding a key with certain digits so much slower.
const ITERATIONS: u32 = 5_200;
/// Digits of one person's half.
const HALF: usize = 30;

/// The key of an account, with the account's id: what a half of a safety number is made of.
#[derive(Clone, Copy)]
struct Person {
    id: AccountId,
    key: IdentityKey,
}

impl Person {
    fn new(id: AccountId, key: &[u8]) -> Result<Self, Error> {
        let key = IdentityKey::decode(key).map_err(|_| Error::Bug("a stored key is no key"))?;
        Ok(Self { id, key })
    }

    /// Ourselves, on whichever device: it knows the account key, if it has a key of its own.
    fn own(account: &Account) -> Self {
        Self {
            id: account.id(),
            key: account.account_key,
        }
    }
}

/// The keys of a person: the one that counts, and what it was before, while the new one has not been accepted.
struct Known {
    now: Person,
    before: Option<Person>,
}

impl Known {
    fn of(id: AccountId, peer: &PeerRecord) -> Result<Option<Self>, Error> {
        if peer.identity.is_empty() {
            return Ok(None);
        }
        let known = Person::new(id, &peer.identity)?;
        Ok(Some(if peers::key_changed(peer) {
            Self {
                now: Person::new(id, &peer.new_identity)?,
                before: Some(known),
            }
        } else {
            Self {
                now: known,
                before: None,
            }
        }))
    }
}

impl State {
    pub(crate) async fn safety(
        &mut self,
        tx: &mut Tx<'_>,
        command: SafetyCommand,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let Some(own) = self.account.as_ref().map(Person::own) else {
            return Ok(Err(Refusal::NotReady));
        };
        let result = match command {
            SafetyCommand::Fingerprint => {
                half(own).map(|digits| Ok(SafetyReply::Fingerprint(digits)))
            }
            SafetyCommand::Number { account } => match self.known(tx, &account).await? {
                Ok(known) => number(tx, own, known).await.map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            },
            SafetyCommand::Compare { account, scanned } => match self.known(tx, &account).await? {
                Ok(known) => compare(tx, own, &known, &scanned).await,
                Err(refusal) => Ok(Err(refusal)),
            },
            SafetyCommand::CompareFingerprint { account, text } => {
                match self.known(tx, &account).await? {
                    Ok(known) => compare_fingerprint(own, &known, &text),
                    Err(refusal) => Ok(Err(refusal)),
                }
            }
        };
        Ok(result?.map(Reply::Safety))
    }

    async fn known(&self, tx: &mut Tx<'_>, name: &str) -> Result<Result<Known, Refusal>, Error> {
        let Some(account) = self.conversation(tx, name).await? else {
            return Ok(Err(Refusal::UnknownConversation));
        };
        if account == self.own_id()? {
            return Ok(Err(Refusal::InvalidArgument("contact")));
        }
        let peer = peers::record(tx, account).await?;
        Ok(Known::of(account, &peer)?.ok_or(Refusal::KeyUnknown))
    }

    /// Whether these digits, which a person has compared, are still what they would be shown of somebody's key.
    pub(crate) fn is_shown(
        &self,
        account: AccountId,
        key: &[u8],
        digits: &str,
    ) -> Result<bool, Error> {
        let Some(own) = self.account.as_ref().map(Person::own) else {
            return Ok(false);
        };
        let shown = fingerprint(own, Person::new(account, key)?)?;
        Ok(plain(digits) == shown.display.to_string())
    }
}

async fn number(tx: &mut Tx<'_>, own: Person, known: Known) -> Result<SafetyReply, Error> {
    let contact = tx.get::<ContactRecord>(known.now.id.as_bytes()).await?;
    let contact = contact.unwrap_or_default();
    let is_verified =
        |person: &Person| contact.verified && contact.verified_key == *person.key.serialize();
    let shown = fingerprint(own, known.now)?;
    Ok(SafetyReply::Number(SafetyNumber {
        digits: grouped(&shown.display.to_string()),
        scannable: shown.scannable.serialize().map_err(bug)?,
        verified: known.before.is_none() && is_verified(&known.now),
        changed: known.before.is_some(),
        was_verified: known.before.as_ref().is_some_and(is_verified),
    }))
}

async fn compare(
    tx: &mut Tx<'_>,
    own: Person,
    known: &Known,
    scanned: &[u8],
) -> Result<Result<SafetyReply, Refusal>, Error> {
    let Some(code) = Code::read(scanned) else {
        return Ok(Err(KeyRefusal::SafetyCodeMalformed.into()));
    };
    let (own_half, theirs) = halves(own, known.now)?;
    let found = if code.of == theirs && code.with == own_half {
        Comparison::Match
    } else if code.of == own_half {
        Comparison::SomebodyElse // this very screen, or another one of ours
    } else if let Some(before) = known.before
        && code.with == own_half
        && halves(own, before)?.1 == code.of
    {
        Comparison::MatchKnown
    } else if is_of_others(tx, known.now.id, &code, (own_half, theirs)).await? {
        Comparison::SomebodyElse
    } else {
        Comparison::NoMatch
    };
    Ok(Ok(SafetyReply::Compared(found)))
}

/// Whether a code is known to be of another person than the one it was to be of, or with another one than us. Known means
/// that a half of it is of a key that we have of that person: nobody can make us believe it.
async fn is_of_others(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: &Code,
    (own, theirs): (Vec<u8>, Vec<u8>),
) -> Result<bool, Error> {
    let half = match (code.of == theirs, code.with == own) {
        (true, false) => &code.with, // their code, for another person
        (false, true) => &code.of,   // another person's code, for us
        (false, false) | (true, true) => return Ok(false),
    };
    let mut people = Vec::new();
    for (id, peer) in tx.by_account::<PeerRecord>(COMPARED_PEOPLE_MAX).await? {
        if id != account && !peer.identity.is_empty() {
            people.push(Person::new(id, &peer.identity)?);
        }
    }
    for pair in people.chunks(2) {
        let [first, .., last] = pair else {
            let [only] = pair else { continue };
            if halves(*only, *only)?.0 == *half {
                return Ok(true);
            }
            continue;
        };
        let (first, last) = halves(*first, *last)?;
        if first == *half || last == *half {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare_fingerprint(
    own: Person,
    known: &Known,
    text: &str,
) -> Result<Result<SafetyReply, Refusal>, Error> {
    let digits = plain(text);
    if digits.len() != HALF || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Err(KeyRefusal::FingerprintMalformed.into()));
    }
    let is_of = |person: Person| Ok::<_, Error>(plain(&half(person)?) == digits);
    let found = if is_of(known.now)? {
        Comparison::Match
    } else if known.before.map(is_of).transpose()? == Some(true) {
        Comparison::MatchKnown
    } else if is_of(own)? {
        Comparison::SomebodyElse
    } else {
        Comparison::NoMatch
    };
    Ok(Ok(SafetyReply::Compared(found)))
}

fn fingerprint(own: Person, other: Person) -> Result<Fingerprint, Error> {
    let (id, other_id) = (own.id.as_bytes(), other.id.as_bytes());
    Fingerprint::new(VERSION, ITERATIONS, id, &own.key, other_id, &other.key).map_err(bug)
}

/// The digits of one person's half.
fn half(person: Person) -> Result<String, Error> {
    let both = fingerprint(person, person)?.display.to_string();
    Ok(grouped(both.get(..HALF).unwrap_or_default()))
}

/// Both halves, as they stand in a code.
fn halves(own: Person, other: Person) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let scannable = fingerprint(own, other)?.scannable.serialize();
    let code = Code::read(&scannable.map_err(bug)?);
    let Code { of, with } = code.ok_or(Error::Bug("our own code can't be read"))?;
    Ok((of, with))
}

/// Digits in groups of five.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 6 / 5);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 5 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Without what people and programs put between digits.
fn plain(text: &str) -> String {
    let text = text.chars().take(FINGERPRINT_TEXT_MAX);
    text.filter(|c| !c.is_whitespace() && !BETWEEN.contains(c))
        .collect()
}

/// Dashes, and what no eye sees: a soft hyphen, and the marks of width zero that copied text has.
const BETWEEN: [char; 8] = [
    '-', '\u{2010}', '\u{2011}', '\u{2013}', '\u{ad}', '\u{200b}', '\u{2060}', '\u{feff}',
];

fn bug(_: impl std::fmt::Debug) -> Error {
    Error::Bug("a safety number can't be made")
}

/// What a scanned code says: whose it is, and with whom.
struct Code {
    of: Vec<u8>,
    with: Vec<u8>,
}

impl Code {
    fn read(bytes: &[u8]) -> Option<Self> {
        let combined = Combined::decode(bytes).ok()?;
        let content = |half: Option<Logical>| half?.content.filter(|bytes| bytes.len() == 32);
        let (of, with) = (content(combined.local)?, content(combined.remote)?);
        (combined.version == Some(VERSION)).then_some(Self { of, with })
    }
}

/// Signal's `CombinedFingerprints`.
#[derive(Clone, PartialEq, Message)]
struct Combined {
    #[prost(uint32, optional, tag = "1")]
    version: Option<u32>,
    #[prost(message, optional, tag = "2")]
    local: Option<Logical>,
    #[prost(message, optional, tag = "3")]
    remote: Option<Logical>,
}

/// Signal's `LogicalFingerprint`.
#[derive(Clone, PartialEq, Message)]
struct Logical {
    #[prost(bytes = "vec", optional, tag = "1")]
    content: Option<Vec<u8>>,
}
