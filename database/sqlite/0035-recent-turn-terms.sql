-- The terms of what was said last, one row for each turn: put into turn_terms at once, each term would touch a page of its own.
-- When there are some thousand of them in a session they are taken over together.
CREATE TABLE recent_turn_terms (
  session_key          INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  -- That of the session's index (turn_index_versions) which came with the turn: rows are in the order of writing.
  version              INTEGER NOT NULL,
  conversation_ordinal INTEGER NOT NULL,
  turn_number          INTEGER NOT NULL,
  analyser_version     INTEGER NOT NULL,
  -- Joined by line breaks, which no term holds.
  terms                TEXT NOT NULL,
  -- How often each occurs: little-endian 32-bit integers.
  counts               BLOB NOT NULL,
  PRIMARY KEY (session_key, version)
) STRICT, WITHOUT ROWID;

-- How many terms wait there, and up to which version they have been taken over.
ALTER TABLE turn_index_versions ADD COLUMN recent_terms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turn_index_versions ADD COLUMN taken_over INTEGER NOT NULL DEFAULT 0;
