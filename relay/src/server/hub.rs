//! Who is connected: the sockets of devices, the new devices that wait to be linked, and those who wait
//! to hear that one was. It carries the effects of commits to them.
//!
//! [`Wakeup`] is the seam for more nodes: a lost wake-up costs latency and never a message, since every
//! socket also looks by itself now and then. Nothing here waits or does IO; it is called from the writer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};
use wire::DeviceAddress;

use crate::core::Effect;
use crate::database::Effects;
use crate::limits::{PROVISIONING_SOCKETS_MAX, SOCKETS_MAX};

/// Tells the sockets of a mailbox, wherever they are, that something is in it.
pub(super) trait Wakeup: Send + Sync {
    /// May be called for mailboxes nobody listens to.
    fn wake(&self, mailbox: DeviceAddress);
}

/// Why the relay closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The same device connected again.
    Replaced,
    /// The device was removed.
    Removed,
    /// The relay stops.
    Stopping,
}

/// What others tell a socket. Kept until the socket looks.
#[derive(Debug, Default)]
pub(super) struct Signals {
    notify: Notify,
    mailbox: AtomicBool,
    closing: Mutex<Option<Closing>>,
}

impl Signals {
    fn wake(&self) {
        self.mailbox.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    fn close(&self, why: Closing) {
        lock(&self.closing).get_or_insert(why);
        self.notify.notify_one();
    }

    /// Returns when there is something to look at.
    pub(super) async fn changed(&self) {
        self.notify.notified().await;
    }

    pub(super) fn take_wake(&self) -> bool {
        self.mailbox.swap(false, Ordering::AcqRel)
    }

    pub(super) fn closing(&self) -> Option<Closing> {
        *lock(&self.closing)
    }
}

/// What a waiting new device is handed.
#[derive(Debug)]
pub(super) enum Handover {
    /// A `ProvisionEnvelope`.
    Envelope(Vec<u8>),
    /// The person said no.
    Declined,
}

/// All of them, in this process.
#[derive(Debug, Default)]
pub(super) struct Hub {
    devices: Mutex<BTreeMap<DeviceAddress, Arc<Signals>>>,
    sockets: Mutex<BTreeMap<u64, Arc<Signals>>>,
    last_socket: AtomicUsize,
    stopping: AtomicBool,
    gone: Notify,
    provisioning: Mutex<BTreeMap<String, mpsc::Sender<Handover>>>,
    linked: Mutex<BTreeMap<String, Arc<Notify>>>,
}

/// A socket's place in the hub; dropping it leaves.
#[derive(Debug)]
pub(super) struct Place {
    hub: Arc<Hub>,
    id: u64,
    signals: Arc<Signals>,
    device: Option<DeviceAddress>,
}

impl Hub {
    /// A place for a new socket, unless there are too many or the relay stops.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut sockets = lock(&self.sockets);
        if sockets.len() >= SOCKETS_MAX || self.stopping.load(Ordering::Acquire) {
            return None;
        }
        let id = self.last_socket.fetch_add(1, Ordering::Relaxed) as u64;
        let signals = Arc::<Signals>::default();
        sockets.insert(id, Arc::clone(&signals));
        Some(Place {
            hub: Arc::clone(self),
            id,
            signals,
            device: None,
        })
    }

    /// Tells all sockets to close and lets no more in.
    pub(super) fn stop(&self) {
        let sockets = lock(&self.sockets);
        self.stopping.store(true, Ordering::Release);
        for signals in sockets.values() {
            signals.close(Closing::Stopping);
        }
    }

    /// Returns when no socket is left.
    pub(super) async fn all_gone(&self) {
        loop {
            let gone = self.gone.notified();
            if lock(&self.sockets).is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// A new device waits under this address.
    pub(super) fn wait_at(&self, address: &str) -> Option<mpsc::Receiver<Handover>> {
        let mut waiting = lock(&self.provisioning);
        if waiting.len() >= PROVISIONING_SOCKETS_MAX {
            return None;
        }
        let (sender, receiver) = mpsc::channel(1);
        waiting.insert(address.to_owned(), sender);
        Some(receiver)
    }

    pub(super) fn leave_address(&self, address: &str) {
        lock(&self.provisioning).remove(address);
    }

    /// Hands over to whoever waits there, once. Gives whether there was somebody.
    pub(super) fn hand_over(&self, address: &str, what: Handover) -> bool {
        let waiting = lock(&self.provisioning).remove(address);
        waiting.is_some_and(|sender| sender.try_send(what).is_ok())
    }

    /// Is notified when the link token of this identifier made a device, or something is new at a rendezvous.
    pub(super) fn linked(&self, token_identifier: &str) -> Arc<Notify> {
        let mut linked = lock(&self.linked);
        // Those that nobody holds any more.
        linked.retain(|_, notify| Arc::strong_count(notify) > 1);
        Arc::clone(linked.entry(token_identifier.to_owned()).or_default())
    }
}

impl Wakeup for Hub {
    fn wake(&self, mailbox: DeviceAddress) {
        if let Some(signals) = lock(&self.devices).get(&mailbox) {
            signals.wake();
        }
    }
}

impl Effects for Hub {
    fn carry_out(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Wake(mailbox) => self.wake(mailbox),
                Effect::Removed(device) => {
                    if let Some(signals) = lock(&self.devices).get(&device) {
                        signals.close(Closing::Removed);
                    }
                }
                Effect::Linked(what) | Effect::Rendezvous(what) => {
                    if let Some(notify) = lock(&self.linked).get(&what) {
                        notify.notify_waiters();
                    }
                }
            }
        }
    }
}

impl Place {
    /// This socket is this device's from now on; an older one is closed.
    pub(super) fn take_device(&mut self, device: DeviceAddress) {
        self.device = Some(device);
        let older = lock(&self.hub.devices).insert(device, Arc::clone(&self.signals));
        if let Some(older) = older {
            older.close(Closing::Replaced);
        }
    }

    pub(super) const fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(device) = self.device {
            let mut devices = lock(&self.hub.devices);
            let ours = devices
                .get(&device)
                .is_some_and(|signals| Arc::ptr_eq(signals, &self.signals));
            if ours {
                devices.remove(&device);
            }
        }
        lock(&self.hub.sockets).remove(&self.id);
        self.hub.gone.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one call: there is no half-done state to fear.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
