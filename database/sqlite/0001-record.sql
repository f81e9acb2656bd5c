-- The record: sessions, conversations, turns, agent states, summaries, background jobs.
-- Times are milliseconds since the epoch, UTC. JSON is text. The primary key of every table that holds session
-- data leads with session_id, and each such table falls with its session (ON DELETE CASCADE).

-- Rows in all, kept as they change, so that nobody has to count. last_session_key never goes back: a key that an
-- erased session had is not given to another one.
CREATE TABLE record_counters (
  name  TEXT PRIMARY KEY NOT NULL,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO record_counters (name, value)
  VALUES ('last_session_key', 0), ('sessions', 0), ('conversations', 0), ('turns', 0), ('pings', 0);

CREATE TABLE sessions (
  session_id         TEXT PRIMARY KEY NOT NULL,
  -- A small stand-in for session_id, for index tables with very many rows.
  session_key        INTEGER NOT NULL UNIQUE,
  -- Null only while the session is being imported.
  token_hash         TEXT UNIQUE,
  -- 'importing': rows are being brought in, and nobody sees the session yet.
  status             TEXT NOT NULL CHECK (status IN ('active', 'archived', 'importing')),
  created_at         INTEGER NOT NULL,
  last_active        INTEGER NOT NULL,
  user_preferences   TEXT NOT NULL,
  initial_context    TEXT,
  -- Also the ordinal of the newest conversation: conversations are not removed one by one.
  conversation_count INTEGER NOT NULL DEFAULT 0,
  total_turns        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_activity ON sessions (last_active, session_id);

CREATE TABLE conversations (
  session_id      TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  conversation_id TEXT NOT NULL,
  ordinal         INTEGER NOT NULL CHECK (ordinal >= 1),
  directive       TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  last_active     INTEGER NOT NULL,
  -- Also the number of the newest turn: turns are not removed one by one.
  turn_count      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id, conversation_id),
  UNIQUE (session_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversations_by_id ON conversations (conversation_id);

-- Clustered by conversation, so that a conversation is read from neighbouring pages however many others there are.
CREATE TABLE turns (
  session_id      TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  turn_number     INTEGER NOT NULL CHECK (turn_number >= 1),
  turn_id         TEXT NOT NULL,
  agent           TEXT NOT NULL CHECK (agent IN ('wykeve', 'beatrice', 'codey')),
  kind            TEXT NOT NULL,
  speaker         TEXT,
  timestamp       INTEGER NOT NULL,
  stored_at       INTEGER NOT NULL,
  cycle_id        TEXT,
  metadata        TEXT NOT NULL,
  content         TEXT NOT NULL,
  PRIMARY KEY (session_id, conversation_id, turn_number),
  UNIQUE (session_id, turn_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_states (
  session_id TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  agent      TEXT NOT NULL CHECK (agent IN ('wykeve', 'beatrice', 'codey')),
  version    INTEGER NOT NULL CHECK (version >= 1),
  state      TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE context_summaries (
  session_id      TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- The conversation's id, or '' for the whole session: a key column cannot be null.
  scope           TEXT NOT NULL,
  version         INTEGER NOT NULL CHECK (version >= 1),
  conversation_id TEXT,
  text            TEXT NOT NULL,
  covers_through  INTEGER NOT NULL,
  first_turn_id   TEXT,
  last_turn_id    TEXT,
  author          TEXT NOT NULL CHECK (author IN ('model', 'person', 'rule')),
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (session_id, scope, version),
  CHECK (scope = coalesce(conversation_id, '')),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  session_id  TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  job_id      TEXT NOT NULL,
  kind        TEXT NOT NULL,
  dedupe_key  TEXT NOT NULL,
  payload     TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('ready', 'running', 'failed')),
  -- How often it was taken up.
  attempts    INTEGER NOT NULL DEFAULT 0,
  run_at      INTEGER NOT NULL,
  -- While it is running: when it becomes due again if nothing more is heard of it.
  lease_until INTEGER,
  last_error  TEXT,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (session_id, job_id),
  CHECK ((state = 'running') = (lease_until IS NOT NULL))
) STRICT, WITHOUT ROWID;
-- One waiting job, and one running one, for each thing to be done.
CREATE UNIQUE INDEX jobs_waiting_once ON jobs (session_id, kind, dedupe_key) WHERE state = 'ready';
CREATE UNIQUE INDEX jobs_running_once ON jobs (session_id, kind, dedupe_key) WHERE state = 'running';
CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE state = 'ready';
CREATE INDEX jobs_leased ON jobs (kind, lease_until) WHERE state = 'running';
CREATE INDEX jobs_by_kind ON jobs (kind, state);

-- The answer to a request that carried an Idempotency-Key: which turns it stored.
CREATE TABLE idempotency_keys (
  session_id        TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  key               TEXT NOT NULL,
  request_hash      TEXT NOT NULL,
  conversation_id   TEXT NOT NULL,
  first_turn_number INTEGER NOT NULL,
  turn_count        INTEGER NOT NULL,
  created_at        INTEGER NOT NULL,
  PRIMARY KEY (session_id, key),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Imports that are not finished: the status that the session will have.
CREATE TABLE pending_imports (
  session_id TEXT PRIMARY KEY NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  status     TEXT NOT NULL CHECK (status IN ('active', 'archived'))
) STRICT, WITHOUT ROWID;
