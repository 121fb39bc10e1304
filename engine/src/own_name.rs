//! How people call themselves: each message to somebody says it, so that whoever has missed one learns it from the next.
//! It goes inside the ciphertext. Which name is shown is not decided here (see `contacts`).

use wire::AccountId;
use wire::proto::service::Content;

use crate::contacts;
use crate::error::Error;
use crate::limits::NAME_MAX;
use crate::record::ContactRecord;
use crate::registers::fields::NAME;
use crate::registers::{self, PROFILE, Place};
use crate::state::State;
use crate::thread;
use crate::tx::Tx;

impl State {
    /// Has a message to somebody say how this person calls themself; once they have taken that back, that they do not. A
    /// plain Signal service has another way, which is not ours.
    pub(crate) async fn name_author(
        &self,
        tx: &mut Tx<'_>,
        content: &Content,
    ) -> Result<Content, Error> {
        let mut content = content.clone();
        let known = registers::read(tx, &Place::new(PROFILE, NAME)).await?;
        if let Some(message) = &mut content.data_message
            && let Some(register) = known.filter(|_| !self.is_plain())
        {
            let name = register.value.unwrap_or_default();
            message.author_name = String::from_utf8(name).ok();
        }
        Ok(content)
    }
}

/// Somebody has said in a message of that time how they call themself.
pub(crate) async fn note(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    clock: u64,
) -> Result<(), Error> {
    let at = account.as_bytes();
    let known = tx.get::<ContactRecord>(at).await?.unwrap_or_default();
    let mut record = known.clone();
    if name == known.own_name || !take(&mut record, name, clock) {
        return Ok(()); // as with almost every message; a late older one may undo it until the next
    }
    tx.put(at, &record);
    if record.own_name != known.own_name {
        contacts::show(tx, account).await?;
        thread::show(tx, account).await?;
    }
    Ok(())
}

/// The latest counts. Says whether this is.
pub(crate) fn take(record: &mut ContactRecord, name: &str, clock: u64) -> bool {
    if clock <= record.own_name_clock {
        return false;
    }
    record.own_name = plain(name);
    record.own_name_clock = clock;
    true
}

/// Without control characters and marks that turn the direction of text, which can make a name look like another; and short.
fn plain(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let mut name: String = name
        .chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .collect();
    name.truncate(name.floor_char_boundary(NAME_MAX));
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_name_counts_without_what_hides_who_it_is() {
        let mut record = ContactRecord::default();
        assert!(take(&mut record, " Bo\u{202e}b\n ", 5));
        assert_eq!(record.own_name, "Bob");
        assert!(!take(&mut record, "Old", 4));
        assert!(take(&mut record, &"é".repeat(200), 6));
        assert_eq!(record.own_name, "é".repeat(128));
        assert!(take(&mut record, "", 7));
        assert_eq!(record.own_name, "");
    }
}
