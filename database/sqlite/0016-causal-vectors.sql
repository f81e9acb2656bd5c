-- What an embedding model makes of an event. Derived from the events: not exported, made again when the model changes.
CREATE TABLE causal_vectors (
  session_id TEXT NOT NULL,
  event_no   INTEGER NOT NULL,
  -- What made it: vectors of different models are never compared.
  model      TEXT NOT NULL,
  -- 0: the event has no vector, because its text is blank, is refused by the model, or has changed since.
  dimension  INTEGER NOT NULL CHECK (dimension >= 0),
  -- Little-endian 32-bit floats, of length 1 together.
  vector     BLOB NOT NULL CHECK (length(vector) = 4 * dimension),
  -- Of the session's changes (causal_heads): the projection follows vectors as it follows events.
  change_seq INTEGER NOT NULL,
  PRIMARY KEY (session_id, event_no),
  FOREIGN KEY (session_id, event_no) REFERENCES causal_events (session_id, event_no) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX causal_vectors_by_change ON causal_vectors (session_id, change_seq);

-- Through which change of its events each session has been embedded, and by which model.
CREATE TABLE causal_vector_progress (
  session_id  TEXT PRIMARY KEY NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  model       TEXT NOT NULL,
  through_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
