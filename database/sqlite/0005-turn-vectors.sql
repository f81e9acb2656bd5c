-- What an embedding model makes of a turn. Derived from the turns: not exported, made again when the model changes.
CREATE TABLE turn_vectors (
  session_key          INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  conversation_ordinal INTEGER NOT NULL,
  turn_number          INTEGER NOT NULL,
  -- What made it: vectors of different models are never compared.
  model                TEXT NOT NULL,
  dimension            INTEGER NOT NULL,
  -- Little-endian 32-bit floats, of length 1 together.
  vector               BLOB NOT NULL,
  -- 1, 2, 3 … in the order of writing inside the session: whoever has read up to one reads on from there.
  change_no            INTEGER NOT NULL,
  PRIMARY KEY (session_key, conversation_ordinal, turn_number)
) STRICT;
CREATE UNIQUE INDEX turn_vectors_by_change ON turn_vectors (session_key, change_no);

-- How far each conversation has been embedded, and by which model.
CREATE TABLE vector_progress (
  session_id      TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  model           TEXT NOT NULL,
  through_turn    INTEGER NOT NULL,
  PRIMARY KEY (session_id, conversation_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
