-- A commit as one statement: it is a transaction by itself, and takes one way to the server and back. The function is of
-- the connection that writes, not of the database: each version of nightrun brings its own. Each of `parts` holds the
-- rows of one kind, a JSON array of arrays, or NULL; twenty-two kinds are a batch, in the order below, and batches go one
-- after the other.
CREATE FUNCTION pg_temp.turn(
    was_seq bigint, was_hash text, under_epoch bigint, next_seq bigint, next_hash text, parts text[]
) RETURNS void LANGUAGE plpgsql AS $turn$
#variable_conflict use_column
DECLARE
    kinds CONSTANT integer := 22;
    p jsonb[];
    done bigint;
BEGIN
    -- Who waits here for another's commit finds the head moved when it is over.
    UPDATE site_head SET seq = next_seq, hash = next_hash
        WHERE id = 1 AND seq = was_seq AND hash = was_hash AND epoch = under_epoch;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the journal does not stand where it was known to stand' USING ERRCODE = 'NR001';
    END IF;

    FOR batch IN 0 .. coalesce(array_length(parts, 1), 0) / kinds - 1 LOOP
        FOR kind IN 1 .. kinds LOOP
            p[kind] := parts[batch * kinds + kind]::jsonb;
        END LOOP;

        IF p[1] IS NOT NULL THEN
            INSERT INTO journal (seq, run, at, epoch, kind, body, hash)
                SELECT (v ->> 0)::bigint, v ->> 1, (v ->> 2)::bigint, (v ->> 3)::bigint, v ->> 4, v ->> 5, v ->> 6
                FROM jsonb_array_elements(p[1]) AS v;
        END IF;

        IF p[2] IS NOT NULL THEN
            INSERT INTO run (id, batch, run_key, number, business_date, trial, anchor, definition, opened, opened_seq,
                             scheduled)
                SELECT v ->> 0, v ->> 1, v ->> 2, (v ->> 3)::integer, v ->> 4, (v ->> 5)::integer, (v ->> 6)::bigint,
                       v ->> 7, (v ->> 8)::bigint, (v ->> 9)::bigint, (v ->> 10)::bigint
                FROM jsonb_array_elements(p[2]) AS v;
        END IF;
        IF p[3] IS NOT NULL THEN
            UPDATE run SET ended = NULL, result = NULL
                FROM jsonb_array_elements(p[3]) AS v WHERE run.id = v ->> 0;
            GET DIAGNOSTICS done = ROW_COUNT;
            PERFORM pg_temp.all_of(p[3], done, 'a run to be reopened');
        END IF;
        IF p[4] IS NOT NULL THEN
            UPDATE run SET ended = (v ->> 1)::bigint, result = v ->> 2
                FROM jsonb_array_elements(p[4]) AS v WHERE run.id = v ->> 0;
            GET DIAGNOSTICS done = ROW_COUNT;
            PERFORM pg_temp.all_of(p[4], done, 'a run that has ended');
        END IF;

        IF p[5] IS NOT NULL THEN
            INSERT INTO attempt (run, job, number, batch, trial, host, boot, intended)
                SELECT run.id, v ->> 1, (v ->> 2)::integer, run.batch, run.trial, v ->> 3, v ->> 4, (v ->> 5)::bigint
                FROM jsonb_array_elements(p[5]) AS v JOIN run ON run.id = v ->> 0;
            GET DIAGNOSTICS done = ROW_COUNT;
            PERFORM pg_temp.all_of(p[5], done, 'the run of an attempt');
        END IF;
        IF p[6] IS NOT NULL THEN
            UPDATE attempt SET started = (v ->> 3)::bigint, ended = (v ->> 4)::bigint, ending = v ->> 5,
                               good = (v ->> 6)::integer, cpu_us = (v ->> 7)::bigint,
                               max_rss_kib = (v ->> 8)::bigint, output_bytes = (v ->> 9)::bigint
                FROM jsonb_array_elements(p[6]) AS v
                WHERE run = v ->> 0 AND job = v ->> 1 AND number = (v ->> 2)::integer;
            GET DIAGNOSTICS done = ROW_COUNT;
            PERFORM pg_temp.all_of(p[6], done, 'an attempt that has ended');
        END IF;

        -- A job may be opened again before it ever was settled.
        IF p[7] IS NOT NULL THEN
            DELETE FROM job USING jsonb_array_elements(p[7]) AS v WHERE run = v ->> 0 AND name = v ->> 1;
        END IF;
        IF p[8] IS NOT NULL THEN
            INSERT INTO job (run, name, outcome, at)
                SELECT v ->> 0, v ->> 1, v ->> 2, (v ->> 3)::bigint FROM jsonb_array_elements(p[8]) AS v
                ON CONFLICT (run, name) DO UPDATE SET outcome = excluded.outcome, at = excluded.at;
        END IF;

        IF p[9] IS NOT NULL THEN
            INSERT INTO incident (id, run, job, opened)
                SELECT (v ->> 0)::bigint, v ->> 1, v ->> 2, (v ->> 3)::bigint FROM jsonb_array_elements(p[9]) AS v;
        END IF;
        IF p[10] IS NOT NULL THEN
            UPDATE incident SET closed = coalesce(closed, (v ->> 1)::bigint)
                FROM jsonb_array_elements(p[10]) AS v WHERE incident.id = (v ->> 0)::bigint;
            GET DIAGNOSTICS done = ROW_COUNT;
            PERFORM pg_temp.all_of(p[10], done, 'an incident to be closed');
        END IF;

        IF p[11] IS NOT NULL THEN
            INSERT INTO standing (key, seq)
                SELECT v ->> 0, (v ->> 1)::bigint FROM jsonb_array_elements(p[11]) AS v
                WHERE v ->> 1 IS NOT NULL
                ON CONFLICT (key) DO UPDATE SET seq = excluded.seq;
            DELETE FROM standing
                WHERE key IN (SELECT v ->> 0 FROM jsonb_array_elements(p[11]) AS v WHERE v ->> 1 IS NULL);
        END IF;
        IF p[12] IS NOT NULL THEN
            INSERT INTO starts_missed (batch, first, last, count, why, at)
                SELECT v ->> 0, (v ->> 1)::bigint, (v ->> 2)::bigint, (v ->> 3)::bigint, v ->> 4, (v ->> 5)::bigint
                FROM jsonb_array_elements(p[12]) AS v;
        END IF;

        IF p[13] IS NOT NULL THEN
            INSERT INTO password (person, hash, at, set_by)
                SELECT v ->> 0, v ->> 1, (v ->> 2)::bigint, v ->> 3 FROM jsonb_array_elements(p[13]) AS v
                ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, at = excluded.at, set_by = excluded.set_by;
        END IF;
        IF p[14] IS NOT NULL THEN
            INSERT INTO token (id, person, name, hash, rights, made, made_by, expires)
                SELECT (v ->> 0)::bigint, v ->> 1, v ->> 2, v ->> 3, v ->> 4, (v ->> 5)::bigint, v ->> 6,
                       (v ->> 7)::bigint
                FROM jsonb_array_elements(p[14]) AS v;
        END IF;
        IF p[15] IS NOT NULL THEN
            UPDATE token SET revoked = (v ->> 1)::bigint
                FROM jsonb_array_elements(p[15]) AS v WHERE token.id = (v ->> 0)::bigint;
            GET DIAGNOSTICS done = ROW_COUNT;
            PERFORM pg_temp.all_of(p[15], done, 'a token to be revoked');
        END IF;

        IF p[16] IS NOT NULL THEN
            INSERT INTO outbox (id, message_id, sender, recipient, encoding, message, not_before, due, tries)
                SELECT (SELECT coalesce(max(id), 0) FROM outbox) + nth, v ->> 0, v ->> 1, v ->> 2, v ->> 3, v ->> 4,
                       (v ->> 5)::bigint, (v ->> 5)::bigint, 0
                FROM jsonb_array_elements(p[16]) WITH ORDINALITY AS part (v, nth);
        END IF;
        IF p[17] IS NOT NULL THEN
            INSERT INTO blob (address, encoding, content)
                SELECT v ->> 0, v ->> 1, v ->> 2 FROM jsonb_array_elements(p[17]) AS v
                ON CONFLICT (address) DO NOTHING;
        END IF;
        IF p[18] IS NOT NULL THEN
            INSERT INTO trial_clock (run, wall, since_boot)
                SELECT v ->> 0, (v ->> 1)::bigint, (v ->> 2)::bigint FROM jsonb_array_elements(p[18]) AS v
                ON CONFLICT (run) DO UPDATE SET wall = excluded.wall, since_boot = excluded.since_boot;
        END IF;

        IF p[19] IS NOT NULL THEN
            DELETE FROM restoration;
        END IF;
        -- The hashes stay: the chain goes on over them.
        IF p[20] IS NOT NULL THEN
            INSERT INTO archive (run, file, digest, bytes, seq, at)
                SELECT v ->> 0, v ->> 1, v ->> 2, (v ->> 3)::bigint, (v ->> 4)::bigint, (v ->> 5)::bigint
                FROM jsonb_array_elements(p[20]) AS v;
            UPDATE journal SET body = ''
                FROM jsonb_array_elements(p[20]) AS v
                WHERE journal.run = v ->> 0 AND journal.seq < (v ->> 4)::bigint;
            DELETE FROM attempt USING jsonb_array_elements(p[20]) AS v WHERE attempt.run = v ->> 0;
            DELETE FROM trial_clock USING jsonb_array_elements(p[20]) AS v WHERE trial_clock.run = v ->> 0;
        END IF;

        IF p[21] IS NOT NULL THEN
            DELETE FROM blob USING jsonb_array_elements(p[21]) AS v WHERE blob.address = v ->> 0;
        END IF;
        -- The last one stays, for the numbers of those to come.
        IF p[22] IS NOT NULL THEN
            DELETE FROM outbox USING jsonb_array_elements(p[22]) AS v
                WHERE sent < (v ->> 0)::bigint AND id < (SELECT max(id) FROM outbox);
        END IF;
    END LOOP;
END $turn$;

CREATE FUNCTION pg_temp.all_of(wanted jsonb, done bigint, what text) RETURNS void LANGUAGE plpgsql AS $all_of$
BEGIN
    IF done <> jsonb_array_length(wanted) THEN
        RAISE EXCEPTION 'nothing is stored that this changes: %', what USING ERRCODE = 'NR002';
    END IF;
END $all_of$;
