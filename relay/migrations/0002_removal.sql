-- Device ids are handed out in turn, so that the id of a removed device stays unused for as long as there are others.
ALTER TABLE accounts ADD COLUMN last_device INTEGER NOT NULL DEFAULT 1;
UPDATE accounts SET last_device =
    coalesce((SELECT max(device) FROM devices WHERE devices.account = accounts.account), 1);

-- How many envelopes the device has taken out.
ALTER TABLE mailboxes ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

-- A device that fences itself: the sign-in that was agreed to last, and the highest sealing that was accepted.
CREATE TABLE fences (
    account   BLOB NOT NULL,
    device    INTEGER NOT NULL,
    sign_ins  INTEGER NOT NULL,
    seals     INTEGER NOT NULL,
    PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;
