-- Request ids, by the retention period in which they were first used, and how often a refusal was repeated.
CREATE TABLE requests (
    period     INTEGER NOT NULL,
    request_id TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    PRIMARY KEY (period, request_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE repeats (
    sequence INTEGER PRIMARY KEY,
    count    INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT;
