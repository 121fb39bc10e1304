//! Reading fixed binary formats: numbers are big-endian, nothing is optional, nothing may follow.
//! What a field means is for the format that reads it.

use crate::DecodeError;

/// What is left of the bytes of a format.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    format: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(rest: &'a [u8], format: &'static str) -> Self {
        Self { rest, format }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(self.invalid())?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Nothing follows.
    pub(crate) fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.invalid())
        }
    }

    pub(crate) const fn invalid(&self) -> DecodeError {
        DecodeError::Invalid { field: self.format }
    }
}

/// What a signature is over: the length of its context, the context, the body. No two uses share a context, so what was
/// signed for one use is refused in every other (T14).
pub(crate) fn signed(context: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(context.len()).unwrap_or(u8::MAX);
    [&[length], context, body].concat()
}
