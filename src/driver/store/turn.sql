-- A commit as one statement: `INSERT INTO turn` runs the trigger, and either all of it is there or nothing. Both live
-- in the connection that writes, not in the file. Each column after the heads holds the rows of one kind, a JSON array
-- of arrays, or NULL. Within a row of `turn` the kinds go in the order below; rows of `turn` go one after the other.
CREATE TEMP VIEW turn (
    was_seq, was_hash, under_epoch, seq, hash, journal,
    runs_opened, runs_reopened, runs_ended, attempts_intended, attempts_ended,
    jobs_reopened, jobs_settled, incidents_opened, incidents_closed, stands, starts_missed,
    passwords, tokens_made, tokens_revoked, mail, blobs, trial, taken_in, archived, blobs_let_go, mail_let_go
) AS SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0;

CREATE TEMP TRIGGER turn_is_stored INSTEAD OF INSERT ON turn BEGIN
    UPDATE site_head SET seq = new.seq, hash = new.hash
        WHERE id = 1 AND seq = new.was_seq AND hash = new.was_hash AND epoch = new.under_epoch;
    SELECT RAISE(ABORT, 'the journal does not stand where it was known to stand') WHERE changes() <> 1;

    INSERT INTO journal (seq, run, at, epoch, kind, body, hash)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
        FROM json_each(new.journal);

    INSERT INTO run (id, batch, run_key, number, business_date, trial, anchor, definition, opened, opened_seq,
                     scheduled)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
               value ->> 8, value ->> 9, value ->> 10
        FROM json_each(new.runs_opened);
    UPDATE run SET ended = NULL, result = NULL
        FROM json_each(new.runs_reopened) WHERE run.id = value ->> 0;
    SELECT RAISE(ABORT, 'nothing is stored that this changes: a run to be reopened')
        WHERE changes() <> json_array_length(ifnull(new.runs_reopened, '[]'));
    UPDATE run SET ended = value ->> 1, result = value ->> 2
        FROM json_each(new.runs_ended) WHERE run.id = value ->> 0;
    SELECT RAISE(ABORT, 'nothing is stored that this changes: a run that has ended')
        WHERE changes() <> json_array_length(ifnull(new.runs_ended, '[]'));

    INSERT INTO attempt (run, job, number, batch, trial, host, boot, intended)
        SELECT run.id, value ->> 1, value ->> 2, run.batch, run.trial, value ->> 3, value ->> 4, value ->> 5
        FROM json_each(new.attempts_intended) JOIN run ON run.id = value ->> 0;
    SELECT RAISE(ABORT, 'nothing is stored that this changes: the run of an attempt')
        WHERE changes() <> json_array_length(ifnull(new.attempts_intended, '[]'));
    UPDATE attempt SET started = value ->> 3, ended = value ->> 4, ending = value ->> 5, good = value ->> 6,
                       cpu_us = value ->> 7, max_rss_kib = value ->> 8, output_bytes = value ->> 9
        FROM json_each(new.attempts_ended)
        WHERE run = value ->> 0 AND job = value ->> 1 AND number = value ->> 2;
    SELECT RAISE(ABORT, 'nothing is stored that this changes: an attempt that has ended')
        WHERE changes() <> json_array_length(ifnull(new.attempts_ended, '[]'));

    -- A job may be opened again before it ever was settled.
    DELETE FROM job
        WHERE (run, name) IN (SELECT value ->> 0, value ->> 1 FROM json_each(new.jobs_reopened));
    INSERT INTO job (run, name, outcome, at)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(new.jobs_settled) WHERE true
        ON CONFLICT (run, name) DO UPDATE SET outcome = excluded.outcome, at = excluded.at;

    INSERT INTO incident (id, run, job, opened)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(new.incidents_opened);
    UPDATE incident SET closed = ifnull(closed, value ->> 1)
        FROM json_each(new.incidents_closed) WHERE incident.id = value ->> 0;
    SELECT RAISE(ABORT, 'nothing is stored that this changes: an incident to be closed')
        WHERE changes() <> json_array_length(ifnull(new.incidents_closed, '[]'));

    INSERT INTO standing (key, seq)
        SELECT value ->> 0, value ->> 1 FROM json_each(new.stands) WHERE value ->> 1 IS NOT NULL
        ON CONFLICT (key) DO UPDATE SET seq = excluded.seq;
    DELETE FROM standing
        WHERE key IN (SELECT value ->> 0 FROM json_each(new.stands) WHERE value ->> 1 IS NULL);
    INSERT INTO starts_missed (batch, first, last, count, why, at)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
        FROM json_each(new.starts_missed);

    INSERT INTO password (person, hash, at, set_by)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(new.passwords) WHERE true
        ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, at = excluded.at, set_by = excluded.set_by;
    INSERT INTO token (id, person, name, hash, rights, made, made_by, expires)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
        FROM json_each(new.tokens_made);
    UPDATE token SET revoked = value ->> 1
        FROM json_each(new.tokens_revoked) WHERE token.id = value ->> 0;
    SELECT RAISE(ABORT, 'nothing is stored that this changes: a token to be revoked')
        WHERE changes() <> json_array_length(ifnull(new.tokens_revoked, '[]'));

    INSERT INTO outbox (id, message_id, sender, recipient, encoding, message, not_before, due, tries)
        SELECT (SELECT COALESCE(MAX(id), 0) FROM outbox) + 1 + key,
               value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 5, 0
        FROM json_each(new.mail);
    INSERT INTO blob (address, encoding, content)
        SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(new.blobs) WHERE true
        ON CONFLICT (address) DO NOTHING;
    INSERT INTO trial_clock (run, wall, since_boot)
        SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(new.trial) WHERE true
        ON CONFLICT (run) DO UPDATE SET wall = excluded.wall, since_boot = excluded.since_boot;

    DELETE FROM restoration WHERE new.taken_in IS NOT NULL;
    -- The hashes stay: the chain goes on over them.
    INSERT INTO archive (run, file, digest, bytes, seq, at)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
        FROM json_each(new.archived);
    UPDATE journal SET body = ''
        FROM json_each(new.archived) WHERE journal.run = value ->> 0 AND journal.seq < value ->> 4;
    DELETE FROM attempt WHERE run IN (SELECT value ->> 0 FROM json_each(new.archived));
    DELETE FROM trial_clock WHERE run IN (SELECT value ->> 0 FROM json_each(new.archived));

    DELETE FROM blob WHERE address IN (SELECT value ->> 0 FROM json_each(new.blobs_let_go));
    -- The last one stays, for the numbers of those to come.
    DELETE FROM outbox WHERE sent < (SELECT MAX(value ->> 0) FROM json_each(new.mail_let_go))
        AND id < (SELECT MAX(id) FROM outbox);
END;
