-- Which version of the analyser made the index entries of a session. 0: there are none yet. 1: not known, or the first.
ALTER TABLE sessions ADD COLUMN analyser_version INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET analyser_version = 1;
CREATE INDEX sessions_by_analyser ON sessions (analyser_version, session_id);

-- The version of each entry over turns. While a session is indexed anew it has entries of two versions, and is found by
-- both; then those of the old one are swept away.
ALTER TABLE turn_terms ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- How far a session has been indexed anew.
CREATE TABLE reindex_progress (
  session_id TEXT PRIMARY KEY NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- The version it is being brought to.
  version    INTEGER NOT NULL,
  -- What is being read, and the key of the last row that was.
  phase      TEXT NOT NULL CHECK (phase IN ('turns', 'causal_events', 'facts', 'sweep')),
  position   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
