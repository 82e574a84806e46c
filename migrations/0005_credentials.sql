-- What people prove with who they are. No entry of the journal holds any of it: it holds that it was set, made, revoked.

CREATE TABLE password (
    person  TEXT PRIMARY KEY,
    hash    TEXT NOT NULL,             -- argon2id, PHC form
    at      BIGINT NOT NULL,           -- when it was set
    set_by  TEXT NOT NULL
);

CREATE TABLE token (
    id      BIGINT PRIMARY KEY,        -- T-id, counted per site, never used again
    person  TEXT NOT NULL,             -- whose rights it has at the most
    name    TEXT NOT NULL,             -- what it is for, in words
    hash    TEXT NOT NULL UNIQUE,      -- SHA-256 of its secret, hex
    rights  TEXT NOT NULL,             -- JSON
    made    BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT                     -- NULL: it is not
);
