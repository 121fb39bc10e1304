//! Blobs at the simulated relay: the rules are the relay's own, over its rows; the bytes are in a map that a play may look
//! into and spoil. It moves each blob whole, as if slices could not be lost; that they can is for the tests in browsers.

use engine::attachment::{Decryptor, Encryptor, Plan, Pointer, Rest};
use engine::input::BlobFault;
use relay::core::{Failure, auth, blobs};

use super::RelayNode;

impl RelayNode {
    /// Takes a blob, as a host uploads it.
    pub(crate) fn put_blob(
        &mut self,
        now: u64,
        (plan, content): (&Plan, &[u8]),
        authorization: &str,
    ) -> Result<[u8; 32], BlobFault> {
        if self.is_away() {
            return Err(BlobFault::Later { after_s: 0 });
        }
        let caller = auth::authenticate(&mut self.store, authorization).map_err(fault)?;
        let (bytes, digest) = encrypted(plan, content);
        let taken = self.transaction(now, |_, moment| {
            blobs::begin(moment, caller, plan.blob, bytes.len() as u64)?;
            blobs::complete(moment, caller, plan.blob, digest)
        });
        taken.map_err(fault)?;
        let same = self
            .blobs
            .get(&plan.blob)
            .is_none_or(|known| *known == bytes);
        assert!(same, "a plan was used for two files");
        self.blobs.insert(plan.blob, bytes);
        Ok(digest)
    }

    /// Gives a blob, as a host fetches and decrypts it.
    pub(crate) fn get_blob(&mut self, now: u64, pointer: &Pointer) -> Result<Vec<u8>, BlobFault> {
        if self.is_away() {
            return Err(BlobFault::Later { after_s: 0 });
        }
        blobs::fetched(&mut self.store, pointer.blob, now).map_err(fault)?;
        let bytes = self.blobs.get(&pointer.blob).ok_or(BlobFault::Gone)?;
        let mut decryptor = Decryptor::new(&pointer.key, pointer.digest, pointer.size);
        let damaged = |_| BlobFault::Damaged;
        let mut content = decryptor.add(bytes).map_err(damaged)?.put_aside();
        content.extend(decryptor.finish().map_err(damaged)?);
        Ok(content)
    }

    /// Whether a play has it refuse the next request about a blob.
    fn is_away(&mut self) -> bool {
        let about = |(path, _, times): &&mut (&str, u16, u32)| *times > 0 && *path == "/v1/blobs";
        let refusal = self.refuse.iter_mut().find(about);
        refusal.map(|(_, _, times)| *times -= 1).is_some()
    }

    /// How many blobs it has.
    #[must_use]
    pub fn blob_count(&self) -> usize {
        self.blobs.len()
    }

    /// Turns over a bit in every blob.
    pub fn damage_blobs(&mut self) {
        for bytes in self.blobs.values_mut() {
            if let Some(byte) = bytes.last_mut() {
                *byte ^= 1;
            }
        }
    }
}

fn encrypted(plan: &Plan, content: &[u8]) -> (Vec<u8>, [u8; 32]) {
    let encryptor = Encryptor::new(&plan.key, plan.iv, plan.size);
    let mut encryptor = Box::new(encryptor.expect("a piece is small"));
    let mut bytes = Vec::new();
    encryptor
        .add(content, &mut bytes)
        .expect("as large as its plan says");
    loop {
        match encryptor.rest(&mut bytes).expect("all of it is in") {
            Rest::More(more) => encryptor = more,
            Rest::Done(digest) => return (bytes, digest),
        }
    }
}

fn fault(failure: Failure) -> BlobFault {
    match failure {
        Failure::Refused(answer) if answer.status == 404 => BlobFault::Gone,
        Failure::Refused(answer) if answer.status == 429 => BlobFault::Later { after_s: 60 },
        Failure::Refused(_) => BlobFault::Refused,
        Failure::Store(error) => panic!("memory never fails: {error}"),
    }
}
