//! An engine on a memory store, with a stand-in for its host: frames go in and come out as bytes.
//! It answers nothing itself and knows no time but a counter.

use engine::store::memory::MemoryStore;
use engine::{Command, Engine, Input, Output, SocketId, Ticket, Timestamp};
use futures_util::FutureExt;
use wire::DeviceAddress;

use crate::device::NOW_MS;
use crate::relay::Relay;

/// One device of ours.
pub(crate) struct Client {
    engine: Engine<MemoryStore>,
    socket: SocketId,
    /// Who the relay takes it for.
    pub(crate) address: Option<DeviceAddress>,
    steps: u64,
}

impl Client {
    /// A new account, connected.
    pub(crate) fn register(relay: &mut Relay, handle: &str, seed: u8) -> Self {
        let opened = Engine::open(MemoryStore::new(), [seed; 32], Timestamp(NOW_MS));
        let engine = opened.now_or_never().expect("memory never waits");
        let mut client = Self {
            engine: engine.expect("an empty store opens"),
            socket: SocketId(1),
            address: None,
            steps: 0,
        };
        client.give(Input::Tick);
        let frames = client.give(Input::SocketOpened(client.socket));
        client.settle(relay, frames);
        let frames = client.command(Command::Register {
            handle: handle.to_owned(),
            credential: None,
            device_name: String::new(),
        });
        client.settle(relay, frames);
        client
    }

    /// Gives the engine an input; gives the frames it wants sent.
    pub(crate) fn give(&mut self, input: Input) -> Vec<Vec<u8>> {
        self.steps += 1;
        let now = Timestamp(NOW_MS + self.steps);
        let mut outputs = Vec::new();
        let done = self.engine.handle(now, input, &mut outputs).now_or_never();
        done.expect("memory never waits")
            .expect("memory never fails");
        let mut frames = Vec::new();
        for output in outputs {
            match output {
                Output::OpenSocket { socket, .. } => self.socket = socket,
                Output::Send { frame, .. } => frames.push(frame),
                Output::Resolve { result, .. } => {
                    result.expect("nothing is refused here");
                }
                Output::CloseSocket { .. } => panic!("the engine gave the relay up"),
                Output::Emit(_) | Output::PutBlob { .. } | Output::GetBlob { .. } => {}
            }
        }
        frames
    }

    pub(crate) fn command(&mut self, command: Command) -> Vec<Vec<u8>> {
        let ticket = Ticket(self.steps);
        self.give(Input::Command { ticket, command })
    }

    /// A text is stored and, with nothing in its way, sealed.
    pub(crate) fn send(&mut self, to: &str, text: String) -> Vec<Vec<u8>> {
        let to = to.to_owned();
        self.command(Command::text(to, text))
    }

    /// Frames come in, all at once; gives how many the engine sent back.
    pub(crate) fn hear(&mut self, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let socket = self.socket;
        self.give(Input::SocketFrames { socket, frames })
    }

    /// Has the relay answer until nobody has anything more to say.
    pub(crate) fn settle(&mut self, relay: &mut Relay, mut frames: Vec<Vec<u8>>) {
        while !frames.is_empty() {
            let answers = relay.answer(&mut self.address, &frames);
            if answers.is_empty() {
                return;
            }
            frames = self.hear(answers);
        }
    }
}
