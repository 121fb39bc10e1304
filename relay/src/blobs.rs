//! The bytes of blobs, behind a small trait: files today, an object store when there is one.
//!
//! A [`BlobBytes`] appends, measures, settles, reads and deletes. It knows no account, no limit and no end: that is in
//! `core::blobs`, and what may be read at all is decided by rows, not by what lies here. So bytes that a crash
//! left half written are nobody's until they are complete.
//! Invariant: when [`BlobBytes::settle`] has returned, the bytes it hashed survive any crash.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use wire::BlobId;

use crate::limits::BLOB_PIECE;

/// Where the bytes are. What is asked about one blob comes one at a time, but for reading.
#[async_trait]
pub trait BlobBytes: fmt::Debug + Send + Sync {
    /// How many bytes are there; of an unknown one none.
    async fn length(&self, id: BlobId) -> io::Result<u64>;
    /// Adds bytes behind the last one, which is at `at`. They may be lost in a crash.
    async fn append(&self, id: BlobId, at: u64, bytes: Vec<u8>) -> io::Result<()>;
    /// Makes all bytes durable and gives their SHA-256.
    async fn settle(&self, id: BlobId) -> io::Result<[u8; 32]>;
    /// Exactly so many bytes from `at` on.
    async fn read(&self, id: BlobId, at: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Deletes what is there, if anything.
    async fn delete(&self, id: BlobId) -> io::Result<()>;
}

/// A file for each blob, in one folder.
#[derive(Debug)]
pub struct Files {
    folder: Arc<Path>,
}

impl Files {
    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// It can't be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        // A folder that a crash takes away would take every blob with it.
        if let Some(parent) = folder.parent().filter(|path| !path.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self {
            folder: folder.into(),
        })
    }

    /// Disks block, so they are waited for on a thread that may.
    async fn on_file<T: Send + 'static>(
        &self,
        id: BlobId,
        job: impl FnOnce(&Path, PathBuf) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let folder = Arc::clone(&self.folder);
        // A blob id is 32 hexadecimal digits: no path leads out of here.
        let path = folder.join(id.to_string());
        tokio::task::spawn_blocking(move || job(&folder, path))
            .await
            .map_err(io::Error::other)?
    }
}

#[async_trait]
impl BlobBytes for Files {
    async fn length(&self, id: BlobId) -> io::Result<u64> {
        let length = |_: &Path, path: PathBuf| or_if_absent(path.metadata().map(|m| m.len()), 0);
        self.on_file(id, length).await
    }

    async fn append(&self, id: BlobId, at: u64, bytes: Vec<u8>) -> io::Result<()> {
        let append = move |_: &Path, path: PathBuf| {
            let mut options = OpenOptions::new();
            let file = options.create(true).write(true).mode(0o600).open(path)?;
            file.write_all_at(&bytes, at)
        };
        self.on_file(id, append).await
    }

    async fn settle(&self, id: BlobId) -> io::Result<[u8; 32]> {
        let settle = |folder: &Path, path: PathBuf| {
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            let (mut hash, mut piece) = (Sha256::new(), vec![0; BLOB_PIECE]);
            loop {
                let count = file.read(&mut piece)?;
                if count == 0 {
                    break;
                }
                hash.update(piece.get(..count).unwrap_or_default());
            }
            file.sync_all()?;
            File::open(folder)?.sync_all()?;
            Ok(hash.finalize().into())
        };
        self.on_file(id, settle).await
    }

    async fn read(&self, id: BlobId, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let read = move |_: &Path, path: PathBuf| {
            let mut bytes = vec![0; length];
            File::open(path)?.read_exact_at(&mut bytes, at)?;
            Ok(bytes)
        };
        self.on_file(id, read).await
    }

    async fn delete(&self, id: BlobId) -> io::Result<()> {
        let delete = |_: &Path, path: PathBuf| or_if_absent(std::fs::remove_file(path), ());
        self.on_file(id, delete).await
    }
}

fn or_if_absent<T>(result: io::Result<T>, absent: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(absent),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(&folder.path().join("a/b")).unwrap();
        (folder, files)
    }

    const ID: BlobId = BlobId::from_bytes([255; 16]);

    #[tokio::test]
    async fn what_was_appended_is_read_hashed_and_deleted() {
        let (_folder, files) = files();
        assert_eq!(files.length(ID).await.unwrap(), 0);
        files.append(ID, 0, b"abc".to_vec()).await.unwrap();
        files.append(ID, 3, b"defg".to_vec()).await.unwrap();
        assert_eq!(files.length(ID).await.unwrap(), 7);
        assert_eq!(files.read(ID, 2, 4).await.unwrap(), b"cdef");
        let hash: [u8; 32] = Sha256::digest(b"abcdefg").into();
        assert_eq!(files.settle(ID).await.unwrap(), hash);
        files.delete(ID).await.unwrap();
        files.delete(ID).await.unwrap();
        assert_eq!(files.length(ID).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_is_not_there_is_an_error_and_never_short() {
        let (_folder, files) = files();
        files.read(ID, 0, 1).await.unwrap_err();
        files.settle(ID).await.unwrap_err();
        files.append(ID, 0, b"abc".to_vec()).await.unwrap();
        files.read(ID, 2, 2).await.unwrap_err();
    }
}
