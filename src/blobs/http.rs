//! Requests to the relay over HTTP, one at a time: given up when they hang, ended when the page says so, and asked
//! again while that may help. What they are about is not known here.

use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit,
    RequestRedirect, Response,
};
use wire::body::{Refusal, from_json};

use super::{Access, Fault, Watch, bytes};
use crate::clock::Timer;
use crate::network::NetworkWatch;
use crate::signal::Signal;

#[wasm_bindgen]
extern "C" {
    // Pages and workers have it under the same name.
    #[wasm_bindgen(js_name = fetch, catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// A request without an answer for so long has died unnoticed. A slice at 20 KB/s is faster.
const HANGS_MS: u64 = 60_000;
/// First wait after a failure; doubles with each.
const WAIT_MIN_MS: u64 = 500;
/// Longest such wait, also where the relay names one.
const WAIT_MAX_MS: u64 = 30_000;
/// Failures in a row, some two minutes; then the caller decides.
const FAILURES_MAX: u32 = 9;

/// What is asked.
pub(super) struct Request<'a> {
    pub(super) verb: &'static str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: Option<&'a [u8]>,
}

/// What was answered, whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    headers: Headers,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).ok()?
    }

    pub(super) fn code(&self) -> Option<String> {
        Some(from_json::<Refusal>(&self.body).ok()?.code)
    }

    fn retry_after_s(&self) -> Option<u64> {
        self.header("retry-after")?.parse().ok()
    }

    /// For whatever is not expected: a fault, or the wait after which to ask again.
    pub(super) fn refusal(&self) -> Result<Option<u64>, Fault> {
        let code = self.code();
        match (self.status, code.as_deref()) {
            (401, _) => Err(Fault::SignedOut),
            (404, _) | (409, Some("blob_taken")) => Err(Fault::Gone),
            (413, _) => Err(Fault::TooLarge),
            (422, Some("blob_digest")) => Err(Fault::Changed),
            (429, Some("blob_quota")) => Err(Fault::Quota {
                retry_after_s: self.retry_after_s().unwrap_or_default(),
            }),
            (408 | 409 | 429 | 500..=599, _) => Ok(self.retry_after_s()),
            (status, _) => Err(Fault::Refused { status }),
        }
    }
}

/// No answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Lost,
    Aborted,
}

/// Asks, and waits in between.
pub(super) struct Http<'a> {
    access: &'a Access,
    watch: &'a Watch<'a>,
    /// The page wants it to end, or the network may be back.
    signal: Rc<Signal>,
    on_abort: Closure<dyn FnMut()>,
    _network: NetworkWatch,
}

impl<'a> Http<'a> {
    pub(super) fn new(access: &'a Access, watch: &'a Watch<'a>) -> Self {
        let signal = Rc::new(Signal::default());
        let on_abort = {
            let signal = Rc::clone(&signal);
            Closure::<dyn FnMut()>::new(move || signal.raise())
        };
        if let Some(abort) = &watch.abort {
            let listener = on_abort.as_ref().unchecked_ref();
            // Where that fails it is noticed at the next slice.
            drop(abort.add_event_listener_with_callback("abort", listener));
        }
        Self {
            access,
            watch,
            _network: NetworkWatch::new(&signal),
            signal,
            on_abort,
        }
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.watch
            .abort
            .as_ref()
            .is_some_and(|abort| abort.aborted())
    }

    /// Asks until there is an answer with one of these statuses, or with one of these codes.
    pub(super) async fn ask(
        &self,
        request: &Request<'_>,
        expected: &[u16],
        codes: &[&str],
    ) -> Result<Answer, Fault> {
        let mut patience = Patience::default();
        loop {
            let wait_s = match self.once(request).await {
                Ok(answer) if expected.contains(&answer.status) => return Ok(answer),
                Ok(answer)
                    if answer
                        .code()
                        .is_some_and(|code| codes.contains(&code.as_str())) =>
                {
                    return Ok(answer);
                }
                Ok(answer) => answer.refusal()?,
                Err(Broken::Lost) => None,
                Err(Broken::Aborted) => return Err(Fault::Aborted),
            };
            patience.wait(self, wait_s).await?;
        }
    }

    /// Asks once.
    pub(super) async fn once(&self, request: &Request<'_>) -> Result<Answer, Broken> {
        if self.is_aborted() {
            return Err(Broken::Aborted);
        }
        let ending = Ending(AbortController::new().map_err(|_| Broken::Lost)?);
        let init = self.init(request, &ending).map_err(|_| Broken::Lost)?;
        let url = self.access.relay.http_url(request.path);
        let mut answer = pin!(whole(&url, &init));
        let mut hangs = Timer::after_ms(HANGS_MS);
        loop {
            let raised = pin!(self.signal.raised());
            match select(answer.as_mut(), select(&mut hangs, raised)).await {
                Either::Left((answer, _)) => return answer.map_err(|_| Broken::Lost),
                Either::Right((Either::Left(_), _)) => return Err(Broken::Lost),
                Either::Right((Either::Right(_), _)) if self.is_aborted() => {
                    return Err(Broken::Aborted);
                }
                Either::Right((Either::Right(_), _)) => {}
            }
        }
    }

    fn init(&self, request: &Request<'_>, ending: &Ending) -> Result<RequestInit, JsValue> {
        let headers = Headers::new()?;
        for (name, value) in request.headers {
            headers.set(name, value)?;
        }
        if let Some(value) = &self.access.authorization {
            headers.set("authorization", value)?;
        }
        let init = RequestInit::new();
        init.set_method(request.verb);
        init.set_headers(&headers);
        if let Some(body) = request.body {
            init.set_body(&Uint8Array::from(body));
        }
        init.set_signal(Some(&ending.0.signal()));
        // What the browser would add by itself is nobody's business, and credentials go nowhere else.
        init.set_credentials(RequestCredentials::Omit);
        init.set_cache(RequestCache::NoStore);
        init.set_redirect(RequestRedirect::Error);
        init.set_referrer_policy(ReferrerPolicy::NoReferrer);
        Ok(init)
    }
}

impl Drop for Http<'_> {
    fn drop(&mut self) {
        if let Some(abort) = &self.watch.abort {
            let listener = self.on_abort.as_ref().unchecked_ref();
            // It does not fail for a listener that was added.
            drop(abort.remove_event_listener_with_callback("abort", listener));
        }
    }
}

/// A request that nobody waits for any more is ended; one that is over is not changed by that.
struct Ending(AbortController);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn whole(url: &str, init: &RequestInit) -> Result<Answer, JsValue> {
    let response: Response = JsFuture::from(fetch(url, init)?).await?.dyn_into()?;
    Ok(Answer {
        status: response.status(),
        body: bytes(response.array_buffer()?).await?,
        headers: response.headers(),
    })
}

/// How many failures there were in a row.
#[derive(Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// It went on meanwhile.
    pub(super) const fn renew(&mut self) {
        self.failures = 0;
    }

    /// Waits longer each time, but not while the network comes back, and not for ever.
    pub(super) async fn wait(&mut self, http: &Http<'_>, wait_s: Option<u64>) -> Result<(), Fault> {
        self.failures += 1;
        if self.failures > FAILURES_MAX {
            return Err(Fault::Lost);
        }
        let grown = WAIT_MIN_MS << (self.failures - 1);
        let named = wait_s.unwrap_or_default().saturating_mul(1000);
        let timer = Timer::after_ms(grown.max(named).min(WAIT_MAX_MS));
        let raised = pin!(http.signal.raised());
        select(timer, raised).await;
        if http.is_aborted() {
            return Err(Fault::Aborted);
        }
        Ok(())
    }
}
