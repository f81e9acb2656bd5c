-- Whoever has read a session's blocks sees here whether they have changed since, and which. The version is counted up
-- with each block that is written; the epoch where blocks or names are taken away, which leaves nothing to compare.
CREATE TABLE turn_index_versions (
  session_key INTEGER PRIMARY KEY NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  version     INTEGER NOT NULL,
  epoch       INTEGER NOT NULL
) STRICT;

ALTER TABLE turn_index_blocks ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX turn_index_blocks_by_version ON turn_index_blocks (session_key, version);
