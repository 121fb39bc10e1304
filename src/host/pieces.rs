//! Pieces of history between memory and the relay, each carried out on its own while the engine goes on.
//!
//! What comes of them waits here until the engine takes it. They belong to one opened engine: what an earlier one began is not
//! told to the next, which begins it again. What is in them is not known here.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use engine::Input;
use engine::attachment::{Plan, Pointer};
use engine::input::{BlobEnd, BlobFault, BlobTask};
use js_sys::{Array, Uint8Array};
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use crate::blobs::{self, Access, Fault, Watch};
use crate::signal::Signal;
use crate::socket::RelayAddress;

type Ended = Rc<RefCell<VecDeque<(BlobTask, BlobEnd)>>>;

const WATCH: Watch<'static> = Watch {
    progress: &|_| {},
    abort: None,
};

pub(super) struct Pieces {
    relay: RelayAddress,
    signal: Rc<Signal>,
    ended: Ended,
}

impl Pieces {
    pub(super) fn new(relay: &RelayAddress, signal: &Rc<Signal>) -> Self {
        Self {
            relay: relay.clone(),
            signal: Rc::clone(signal),
            ended: Rc::default(),
        }
    }

    /// The next that has ended.
    pub(super) fn next(&self) -> Option<Input> {
        let (task, end) = self.ended.borrow_mut().pop_front()?;
        Some(Input::Blob { task, end })
    }

    pub(super) fn put(&self, task: BlobTask, plan: Plan, content: Vec<u8>, authorization: String) {
        let access = self.access(Some(authorization));
        self.spawn(task, async move {
            BlobEnd::Put(put(&access, &plan, &content).await.map_err(fault))
        });
    }

    pub(super) fn get(&self, task: BlobTask, pointer: Pointer) {
        let access = self.access(None);
        self.spawn(task, async move {
            BlobEnd::Got(get(&access, &pointer).await.map_err(fault))
        });
    }

    fn access(&self, authorization: Option<String>) -> Access {
        let relay = self.relay.clone();
        Access {
            relay,
            authorization,
        }
    }

    fn spawn(&self, task: BlobTask, work: impl Future<Output = BlobEnd> + 'static) {
        let (signal, ended) = (Rc::clone(&self.signal), Rc::clone(&self.ended));
        spawn_local(async move {
            let end = work.await;
            ended.borrow_mut().push_back((task, end));
            signal.raise();
        });
    }
}

async fn put(access: &Access, plan: &Plan, content: &[u8]) -> Result<[u8; 32], Fault> {
    let bytes = Array::of1(&Uint8Array::from(content));
    let file = Blob::new_with_u8_array_sequence(&bytes).map_err(|_| Fault::Browser)?;
    blobs::upload(access, plan, &file, &WATCH).await
}

async fn get(access: &Access, pointer: &Pointer) -> Result<Vec<u8>, Fault> {
    let blob = blobs::download(access, pointer, &WATCH).await?;
    let content = blobs::bytes(blob.array_buffer()).await;
    content.map_err(|_| Fault::Browser)
}

const fn fault(fault: Fault) -> BlobFault {
    match fault {
        Fault::Lost => BlobFault::Later { after_s: 0 },
        Fault::Quota { retry_after_s } => BlobFault::Later {
            after_s: retry_after_s,
        },
        Fault::Gone => BlobFault::Gone,
        Fault::Damaged => BlobFault::Damaged,
        Fault::Aborted
        | Fault::SignedOut
        | Fault::Changed
        | Fault::TooLarge
        | Fault::Refused { .. }
        | Fault::Browser => BlobFault::Refused,
    }
}
