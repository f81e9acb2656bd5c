-- The lexical index over turns: one row for each term of each turn, clustered by session and term, so that a question
-- reads only the rows of its own words in its own session.
CREATE TABLE turn_terms (
  session_key          INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  term                 TEXT NOT NULL,
  conversation_ordinal INTEGER NOT NULL,
  turn_number          INTEGER NOT NULL,
  count                INTEGER NOT NULL,
  PRIMARY KEY (session_key, term, conversation_ordinal, turn_number)
) STRICT, WITHOUT ROWID;

-- What ranking has to know of every turn of the session, 64 turns to a row: for each turn three little-endian 32-bit
-- integers (minutes since the epoch; length in terms; speaker code in the high half, traits in the low one). A row
-- for each turn would take longer to read than all the rest of a search.
CREATE TABLE turn_index_blocks (
  session_key          INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  conversation_ordinal INTEGER NOT NULL,
  block                INTEGER NOT NULL,
  entries              BLOB NOT NULL,
  PRIMARY KEY (session_key, conversation_ordinal, block)
) STRICT, WITHOUT ROWID;

-- Names of those who speak in the session, by the code that the blocks use.
CREATE TABLE turn_index_speakers (
  session_key INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  code        INTEGER NOT NULL,
  name        TEXT NOT NULL,
  PRIMARY KEY (session_key, code),
  UNIQUE (session_key, name)
) STRICT, WITHOUT ROWID;
