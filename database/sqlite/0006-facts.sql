-- Facts: what is so of someone or something, from when and until when. Nothing is deleted when it ceases to be so; what
-- a person forgets is.
CREATE TABLE facts (
  session_id      TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the order of storing; the small stand-in for fact_id in the index. Of equal times the later one counts.
  fact_no         INTEGER NOT NULL CHECK (fact_no >= 1),
  fact_id         TEXT NOT NULL,
  subject         TEXT NOT NULL,
  attribute       TEXT NOT NULL,
  value           TEXT NOT NULL,
  -- The fact as a sentence.
  text            TEXT NOT NULL,
  -- By these two facts are told to be equal in what they are about, and in what they say.
  subject_key     TEXT NOT NULL,
  attribute_key   TEXT NOT NULL,
  value_key       TEXT NOT NULL,
  -- 1: of this only one can be so at a time, so that a later one takes its place.
  exclusive       INTEGER NOT NULL CHECK (exclusive IN (0, 1)),
  valid_from      INTEGER NOT NULL,
  -- When somebody said that it is so no more.
  ended_at        INTEGER,
  -- The earlier of that and the time at which another fact took its place; null while it holds.
  valid_until     INTEGER,
  superseded_by   TEXT,
  -- Where it comes from. No references: a fact outlives the retention of its turn.
  conversation_id TEXT,
  source_turn_id  TEXT,
  author          TEXT NOT NULL CHECK (author IN ('model', 'rule', 'person')),
  pinned          INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  -- Goes up with each correction.
  version         INTEGER NOT NULL CHECK (version >= 1),
  -- Distinct terms in the index.
  term_count      INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (session_id, fact_no),
  UNIQUE (session_id, fact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_by_key ON facts (session_id, subject_key, attribute_key, valid_from, fact_no);
CREATE INDEX facts_pinned ON facts (session_id, fact_no) WHERE pinned = 1 AND valid_until IS NULL;
CREATE INDEX facts_by_turn ON facts (session_id, source_turn_id) WHERE source_turn_id IS NOT NULL;

-- What a fact said before it was corrected.
CREATE TABLE fact_versions (
  session_id TEXT NOT NULL,
  fact_no    INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  subject    TEXT NOT NULL,
  attribute  TEXT NOT NULL,
  value      TEXT NOT NULL,
  text       TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  ended_at   INTEGER,
  author     TEXT NOT NULL,
  -- When it was corrected.
  until      INTEGER NOT NULL,
  PRIMARY KEY (session_id, fact_no, version),
  FOREIGN KEY (session_id, fact_no) REFERENCES facts (session_id, fact_no) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The lexical index over facts, as turn_terms is over turns.
CREATE TABLE fact_terms (
  session_key INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  term        TEXT NOT NULL,
  fact_no     INTEGER NOT NULL,
  PRIMARY KEY (session_key, term, fact_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_terms_by_fact ON fact_terms (session_key, fact_no);

-- How far each conversation has been read for facts.
CREATE TABLE fact_progress (
  session_id      TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  through_turn    INTEGER NOT NULL,
  PRIMARY KEY (session_id, conversation_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
