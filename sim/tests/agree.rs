//! Whatever three devices of one person and two of another do, miss and suffer, for weeks: once all are back, the devices of each
//! person agree in everything by which devices compare themselves.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use std::collections::BTreeMap;

use engine::input::{Action, AppCommand, Draft, Setting};
use engine::output::{AppValue, Message};
use engine::store::memory::Crash;
use engine::{Command, Reply, Timestamp, digests, history_from};
use proptest::prelude::*;
use sim::{ClientId, World};

const MINUTE: u64 = 60 * 1000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Alice's three and Bob's two.
struct Five {
    world: World,
    devices: [ClientId; 5],
    texts: u32,
    has_been_away: bool,
}

impl Five {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        let ((second, _), (third, _)) = (world.link(alice), world.link(alice));
        let (laptop, _) = world.link(bob);
        world.pass_ms(MINUTE);
        Self {
            world,
            devices: [alice, second, third, bob, laptop],
            texts: 0,
            has_been_away: false,
        }
    }

    const fn other(n: usize) -> &'static str {
        if n < 3 { "bob" } else { "alice" }
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("#{}", self.texts)
    }

    fn newest(&mut self, n: usize, back: u8) -> Option<Message> {
        let ask = Command::Messages {
            conversation: Self::other(n).to_owned(),
            before: None,
            after: None,
            limit: 4,
        };
        match self.world.try_ask(self.devices[n], ask) {
            Some(Ok(Reply::Messages(mut newest))) if !newest.is_empty() => {
                let which = usize::from(back) % newest.len();
                Some(newest.swap_remove(which))
            }
            _ => None,
        }
    }

    /// What a person does with a device.
    fn act(&mut self, n: usize, what: u8, which: u8) -> Option<Command> {
        let to = Self::other(n).to_owned();
        let key = format!("notes/{}", which % 3);
        Some(match what {
            0 | 1 => {
                let quote = self.newest(n, which).filter(|_| what == 1);
                let draft = Draft {
                    text: self.text(),
                    quote: quote.map(|message| message.id),
                    attachments: Vec::new(),
                };
                Command::Send { to, draft }
            }
            2 => Command::Act(Action::Edit {
                message: self.newest(n, which)?.id,
                text: self.text(),
            }),
            3 | 4 => Command::Act(Action::Remove {
                message: self.newest(n, which)?.id,
                everyone: what == 3,
            }),
            5 => Command::Act(Action::React {
                message: self.newest(n, which)?.id,
                emoji: [Some("👍".to_owned()), None][usize::from(which % 2)].clone(),
            }),
            6 => Command::MarkRead {
                message: self.newest(n, which)?.id,
                conversation: to,
            },
            7 => Command::Set(Setting::Pin {
                conversation: to,
                pinned: which.is_multiple_of(2),
            }),
            8 => Command::App(AppCommand::Set {
                key,
                value: AppValue::Bytes(vec![which]),
            }),
            9 => Command::App(AppCommand::Delete { key }),
            _ => Command::App(AppCommand::Add {
                key,
                by: which.into(),
            }),
        })
    }

    fn step(&mut self, (device, what, which): (u8, u8, u8)) {
        let n = usize::from(device) % self.devices.len();
        let id = self.devices[n];
        match what {
            0..=10 => {
                if let Some(command) = self.act(n, what, which) {
                    self.world.try_ask(id, command);
                }
            }
            11 => self.world.kill(id),
            12 => self.world.open(id),
            13 => self.world.set_network(id, which.is_multiple_of(2)),
            14 => {
                self.world.client_mut(id).clock_ahead_ms =
                    (i64::from(which) - 128) * 3 * 3_600_000 / 128;
            }
            15 => self
                .world
                .crash_at(id, u64::from(which % 6), Crash::BeforeWrite),
            16 => self
                .world
                .crash_at(id, u64::from(which % 6), Crash::AfterWrite),
            17 => self.world.pass_ms(HOUR),
            18 => self.days(1, None),
            _ if !self.has_been_away => {
                self.has_been_away = true;
                self.days([44, 46][usize::from(which % 2)], Some(n));
            }
            _ => {}
        }
    }

    /// Days on which each page is opened, but perhaps one.
    fn days(&mut self, days: u64, without: Option<usize>) {
        for day in 0..days {
            for id in self.devices {
                self.world.kill(id);
            }
            self.world.now += DAY;
            let now = self.world.now;
            self.world.relay.sweep(now);
            for n in (0..self.devices.len()).filter(|n| Some(*n) != without) {
                self.world.open(self.devices[n]);
            }
            if day % 11 == 3 {
                let text = self.text();
                let by = self.devices[(without.unwrap_or(0) + 1) % 2];
                self.world.try_ask(by, Command::text("bob", text));
            }
            self.world.pass_ms(2 * MINUTE);
        }
    }

    /// Nothing goes wrong any more.
    fn heal(&mut self) {
        for id in self.devices {
            self.world.crash_at(id, u64::MAX, Crash::BeforeWrite);
            self.world.set_network(id, true);
            self.world.client_mut(id).clock_ahead_ms = 0;
            if !self.world.client(id).is_open() {
                self.world.open(id);
            }
        }
        self.world.pass_ms(10 * MINUTE);
        self.days(3, None);
        self.world.pass_ms(10 * MINUTE);
    }

    /// In which groups two devices differ.
    fn differ(&self, one: usize, other: usize) -> Vec<Vec<u8>> {
        let [here, there] =
            [one, other].map(|n| self.world.client(self.devices[n]).store.snapshot());
        let Some(floor) = history_from(&here).max(history_from(&there)) else {
            panic!("it is no device");
        };
        let now = Timestamp(self.world.now);
        let [here, there] = [here, there].map(|store| -> BTreeMap<Vec<u8>, [u8; 16]> {
            digests(&store, floor, now).into_iter().collect()
        });
        let keys = here.keys().chain(there.keys());
        keys.filter(|key| here.get(*key) != there.get(*key))
            .cloned()
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn devices_agree_after_all_that_can_happen_to_them_in_weeks(
        seed in 0..1_000_000_u64,
        steps in prop::collection::vec((any::<u8>(), 0..20_u8, any::<u8>()), 20..120),
    ) {
        let mut five = Five::new(seed);
        for step in steps {
            five.step(step);
        }
        five.heal();
        for (one, other) in [(0, 1), (0, 2), (1, 2), (3, 4)] {
            prop_assert_eq!(five.differ(one, other), Vec::<Vec<u8>>::new(), "{} and {}", one, other);
        }
    }
}
