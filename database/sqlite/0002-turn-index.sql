-- The lexical index over turns: one row for each term of each turn, clustered by session and term, so that a question
-- reads only the rows of its own words in its own session. `length` stands in each row to spare a second look-up.
CREATE TABLE turn_terms (
  session_key          INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  term                 TEXT NOT NULL,
  conversation_ordinal INTEGER NOT NULL,
  turn_number          INTEGER NOT NULL,
  count                INTEGER NOT NULL,
  length               INTEGER NOT NULL,
  PRIMARY KEY (session_key, term, conversation_ordinal, turn_number)
) STRICT, WITHOUT ROWID;

-- What BM25 has to know of a session as a whole.
CREATE TABLE turn_index_totals (
  session_key  INTEGER PRIMARY KEY NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  turn_count   INTEGER NOT NULL,
  total_length INTEGER NOT NULL
) STRICT;
