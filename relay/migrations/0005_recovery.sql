-- An account's key, sealed by words that the relay never sees. A new one replaces the one before.
CREATE TABLE recoveries (
    account  BLOB PRIMARY KEY,
    sealed   BLOB NOT NULL,
    made     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
