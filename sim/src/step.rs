//! Everything that can be done to a world, in one closed list. A list of steps is a run: the simulator draws it
//! from a seed, a property test shrinks it, a fuzzer decodes it from bytes, a file keeps it.
//!
//! Arguments are small numbers that a run takes modulo what there is, so every list of steps means something. What
//! a step does is in `run`.

use std::fmt;
use std::str::FromStr;

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident $word:literal { $($arg:ident: $of:literal),* })*) => {
        /// One thing done to a world.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step {
            $($(#[$doc])* $name { $(#[doc = $of] $arg: u8),* },)*
        }

        impl Step {
            /// The words that steps are written with.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The step of this word. Arguments that it does not have are ignored.
            #[must_use]
            pub fn new(word: &str, args: [u8; 3]) -> Option<Self> {
                match word {
                    $($word => {
                        let args: &[u8] = &args;
                        $(let (&$arg, args) = args.split_first()?;)*
                        let _rest = args;
                        Some(Self::$name { $($arg),* })
                    })*
                    _ => None,
                }
            }

            fn parts(self) -> (&'static str, Vec<u8>) {
                match self {
                    $(Self::$name { $($arg),* } => ($word, vec![$($arg),*]),)*
                }
            }
        }
    };
}

steps! {
    /// A person sends a text.
    Send "send" { from: "With which browser.", to: "To which person." }
    /// A person sends a file.
    Attach "attach" { from: "With which browser.", to: "To which person." }
    /// A person sets how long messages of a conversation stay.
    Timer "timer" { by: "With which browser.", with: "With which person.", length: "Which of the lengths." }
    /// A person has read a conversation.
    Read "read" { by: "With which browser.", of: "With which person." }
    /// A person does something to a message that stands in a conversation.
    Do "do" { by: "With which browser.", of: "In the conversation with which person.", what: "What, and to which of the newest." }
    /// A person or their application sets something for all their browsers.
    Set "set" { by: "With which browser.", what: "Which thing.", value: "To which value." }
    /// A person looks at their devices and contacts.
    Look "look" { by: "With which browser." }
    /// A person shows a link URI on a new browser.
    Link "link" { of: "Another browser of theirs." }
    /// A person approves what their new browser shows.
    Approve "approve" { by: "With which browser." }
    /// A person approves what their new browser shows, and lets it have earlier messages.
    Give "give" { by: "With which browser.", what: "Which messages." }
    /// A person has one browser send earlier messages to another one.
    SendHistory "send_history" { by: "Which.", to: "To which of theirs.", what: "Which messages." }
    /// A person removes one of their browsers.
    Unlink "unlink" { by: "With which browser.", which: "Of theirs." }
    /// A person lets somebody else read, or read and answer: first that one's browser shows a link URI, then it is approved.
    Hire "hire" { by: "With which browser.", what: "What it may." }
    /// A person ends what somebody else may.
    Dismiss "dismiss" { by: "With which browser.", which: "Of those who may; odd: its browser is lost." }
    /// A person wants a conversation without staff, or no more.
    Wish "wish" { by: "With which browser.", with: "With which person.", yes: "Odd: without staff." }
    /// Somebody writes for another person.
    Answer "answer" { by: "With which browser of staff.", to: "To which person." }
    /// Everybody's machine is off for some days.
    Sleep "sleep" { days: "How many, at most 3." }
    /// A page is closed, and everybody else's machine is off for two weeks and some days.
    Away "away" { browser: "Which.", days: "How many more than 14, at most 3." }
    /// One socket's next packet arrives.
    Deliver "deliver" { pick: "Of the sockets that have something." }
    /// The oldest packets arrive.
    Flow "flow" { packets: "How many, at most 32." }
    /// Everything arrives.
    Run "run" {}
    /// Time passes, and the network works.
    Pass "pass" { how_long: "Which of the lengths of time." }
    /// Time passes, and nothing arrives.
    Wait "wait" { how_long: "Which of the lengths of time." }
    /// A browser's sockets end, with what is on its way.
    Drop "drop" { browser: "Which." }
    /// A browser has no network.
    Cut "cut" { browser: "Which." }
    /// A browser has network.
    Reconnect "reconnect" { browser: "Which." }
    /// What a browser sends and is sent vanishes.
    Mute "mute" { browser: "Which." }
    /// The end of that; its sockets end too, since bytes are missing in them.
    Unmute "unmute" { browser: "Which." }
    /// A page ends.
    Kill "kill" { browser: "Which." }
    /// A page is opened, if it is not.
    Open "open" { browser: "Which." }
    /// A page will die at a commit.
    CrashAtCommit "crash_at_commit" { browser: "Which.", nth: "Which commit from now.", side: "Before or after it is written." }
    /// A page will die between two outputs.
    CrashAtOutput "crash_at_output" { browser: "Which.", nth: "After how many." }
    /// A disk is full: each commit fails.
    Fill "fill" { browser: "Whose." }
    /// A disk has room.
    Free "free" { browser: "Whose." }
    /// A clock jumps by up to three hours, either way.
    Jump "jump" { browser: "Whose.", by: "128 is not at all." }
    /// The relay stops and starts.
    RestartRelay "restart_relay" {}
    /// The relay stops.
    StopRelay "stop_relay" {}
    /// The relay starts, if it is stopped.
    StartRelay "start_relay" {}
    /// The relay refuses some requests.
    Refuse "refuse" { what: "Which, and how.", times: "How often, at most 4." }
    /// The relay delivers a frame twice.
    Double "double" { pick: "Of the frames on their way." }
    /// How many frames come as one batch, at most.
    Batch "batch" { frames: "0 is 128." }
    /// The relay lies, at the next chance.
    Deceive "deceive" { how: "Which lie." }
    /// A copy of a browser's database is kept.
    Snapshot "snapshot" { browser: "Whose." }
    /// A browser's database is as it was when the copy was made; the page is opened anew.
    Restore "restore" { browser: "Whose." }
}

impl Step {
    /// Whether it does harm, or plans it.
    #[must_use]
    pub fn is_fault(self) -> bool {
        match self {
            Self::Sleep { .. }
            | Self::Away { .. }
            | Self::Wait { .. }
            | Self::Drop { .. }
            | Self::Cut { .. }
            | Self::Mute { .. }
            | Self::Kill { .. }
            | Self::CrashAtCommit { .. }
            | Self::CrashAtOutput { .. }
            | Self::Fill { .. }
            | Self::Jump { .. }
            | Self::RestartRelay {}
            | Self::StopRelay {}
            | Self::Refuse { .. }
            | Self::Double { .. }
            | Self::Deceive { .. }
            | Self::Restore { .. } => true,
            Self::Send { .. }
            | Self::Attach { .. }
            | Self::Timer { .. }
            | Self::Give { .. }
            | Self::SendHistory { .. }
            | Self::Read { .. }
            | Self::Do { .. }
            | Self::Set { .. }
            | Self::Look { .. }
            | Self::Link { .. }
            | Self::Approve { .. }
            | Self::Unlink { .. }
            | Self::Hire { .. }
            | Self::Dismiss { .. }
            | Self::Wish { .. }
            | Self::Answer { .. }
            | Self::Deliver { .. }
            | Self::Flow { .. }
            | Self::Run {}
            | Self::Pass { .. }
            | Self::Reconnect { .. }
            | Self::Unmute { .. }
            | Self::Open { .. }
            | Self::Free { .. }
            | Self::StartRelay {}
            | Self::Batch { .. }
            | Self::Snapshot { .. } => false,
        }
    }

    /// The step of four bytes.
    #[must_use]
    pub fn from_bytes([kind, a, b, c]: [u8; 4]) -> Self {
        let word = Self::WORDS[usize::from(kind) % Self::WORDS.len()];
        Self::new(word, [a, b, c]).expect("all words are words")
    }
}

/// The steps of any bytes, four for each.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<Step> {
    let (chunks, _rest) = bytes.as_chunks::<4>();
    chunks
        .iter()
        .map(|chunk| Step::from_bytes(*chunk))
        .collect()
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, args) = self.parts();
        f.write_str(word)?;
        args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

/// A text that is no step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoStep(pub String);

impl FromStr for Step {
    type Err = NoStep;

    fn from_str(text: &str) -> Result<Self, NoStep> {
        let no_step = || NoStep(text.to_owned());
        let mut words = text.split_whitespace();
        let word = words.next().ok_or_else(no_step)?;
        let mut args = [0; 3];
        for (arg, word) in args.iter_mut().zip(&mut words) {
            *arg = word.parse().map_err(|_| no_step())?;
        }
        Self::new(word, args).ok_or_else(no_step)
    }
}

/// A run: a world, and what is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Of all keys and waits.
    pub seed: u64,
    /// How many people, 1 to 4.
    pub people: u8,
    /// In order.
    pub steps: Vec<Step>,
}

impl Play {
    /// The run of any bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        Self {
            seed: u64::from(*first),
            people: 2 + first % 2,
            steps: decode(rest),
        }
    }
}

/// A line each: the world, then the steps.
impl fmt::Display for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            people,
            steps,
        } = self;
        writeln!(f, "seed {seed}\npeople {people}")?;
        steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// As it is displayed, with comments that begin with `#`.
impl FromStr for Play {
    type Err = NoStep;

    fn from_str(text: &str) -> Result<Self, NoStep> {
        let mut play = Self {
            seed: 0,
            people: 2,
            steps: Vec::new(),
        };
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim());
        for line in lines.filter(|line| !line.is_empty()) {
            let number = |text: &str| {
                text.trim()
                    .parse::<u64>()
                    .map_err(|_| NoStep(line.to_owned()))
            };
            match line.split_once(' ') {
                Some(("seed", n)) => play.seed = number(n)?,
                Some(("people", n)) => {
                    play.people = u8::try_from(number(n)?).map_err(|_| NoStep(line.to_owned()))?;
                }
                _ => play.steps.push(line.parse()?),
            }
        }
        Ok(play)
    }
}
