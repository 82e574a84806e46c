-- The state of one site. The same SQL runs on SQLite and on PostgreSQL: TEXT, BIGINT and INTEGER only.
-- Times are BIGINT microseconds since 1970 UTC. Ids are TEXT as people write them. Truth values are 0 and 1.

-- Where the journal stands, and who leads. One row; every commit moves it from the head that it knew to its own,
-- under its own epoch, and so finds out whether it still may.
CREATE TABLE site_head (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seq     BIGINT NOT NULL,   -- of the last entry; 0: none
    hash    TEXT NOT NULL,     -- of the last entry, hex; 64 zeros: none
    epoch   BIGINT NOT NULL    -- of the last leadership that was claimed
);
INSERT INTO site_head (id, seq, hash, epoch)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0);

-- Everything decided and observed, in order, never changed. `body` is what counts and what is hashed; the columns
-- beside it are for finding it, and verification compares them with it.
CREATE TABLE journal (
    seq     BIGINT PRIMARY KEY,
    run     TEXT,              -- NULL: belongs to no run
    at      BIGINT NOT NULL,   -- as decided; in a trial by its set clock
    epoch   BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,     -- one line of canonical JSON
    hash    TEXT NOT NULL      -- SHA-256(hash before it, body), hex
);
CREATE INDEX journal_run ON journal (run, seq);

-- The tables `run`, `job`, `attempt` and `incident` follow from the journal. They are here to be asked quickly.
CREATE TABLE run (
    id              TEXT PRIMARY KEY,  -- batch@key#number
    batch           TEXT NOT NULL,
    run_key         TEXT NOT NULL,
    number          INTEGER NOT NULL,  -- from 1 for each batch and key
    business_date   TEXT NOT NULL,     -- YYYY-MM-DD
    trial           INTEGER NOT NULL,  -- 1: counts for nothing but itself
    anchor          BIGINT NOT NULL,
    definition      TEXT NOT NULL,     -- blob that the run goes by
    opened          BIGINT NOT NULL,
    opened_seq      BIGINT NOT NULL,   -- journal entry: the order of runs, whatever the clocks did
    ended           BIGINT,            -- NULL: open
    result          TEXT,
    UNIQUE (batch, run_key, number)
);
CREATE INDEX run_date ON run (batch, business_date, opened_seq);
CREATE INDEX run_order ON run (opened_seq);
CREATE INDEX run_open ON run (opened_seq) WHERE ended IS NULL;

-- How the jobs of a run came out; no row while a job is not settled.
CREATE TABLE job (
    run     TEXT NOT NULL,
    name    TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (run, name)
);

-- Every try. `batch` and `trial` repeat those of the run, so that history is one walk over one index.
CREATE TABLE attempt (
    run             TEXT NOT NULL,
    job             TEXT NOT NULL,
    number          INTEGER NOT NULL,  -- from 1 for each job of the run
    batch           TEXT NOT NULL,
    trial           INTEGER NOT NULL,
    host            TEXT NOT NULL,
    boot            TEXT NOT NULL,     -- boot of the host when it was meant
    intended        BIGINT NOT NULL,
    started         BIGINT,            -- by the host, known at the end; NULL: no program was started
    ended           BIGINT,            -- by the host; NULL: has not ended
    ending          TEXT,              -- JSON
    good            INTEGER,           -- by the job's success rule
    cpu_us          BIGINT,
    max_rss_kib     BIGINT,
    output_bytes    BIGINT,
    PRIMARY KEY (run, job, number)
);
CREATE INDEX attempt_history ON attempt (batch, job, ended) WHERE good = 1 AND trial = 0;

CREATE TABLE incident (
    id      BIGINT PRIMARY KEY,        -- INC-id, counted per site, never used again
    run     TEXT NOT NULL,
    job     TEXT NOT NULL,
    opened  BIGINT NOT NULL,
    closed  BIGINT                     -- NULL: open
);

-- Mail, from the turn that decided it until a server took it. Its bytes never change: each try has the same Message-ID.
CREATE TABLE outbox (
    id          BIGINT PRIMARY KEY,    -- the order of deciding
    message_id  TEXT NOT NULL UNIQUE,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    encoding    TEXT NOT NULL,         -- of `message`: text | hex
    message     TEXT NOT NULL,
    not_before  BIGINT NOT NULL,
    due         BIGINT,                -- next try; NULL: sent or given up
    tries       INTEGER NOT NULL,      -- that failed
    why         TEXT,                  -- the last failed try, in the server's words
    sent        BIGINT,                -- NULL: not sent
    reply       TEXT                   -- of the server that took it
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent IS NULL;

-- Definitions and scripts by their SHA-256, hex: a run executes what is here, whatever is edited meanwhile.
CREATE TABLE blob (
    address     TEXT PRIMARY KEY,
    encoding    TEXT NOT NULL,         -- of `content`: text | hex
    content     TEXT NOT NULL
);

-- How the set clock of a trial stood to its host's at the last commit, in microseconds.
CREATE TABLE trial_clock (
    run         TEXT PRIMARY KEY,
    wall        BIGINT NOT NULL,       -- added to the wall time
    since_boot  BIGINT NOT NULL        -- added to the time since boot
);
