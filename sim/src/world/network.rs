//! The network of a world: packets, time, and what goes wrong with both.
//! A socket delivers in order, as TCP does; sockets know nothing of each other, so a run may pick which of them
//! is next. It does not know what frames say.

use engine::attachment::Plan;
use engine::input::{BlobEnd, BlobFault};
use engine::{Input, SocketId};

use super::World;
use crate::client::{Client, ClientId, Wish};
use crate::relay_node::Down;

/// Something on the network.
#[derive(Debug)]
pub(super) enum Packet {
    Open(ClientId, SocketId, &'static str),
    Up(ClientId, SocketId, Vec<u8>),
    Hangup(ClientId, SocketId),
    Down(Down),
    /// Something about a blob, on its own way.
    Blob(ClientId, Wish),
}

/// Stands for the way of blobs among the sockets of a browser.
const BLOBS: SocketId = SocketId(u32::MAX);

/// One direction of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lane {
    client: ClientId,
    socket: SocketId,
    is_up: bool,
}

impl Packet {
    fn lane(&self) -> Lane {
        let (client, socket, is_up) = match self {
            Self::Blob(client, _) => (*client, BLOBS, true),
            Self::Open(client, socket, _)
            | Self::Up(client, socket, _)
            | Self::Hangup(client, socket) => (*client, *socket, true),
            Self::Down(Down::Frame((client, socket), _) | Down::Close((client, socket), _)) => {
                (*client, *socket, false)
            }
        };
        Lane {
            client,
            socket,
            is_up,
        }
    }
}

/// Whether time passes with the network at work, or with all that is on its way held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    Delivers,
    Stalls,
}

impl World {
    /// Takes a browser off the network, or puts it back.
    pub fn set_network(&mut self, id: ClientId, up: bool) {
        if up {
            self.reconnect(id);
        } else {
            self.cut(id);
        }
        self.run();
    }

    /// Puts a browser back on the network, and nothing more has happened yet.
    pub fn reconnect(&mut self, id: ClientId) {
        self.cut.retain(|cut| *cut != id);
        self.give(id, Input::NetworkChanged);
    }

    pub(crate) fn is_cut(&self, id: ClientId) -> bool {
        self.cut.contains(&id)
    }

    pub(crate) fn cut(&mut self, id: ClientId) {
        self.cut.retain(|cut| *cut != id);
        self.cut.push(id);
        self.drop_sockets(id);
    }

    /// Sockets stay open and nothing comes through them, as in a tunnel. Nobody is told, either way.
    pub fn mute(&mut self, id: ClientId, yes: bool) {
        self.muted.retain(|muted| *muted != id);
        if yes {
            self.muted.push(id);
        }
    }

    pub(crate) fn is_muted(&self, id: ClientId) -> bool {
        self.muted.contains(&id)
    }

    /// Ends all sockets of a browser at both ends, with what is on its way.
    pub(crate) fn drop_sockets(&mut self, id: ClientId) {
        self.packets
            .retain(|packet| matches!(packet, Packet::Hangup(..)) || packet.lane().client != id);
        for socket in self.clients[id.0].sockets() {
            self.relay.close((id, socket));
            self.give(id, Input::SocketClosed { socket, code: 1006 });
        }
    }

    /// The page is gone; its sockets will be.
    pub(crate) fn end(&mut self, id: ClientId) {
        let sockets = self.clients[id.0].kill();
        self.packets
            .extend(sockets.into_iter().map(|socket| Packet::Hangup(id, socket)));
    }

    /// Stops the relay and starts it again: sockets are gone, what was accepted is not. Frames on their
    /// way are lost.
    pub fn restart_relay(&mut self) {
        self.forget_sockets();
        self.run();
    }

    pub(crate) fn forget_sockets(&mut self) {
        self.packets.clear();
        let closed = self.relay.restart();
        self.packets.extend(closed.into_iter().map(Packet::Down));
    }

    /// Lets time pass, with everything that is due in it.
    pub fn pass_ms(&mut self, ms: u64) {
        self.pass(ms, Meanwhile::Delivers);
    }

    pub(crate) fn pass(&mut self, ms: u64, network: Meanwhile) {
        let end = self.now + ms;
        let mut in_place = 0;
        loop {
            if network == Meanwhile::Delivers {
                self.run();
            }
            let due = self.clients.iter().filter_map(Client::timer).min();
            let Some(due) = due.filter(|due| *due <= end) else {
                break;
            };
            in_place = if due > self.now { 0 } else { in_place + 1 };
            assert!(in_place < 10_000, "time does not move on");
            self.now = self.now.max(due);
            for n in 0..self.clients.len() {
                if self.clients[n].timer().is_some_and(|due| due <= self.now) {
                    self.give(ClientId(n), Input::Tick);
                }
            }
            let over = self.relay.tick(self.now);
            self.packets.extend(over.into_iter().map(Packet::Down));
        }
        self.now = end;
        let over = self.relay.tick(self.now);
        self.packets.extend(over.into_iter().map(Packet::Down));
        if network == Meanwhile::Delivers {
            self.run();
        }
    }

    /// Runs until nobody has anything more to say.
    pub fn run(&mut self) {
        for _ in 0..1_000_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Delivers the oldest packet, with the frames right behind it on its socket: what waits on a socket
    /// comes as one batch, as it does from a browser's host. Gives whether there was one.
    pub fn step(&mut self) -> bool {
        let Some(packet) = self.packets.pop_front() else {
            return false;
        };
        let lane = packet.lane();
        let mut behind = Vec::new();
        while behind.len() + 1 < self.batch_max
            && let Some(Packet::Down(Down::Frame(..))) = self.packets.front()
            && self.packets.front().is_some_and(|next| next.lane() == lane)
        {
            behind.extend(self.packets.pop_front());
        }
        self.arrive(packet, behind);
        true
    }

    /// Delivers the next of one of the sockets that have something, with all the frames that wait behind it.
    pub(crate) fn deliver(&mut self, pick: usize) -> bool {
        let mut lanes = Vec::new();
        for packet in &self.packets {
            let lane = packet.lane();
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        if lanes.is_empty() {
            return false;
        }
        let lane = lanes[pick % lanes.len()];
        let mut taken = Vec::new();
        let mut at = 0;
        while at < self.packets.len() && taken.len() < self.batch_max {
            let packet = &self.packets[at];
            let fits = taken.is_empty() || matches!(packet, Packet::Down(Down::Frame(..)));
            if packet.lane() != lane {
                at += 1;
            } else if fits {
                let is_batch = matches!(packet, Packet::Down(Down::Frame(..)));
                taken.extend(self.packets.remove(at));
                if !is_batch {
                    break;
                }
            } else {
                break;
            }
        }
        let first = taken.remove(0);
        self.arrive(first, taken);
        true
    }

    /// Has the relay deliver a waiting frame to a browser once more.
    pub(crate) fn double(&mut self, pick: usize) -> bool {
        let down = |packet: &Packet| matches!(packet, Packet::Down(Down::Frame(..)));
        let frames: Vec<usize> = (0..self.packets.len())
            .filter(|at| down(&self.packets[*at]))
            .collect();
        if frames.is_empty() {
            return false;
        }
        let at = frames[pick % frames.len()];
        if let Packet::Down(Down::Frame(key, frame)) = &self.packets[at] {
            let copy = Packet::Down(Down::Frame(*key, frame.clone()));
            self.packets.insert(at + 1, copy);
        }
        true
    }

    fn arrive(&mut self, packet: Packet, behind: Vec<Packet>) {
        let id = packet.lane().client;
        if self.is_muted(id) && !matches!(packet, Packet::Hangup(..)) {
            return;
        }
        self.note(&packet, behind.len());
        match packet {
            Packet::Open(id, socket, path) => {
                if self.cut.contains(&id) || !self.relay_up {
                    self.give(id, Input::SocketClosed { socket, code: 1006 });
                } else {
                    let down = self.relay.open((id, socket), path);
                    self.give(id, Input::SocketOpened(socket));
                    self.packets.extend(down.into_iter().map(Packet::Down));
                }
            }
            Packet::Up(id, socket, frame) => {
                let down = self.relay.frame(self.now, (id, socket), &frame);
                self.packets.extend(down.into_iter().map(Packet::Down));
            }
            Packet::Hangup(id, socket) => self.relay.close((id, socket)),
            Packet::Blob(id, wish) => self.move_blob(id, wish),
            Packet::Down(Down::Frame((id, socket), frame)) => {
                let frame_of = |packet| {
                    if let Packet::Down(Down::Frame(_, frame)) = packet {
                        Some(frame)
                    } else {
                        None
                    }
                };
                let mut frames = vec![frame];
                frames.extend(behind.into_iter().filter_map(frame_of));
                if self.clients[id.0].has(socket) {
                    self.give(id, Input::SocketFrames { socket, frames });
                }
            }
            Packet::Down(Down::Close((id, socket), code)) => {
                self.relay.close((id, socket));
                if self.clients[id.0].has(socket) {
                    self.give(id, Input::SocketClosed { socket, code });
                }
            }
        }
    }

    fn note(&mut self, packet: &Packet, behind: usize) {
        let Some(log) = &mut self.log else { return };
        if let Packet::Up(_, _, frame) = packet
            && crate::trace::is_keep_alive(frame)
        {
            return;
        }
        let Lane { client, socket, .. } = packet.lane();
        let what = match packet {
            Packet::Open(..) => "opens".to_owned(),
            Packet::Hangup(..) => "hangs up".to_owned(),
            Packet::Blob(_, Wish::Put { .. }) => "puts a blob".to_owned(),
            Packet::Blob(..) => "gets a blob".to_owned(),
            Packet::Up(_, _, frame) => format!("> {}", crate::trace::frame(frame)),
            Packet::Down(Down::Frame(_, frame)) if behind > 0 => {
                format!("< {} and {behind} more", crate::trace::frame(frame))
            }
            Packet::Down(Down::Frame(_, frame)) => format!("< {}", crate::trace::frame(frame)),
            Packet::Down(Down::Close(_, code)) => format!("< closed {code}"),
        };
        log.push(format!("browser {} socket {}: {what}", client.0, socket.0));
    }

    fn move_blob(&mut self, id: ClientId, wish: Wish) {
        let is_cut = self.is_cut(id) || !self.relay_up;
        let lost = BlobFault::Later { after_s: 0 };
        let (task, end) = match wish {
            Wish::Put {
                task,
                plan,
                content,
                authorization,
            } => {
                let mut put = || {
                    let piece = (&plan, content.as_slice());
                    self.relay.put_blob(self.now, piece, &authorization)
                };
                (task, BlobEnd::Put(if is_cut { Err(lost) } else { put() }))
            }
            Wish::Get { task, pointer } => {
                let mut get = || self.relay.get_blob(self.now, &pointer);
                (task, BlobEnd::Got(if is_cut { Err(lost) } else { get() }))
            }
            Wish::Open { .. } | Wish::Close { .. } | Wish::Send { .. } => return,
        };
        self.give(id, Input::Blob { task, end });
    }

    /// Uploads a file at once, as the host of a browser does.
    pub(crate) fn upload(
        &mut self,
        id: ClientId,
        file: (&Plan, &[u8]),
        authorization: &str,
    ) -> Result<[u8; 32], BlobFault> {
        if self.cut.contains(&id) || self.is_muted(id) || !self.relay_up {
            return Err(BlobFault::Later { after_s: 0 });
        }
        self.relay.put_blob(self.now, file, authorization)
    }

    /// Gives a browser any input.
    pub fn give(&mut self, id: ClientId, input: Input) {
        let wishes = self.clients[id.0].give(self.now, input);
        self.packets
            .extend(wishes.into_iter().map(|wish| match wish {
                Wish::Open { socket, path } => Packet::Open(id, socket, path),
                Wish::Close { socket } => Packet::Hangup(id, socket),
                Wish::Send { socket, frame } => Packet::Up(id, socket, frame),
                blob @ (Wish::Put { .. } | Wish::Get { .. }) => Packet::Blob(id, blob),
            }));
    }
}
