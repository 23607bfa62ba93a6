-- The journal: one row for each command with the events that followed, chained by hashes.
CREATE TABLE journal (
    sequence   INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    market     TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    body       BLOB    NOT NULL,
    hash       BLOB    NOT NULL
) STRICT;

CREATE INDEX journal_recycled ON journal (sequence) WHERE kind = 'recycle';
