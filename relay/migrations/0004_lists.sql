-- The account's signed device list; empty: it has none.
ALTER TABLE accounts ADD COLUMN list BLOB NOT NULL DEFAULT x'';

-- Of a device with an identity key of its own; empty: it has the account's.
ALTER TABLE devices ADD COLUMN certificate BLOB NOT NULL DEFAULT x'';

-- The id that the new device will have; 0: it was not chosen in advance.
ALTER TABLE link_tokens ADD COLUMN device INTEGER NOT NULL DEFAULT 0;
