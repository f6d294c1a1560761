-- Which key seals a row's body: its id, or NULL where the body lies in clear. Secrets never lie in clear.
ALTER TABLE documents ADD COLUMN sealed_by TEXT;
ALTER TABLE secrets ADD COLUMN sealed_by TEXT;
ALTER TABLE queue ADD COLUMN sealed_by TEXT;
CREATE INDEX documents_by_key ON documents (sealed_by) WHERE sealed_by IS NOT NULL;
CREATE INDEX secrets_by_key ON secrets (sealed_by);
CREATE INDEX queue_by_key ON queue (sealed_by) WHERE sealed_by IS NOT NULL;

-- Every key that anything here was ever sealed with; never the key itself.
CREATE TABLE keys (
    id     TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    -- ready: known to a server, never used. current: seals what is written. old: still opens something.
    -- retired: opens nothing here any more, but may open what is in older backups.
    state  TEXT NOT NULL CHECK (state IN ('ready', 'current', 'old', 'retired')),
    source TEXT NOT NULL, -- where it was last seen
    made   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_current ON keys (name) WHERE state = 'current';

-- What a build that does not know this schema may still want to tell: the version that made it.
CREATE TABLE about (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
