-- The lexical index over turns: one row for each term of each turn. Index tables have no foreign keys: a check for each of
-- the sixty rows of a turn would cost more than the rows. Whoever erases a session removes them with it.
CREATE TABLE turn_terms (
  session_id           text COLLATE "C" NOT NULL,
  term                 text COLLATE "C" NOT NULL,
  conversation_ordinal integer NOT NULL,
  turn_number          integer NOT NULL,
  count                integer NOT NULL,
  -- Of the analyser that found the term.
  version              integer NOT NULL DEFAULT 1,
  -- With the count a term's places are read from the index alone: in the table they lie far apart.
  PRIMARY KEY (session_id, term, conversation_ordinal, turn_number) INCLUDE (count)
);

-- What ranking has to know of every turn of the session, 64 turns to a row, packed as in src/store/rows/turn-entries.ts.
CREATE TABLE turn_index_blocks (
  session_id           text COLLATE "C" NOT NULL,
  conversation_ordinal integer NOT NULL,
  block                bigint NOT NULL,
  entries              bytea NOT NULL,
  PRIMARY KEY (session_id, conversation_ordinal, block)
);

CREATE TABLE turn_index_speakers (
  session_id  text COLLATE "C" NOT NULL,
  code        bigint NOT NULL,
  name        text COLLATE "C" NOT NULL,
  PRIMARY KEY (session_id, code),
  UNIQUE (session_id, name)
);

CREATE TABLE turn_vectors (
  session_id           text COLLATE "C" NOT NULL,
  conversation_ordinal integer NOT NULL,
  turn_number          integer NOT NULL,
  -- What made it: vectors of different models are never compared.
  model                text COLLATE "C" NOT NULL,
  dimension            integer NOT NULL,
  -- Little-endian 32-bit floats, of length 1 together.
  vector               bytea NOT NULL,
  -- 1, 2, 3 … in the order of writing inside the session: whoever has read up to one reads on from there.
  change_no            bigint NOT NULL,
  PRIMARY KEY (session_id, conversation_ordinal, turn_number)
);

CREATE UNIQUE INDEX turn_vectors_by_change ON turn_vectors (session_id, change_no);

CREATE TABLE vector_progress (
  session_id      text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  model           text COLLATE "C" NOT NULL,
  through_turn    bigint NOT NULL,
  PRIMARY KEY (session_id, conversation_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE TABLE reindex_progress (
  session_id text COLLATE "C" PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- The version it is being brought to.
  version    bigint NOT NULL,
  -- What is being read, and the key of the last row that was.
  phase      text COLLATE "C" NOT NULL CHECK (phase IN ('turns', 'causal_events', 'facts', 'sweep')),
  position   text COLLATE "C" NOT NULL
);
