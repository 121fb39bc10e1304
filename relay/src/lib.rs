//! Placeholder card.
//! Filled by the next commit.
