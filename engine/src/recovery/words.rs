//! Twelve words of BIP-39's English list, for 128 bits: to be written down, and typed again by anybody.
//! It does not know what they open.

use bip39::{Error, Language, Mnemonic};
use zeroize::Zeroizing;

use crate::error::KeyRefusal;

/// Bytes that the words stand for: nobody guesses so many, so that a fast key derivation is enough.
pub(super) const ENTROPY: usize = 16;
/// How many words that are.
const WORDS: usize = 12;

/// What the words stand for.
pub(super) type Entropy = Zeroizing<[u8; ENTROPY]>;

/// The words, with a space between two.
pub(super) fn write(entropy: &Entropy) -> Option<String> {
    let words = Mnemonic::from_entropy(entropy.as_slice()).ok()?;
    let words: Vec<_> = words.words().collect();
    Some(words.join(" "))
}

/// From what a person typed: capital letters, and whatever stands between words, make no difference.
pub(super) fn read(typed: &str) -> Result<Entropy, KeyRefusal> {
    let words = typed.split(|c: char| !c.is_alphabetic());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let text = Zeroizing::new(words.join(" ").to_lowercase());
    let unknown = |at: usize| KeyRefusal::RecoveryWordUnknown {
        position: u8::try_from(at + 1).unwrap_or(u8::MAX),
    };
    // A word that is none explains a wrong number, so it comes first.
    for (at, word) in text.split(' ').enumerate() {
        if !word.is_empty() && Language::English.find_word(word).is_none() {
            return Err(unknown(at));
        }
    }
    if words.len() != WORDS {
        return Err(KeyRefusal::RecoveryWordCount { found: words.len() });
    }
    let words = Mnemonic::parse_in_normalized(Language::English, &text).map_err(|e| match e {
        Error::UnknownWord(at) => unknown(at),
        Error::BadWordCount(found) => KeyRefusal::RecoveryWordCount { found },
        Error::BadEntropyBitCount(_) | Error::InvalidChecksum | Error::AmbiguousLanguages(_) => {
            KeyRefusal::RecoveryChecksum
        }
    })?;
    let (bytes, _) = words.to_entropy_array();
    let bytes = Zeroizing::new(bytes);
    let mut entropy = Entropy::default();
    entropy
        .iter_mut()
        .zip(bytes.iter())
        .for_each(|(to, from)| *to = *from);
    Ok(entropy)
}
