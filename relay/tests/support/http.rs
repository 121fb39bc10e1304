//! Plain HTTP by hand, and blobs over it: what a test sends is what it wrote down.
//! A connection that breaks is an answer like any other, since relays are killed here.

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::BlobId;
use wire::blob::{BeginBlob, BlobProgress, CompleteBlob};
use wire::body::{Base64, Refusal, from_json, to_json};

use super::{Device, PATIENCE};

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        from_json::<Refusal>(&self.body).unwrap().code
    }

    pub(crate) fn is(&self, status: u16, code: &str) -> bool {
        self.status == status && self.code() == code
    }

    pub(crate) fn progress(&self) -> BlobProgress {
        assert_eq!(self.status, 200, "{}", self.head);
        from_json(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// None if the relay is gone before the answer is whole.
pub(crate) async fn try_ask(
    port: u16,
    verb: &str,
    path: &str,
    headers: &[String],
    body: &[u8],
) -> Option<Answer> {
    timeout(PATIENCE, exchange(port, verb, path, headers, body))
        .await
        .expect("silence")
}

async fn exchange(
    port: u16,
    verb: &str,
    path: &str,
    headers: &[String],
    body: &[u8],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let mut request =
        format!("{verb} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    if !headers.iter().any(|h| h.starts_with("content-length")) {
        request += &format!("content-length: {}\r\n", body.len());
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    read_answer(&mut stream, verb).await
}

pub(crate) async fn read_answer(stream: &mut TcpStream, verb: &str) -> Option<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.ok()?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let answer = Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        body: bytes.split_off(end + 4),
        head,
    };
    let length = answer.header("content-length").map(str::parse::<usize>);
    let length = length.transpose().ok()?.unwrap_or_default();
    (verb == "HEAD" || length == answer.body.len()).then_some(answer)
}

/// A device's view of the blobs of a relay.
pub(crate) struct Blobs {
    pub(crate) port: u16,
    pub(crate) authorization: Vec<String>,
}

impl Blobs {
    pub(crate) fn of(port: u16, device: &Device) -> Self {
        Self {
            port,
            authorization: vec![format!("authorization: {}", device.header())],
        }
    }

    pub(crate) fn of_nobody(port: u16) -> Self {
        Self {
            port,
            authorization: Vec::new(),
        }
    }

    pub(crate) async fn try_with(
        &self,
        verb: &str,
        id: BlobId,
        headers: &[String],
        body: &[u8],
    ) -> Option<Answer> {
        let headers = [&self.authorization, headers].concat();
        try_ask(self.port, verb, &id.path(), &headers, body).await
    }

    async fn with(&self, verb: &str, id: BlobId, headers: &[String], body: &[u8]) -> Answer {
        let answer = self.try_with(verb, id, headers, body).await;
        answer.expect("the relay hung up")
    }

    pub(crate) async fn begin(&self, id: BlobId, size: usize) -> Answer {
        let size = size as u64;
        self.with("PUT", id, &[], &to_json(&BeginBlob { size }))
            .await
    }

    pub(crate) async fn append(&self, id: BlobId, offset: usize, bytes: &[u8]) -> Answer {
        let answer = self.try_append(id, offset, bytes).await;
        answer.expect("the relay hung up")
    }

    pub(crate) async fn try_append(
        &self,
        id: BlobId,
        offset: usize,
        bytes: &[u8],
    ) -> Option<Answer> {
        let offset = format!("upload-offset: {offset}");
        self.try_with("PATCH", id, &[offset], bytes).await
    }

    pub(crate) async fn complete(&self, id: BlobId, hash: &[u8]) -> Answer {
        let answer = self.try_complete(id, hash).await;
        answer.expect("the relay hung up")
    }

    pub(crate) async fn try_complete(&self, id: BlobId, hash: &[u8]) -> Option<Answer> {
        let sha256 = Base64(hash.to_vec());
        let body = to_json(&CompleteBlob { sha256 });
        self.try_with("POST", id, &[], &body).await
    }

    pub(crate) async fn end(&self, id: BlobId) -> Answer {
        self.with("DELETE", id, &[], &[]).await
    }

    pub(crate) async fn fetch(&self, id: BlobId, headers: &[&str]) -> Answer {
        let headers: Vec<_> = headers.iter().map(|&header| header.to_owned()).collect();
        self.with("GET", id, &headers, &[]).await
    }

    /// From begin to complete, in slices.
    pub(crate) async fn upload(&self, id: BlobId, bytes: &[u8], slice: usize) {
        assert_eq!(self.begin(id, bytes.len()).await.progress().offset, 0);
        for (n, part) in bytes.chunks(slice).enumerate() {
            let progress = self.append(id, n * slice, part).await.progress();
            assert_eq!(progress.offset, (n * slice + part.len()) as u64);
        }
        assert_eq!(self.complete(id, &hash(bytes)).await.status, 204);
    }
}

pub(crate) fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Bytes of which no two pieces are the same.
pub(crate) fn bytes(length: usize, seed: u64) -> Vec<u8> {
    use rand::{RngCore as _, SeedableRng as _};
    let mut bytes = vec![0; length];
    rand_chacha::ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

pub(crate) fn blob(n: u8) -> BlobId {
    BlobId::from_bytes([n; 16])
}
