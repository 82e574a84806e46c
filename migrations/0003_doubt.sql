-- Entries by which a job came into doubt: few, and looked for at each start, among all that there are.
CREATE INDEX journal_doubt ON journal (run) WHERE kind = 'in-doubt';
