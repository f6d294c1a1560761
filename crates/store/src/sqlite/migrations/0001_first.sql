-- Times are microseconds since 1970. Bodies are opaque bytes.

CREATE TABLE documents (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of every list; never used twice
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    name    TEXT,
    parent  TEXT,
    version INTEGER NOT NULL,
    body    BLOB NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX documents_by_id ON documents (account, region, kind, id);
CREATE UNIQUE INDEX documents_by_name ON documents (account, region, kind, name) WHERE name IS NOT NULL;
-- A page is a range of one of these two, so it costs the same in a long list as in a short one.
CREATE INDEX documents_in_order ON documents (account, region, kind, seq);
CREATE INDEX documents_of_parent ON documents (account, region, kind, parent, seq) WHERE parent IS NOT NULL;

CREATE TABLE changes (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    change  TEXT NOT NULL CHECK (change IN ('created', 'updated', 'deleted')),
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    operation   TEXT NOT NULL,
    token       TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    kind        TEXT NOT NULL, -- kind and id of the document that the request made
    id          TEXT NOT NULL,
    PRIMARY KEY (account, region, operation, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_document ON tokens (account, region, kind, id);

CREATE TABLE tags (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    arn     TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (account, region, arn, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    counter TEXT NOT NULL,
    value   INTEGER NOT NULL,
    PRIMARY KEY (account, region, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    secret BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (
    row     INTEGER PRIMARY KEY AUTOINCREMENT,
    queue   TEXT NOT NULL,
    ready   INTEGER NOT NULL, -- when it may be claimed: at once, or when its lease runs out
    attempt INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT;
CREATE INDEX queue_ready ON queue (queue, ready, row);
