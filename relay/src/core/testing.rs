//! A relay core on the memory store, for unit tests.
