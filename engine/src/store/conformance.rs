//! What every store must do, as one suite: run on the memory store natively and on IndexedDB in browsers.
//! Every read goes through a store opened anew, so that nothing passes by a cache alone.
