-- A database as Outcrop 0.1.0 with schema 1 left it. Never changed: it is what people have.

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

INSERT INTO documents VALUES
    (1, '1', 'r', 'thing', 'a', 'name-a', NULL, 3, CAST('{"n":1}' AS BLOB), 1700000000000000, 1700000000000001),
    (7, '1', 'r', 'thing', 'b', NULL, 'a', 1, CAST('{"n":2}' AS BLOB), 1700000000000002, 1700000000000002);
INSERT INTO changes VALUES (4, '1', 'r', 'thing', 'a', 'updated', 3, 1700000000000001);
INSERT INTO tokens VALUES ('1', 'r', 'CreateThing', 'token', x'01', 'thing', 'a');
INSERT INTO tags VALUES ('1', 'r', 'arn', 'k', 'v');
INSERT INTO counters VALUES ('1', 'r', 'n', 5);
INSERT INTO secrets VALUES
    ('access-key', 'AKIA1', CAST('plain-secret-of-schema-1' AS BLOB)), ('paging', '1', x'0102030405');
INSERT INTO queue VALUES (2, 'work', 1700000000000000, 1, CAST('to do' AS BLOB));

PRAGMA user_version = 1;
PRAGMA application_id = 1333097571;
