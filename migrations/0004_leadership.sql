-- Who leads, where several supervisors share one store. One row; the times are the database's own. A store that one host
-- locks (SQLite) does not use it.
CREATE TABLE lease (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    epoch   BIGINT NOT NULL,   -- that the lease was taken with; 0: never taken
    holder  TEXT NOT NULL,     -- for people: host and process
    expires BIGINT NOT NULL    -- unless it is renewed before; 0: given back
);
INSERT INTO lease (id, epoch, holder, expires) VALUES (1, 0, '', 0);

-- A store on its way to another database (`nightrun store copy`). No row: it is at home here.
CREATE TABLE relocation (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    state   TEXT NOT NULL,     -- arriving: not whole yet, or not released yet; gone: its history goes on elsewhere
    place   TEXT NOT NULL,     -- where it comes from, or where it went
    at      BIGINT NOT NULL
);
