-- The account and the device id are columns of their own everywhere: nothing has to take an address apart.

CREATE TABLE accounts (
    account       BLOB PRIMARY KEY,
    handle        TEXT NOT NULL UNIQUE,
    identity_key  BLOB NOT NULL,
    created       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    account          BLOB NOT NULL,
    device           INTEGER NOT NULL,
    incarnation      INTEGER NOT NULL,
    registration_id  INTEGER NOT NULL,
    name             BLOB NOT NULL,
    password_salt    BLOB NOT NULL,
    password_hash    BLOB NOT NULL,
    created          INTEGER NOT NULL,
    last_seen        INTEGER NOT NULL,
    capabilities     TEXT NOT NULL,
    PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;

-- kind: 0 EC, 1 Kyber. The signed EC prekey and the last-resort Kyber prekey.
CREATE TABLE signed_keys (
    account     BLOB NOT NULL,
    device      INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    key_id      INTEGER NOT NULL,
    public_key  BLOB NOT NULL,
    signature   BLOB NOT NULL,
    PRIMARY KEY (account, device, kind)
) STRICT, WITHOUT ROWID;

-- A row is deleted in the transaction that hands it out.
CREATE TABLE one_time_keys (
    account     BLOB NOT NULL,
    device      INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    key_id      INTEGER NOT NULL,
    public_key  BLOB NOT NULL,
    signature   BLOB NOT NULL,
    PRIMARY KEY (account, device, kind, position)
) STRICT, WITHOUT ROWID;

-- The token itself is not here, only its hash.
CREATE TABLE link_tokens (
    identifier          TEXT PRIMARY KEY,
    account             BLOB NOT NULL,
    expires             INTEGER NOT NULL,
    linked_device       INTEGER,
    linked_incarnation  INTEGER,
    forget_at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_tokens_by_end ON link_tokens (forget_at);

CREATE TABLE mailboxes (
    account    BLOB NOT NULL,
    device     INTEGER NOT NULL,
    clock      INTEGER NOT NULL,
    envelopes  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never used again, so an ack can never hit a later envelope.
CREATE TABLE mail (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    account   BLOB NOT NULL,
    device    INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    envelope  BLOB NOT NULL
) STRICT;
CREATE INDEX mail_by_mailbox ON mail (account, device, seq);
CREATE INDEX mail_by_end ON mail (expires);

CREATE TABLE accepted_bundles (
    account           BLOB NOT NULL,
    device            INTEGER NOT NULL,
    bundle            BLOB NOT NULL,
    server_timestamp  INTEGER NOT NULL,
    forget_at         INTEGER NOT NULL,
    PRIMARY KEY (account, device, bundle)
) STRICT, WITHOUT ROWID;
CREATE INDEX accepted_bundles_by_end ON accepted_bundles (forget_at);
