//! Requests that wait until something is new at a rendezvous.
//! The rules are the relay's own; this holds the answers back as its server does.

use relay::core::{Answer, Asked, Core, Failure, Moment, rendezvous};
use relay::store::Store as _;

use super::{Down, Key, RelayNode, Waiting, answer};

impl RelayNode {
    pub(super) fn write(&mut self, now: u64, asked: &Asked) -> Result<Answer, Failure> {
        self.transaction(now, |core, moment| core.write(moment, asked))
    }

    /// One job of the relay's rules, as one transaction.
    pub(super) fn transaction<T>(
        &mut self,
        now: u64,
        job: impl FnOnce(&Core, &mut Moment<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Self {
            core,
            store,
            quota,
            rendezvous,
            rng,
            ..
        } = self;
        store.transaction(|tx| {
            let mut moment = Moment {
                tx,
                now,
                rng,
                quota,
                rendezvous,
            };
            job(core, &mut moment)
        })
    }

    /// There is nothing yet: answered when there is, or when the time is over.
    pub(super) fn watch(&mut self, now: u64, key: Key, id: u64, asked: Asked) -> Option<Answer> {
        let timeout_s = rendezvous::timeout_s(&asked);
        let what = rendezvous::watched(&asked).filter(|_| timeout_s > 0);
        let Some(what) = what else {
            return Some(Answer::empty(204));
        };
        let until = now + u64::from(timeout_s) * 1000;
        self.waiting.push(Waiting {
            key,
            request: id,
            what,
            asked,
            until,
        });
        None
    }

    pub(super) fn waiting_for(&mut self, what: &str) -> Vec<Waiting> {
        let all = std::mem::take(&mut self.waiting).into_iter();
        let (came, waiting) = all.partition(|waiting| waiting.what == what);
        self.waiting = waiting;
        came
    }

    /// Whoever waits for this looks again.
    pub(super) fn stirred(&mut self, now: u64, what: &str) -> Vec<Down> {
        let mut down = Vec::new();
        for waiting in self.waiting_for(what) {
            match self.write(now, &waiting.asked) {
                Ok(found) if found.status == 204 => self.waiting.push(waiting),
                Ok(mut found) | Err(Failure::Refused(mut found)) => {
                    let path = waiting.asked.endpoint.to_string();
                    if let Some((_, lie)) = self.lie.filter(|(of, _)| path.starts_with(of)) {
                        lie(&mut found.body);
                    }
                    down.push(answer(waiting.key, waiting.request, found));
                }
                Err(Failure::Store(error)) => panic!("memory never fails: {error}"),
            }
        }
        down
    }
}
