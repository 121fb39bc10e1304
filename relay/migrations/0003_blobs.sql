-- The bytes are in files. A row without an owner is of an account that is gone; without a hash it is an upload.
CREATE TABLE blobs (
    blob    BLOB PRIMARY KEY,
    owner   BLOB,
    size    INTEGER NOT NULL,
    sha256  BLOB,
    ends    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_by_end ON blobs (ends);
CREATE INDEX blobs_by_owner ON blobs (owner);

-- How much an account has begun to upload since when.
CREATE TABLE blob_use (
    account  BLOB PRIMARY KEY,
    since    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
