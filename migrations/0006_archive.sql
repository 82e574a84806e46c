-- Runs that were archived: their entries in `journal` keep place and hash and have no body, their attempts are gone. The
-- rows of the run and its jobs stay: lists, numbers, outcomes and starts follow from them.
CREATE TABLE archive (
    run     TEXT PRIMARY KEY,
    file    TEXT NOT NULL,     -- in the folder of archives
    digest  TEXT NOT NULL,     -- SHA-256 of the file, hex
    bytes   BIGINT NOT NULL,
    seq     BIGINT NOT NULL,   -- journal entry that says so
    at      BIGINT NOT NULL
);

-- A store that was restored from a backup. One row until a person has taken in what it lacks: nobody leads with it
-- before.
CREATE TABLE restoration (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    made    BIGINT NOT NULL,   -- when the backup was made
    at      BIGINT NOT NULL    -- when it was restored
);
