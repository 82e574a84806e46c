-- What a supervisor that serves for years has to find again.

ALTER TABLE run ADD COLUMN scheduled BIGINT;  -- the start of the schedule that it is; NULL: ordered by people
CREATE INDEX run_scheduled ON run (batch, scheduled) WHERE scheduled IS NOT NULL;

-- Entries that say how something stands which belongs to no run: the last one of each key.
CREATE TABLE standing (
    key     TEXT PRIMARY KEY,          -- kind/name
    seq     BIGINT NOT NULL            -- journal entry
);

-- Starts of schedules that were not made, and will not be: `count` of them from the first to the last.
CREATE TABLE starts_missed (
    batch   TEXT NOT NULL,
    first   BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    count   BIGINT NOT NULL,
    why     TEXT NOT NULL,             -- JSON
    at      BIGINT NOT NULL,           -- when it was told
    PRIMARY KEY (batch, first)
);
