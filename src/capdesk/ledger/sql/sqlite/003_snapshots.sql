-- The state as of an entry, so that opening reads the tail of the journal only.
CREATE TABLE snapshots (
    sequence INTEGER PRIMARY KEY,
    format   INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    digest   BLOB    NOT NULL
) STRICT;
