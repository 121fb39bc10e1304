//! Padding of plaintext, as Signal's apps have it: content, one 0x80, zeros up to the block.
//! It hides the length of short texts from the relay. It knows nothing of what is inside.
//!
//! The length is one below a multiple of 80, since the cipher's own padding adds at least one byte.
//! Senders differ in their block sizes, so receivers don't depend on any.

use std::fmt;

/// Plaintext without the mark that ends the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unpadded;

impl fmt::Display for Unpadded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plaintext without padding")
    }
}

impl std::error::Error for Unpadded {}

/// Pads `content` to ⌈(n + 2) / 80⌉ · 80 − 1 bytes.
pub(crate) fn pad(mut content: Vec<u8>) -> Vec<u8> {
    let length = (content.len() + 2).div_ceil(BLOCK) * BLOCK - 1;
    content.reserve_exact(length - content.len());
    content.push(MARK);
    content.resize(length, 0);
    content
}

/// Cuts off the padding, whatever its block size.
pub(crate) fn unpad(mut padded: Vec<u8>) -> Result<Vec<u8>, Unpadded> {
    let zeros = padded.iter().rev().take_while(|byte| **byte == 0).count();
    padded.truncate(padded.len() - zeros);
    if padded.pop() == Some(MARK) {
        Ok(padded)
    } else {
        Err(Unpadded)
    }
}

const BLOCK: usize = 80;
const MARK: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_padded_comes_back_whole() {
        for length in 0..1000 {
            let content: Vec<u8> = (0..length)
                .map(|at| u8::try_from(at % 251).unwrap())
                .collect();
            assert_eq!(unpad(pad(content.clone())), Ok(content));
        }
    }

    #[test]
    fn content_that_ends_like_padding_survives() {
        for content in [
            vec![0],
            vec![MARK],
            vec![MARK, 0, 0],
            vec![0; 80],
            vec![1, MARK, 0, MARK],
        ] {
            assert_eq!(unpad(pad(content.clone())), Ok(content));
        }
    }

    #[test]
    fn padded_lengths_are_those_of_signal() {
        let lengths = [
            (0, 79),
            (1, 79),
            (78, 79),
            (79, 159),
            (158, 159),
            (159, 239),
            (65_536, 65_599),
        ];
        for (content, padded) in lengths {
            assert_eq!(pad(vec![1; content]).len(), padded);
        }
    }

    #[test]
    fn the_block_size_is_the_senders_own_affair() {
        for length in [4, 16, 160, 163] {
            let mut padded = vec![7, 8, 9, MARK];
            padded.resize(length, 0);
            assert_eq!(unpad(padded), Ok(vec![7, 8, 9]));
        }
    }

    #[test]
    fn plaintext_without_the_mark_is_refused() {
        for bytes in [
            vec![],
            vec![0],
            vec![0; 79],
            vec![1, 2, 3],
            vec![MARK, 1],
            vec![MARK, 1, 0],
        ] {
            assert_eq!(unpad(bytes), Err(Unpadded));
        }
    }
}
