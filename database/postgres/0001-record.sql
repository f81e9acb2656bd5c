-- The record on PostgreSQL: the tables of database/sqlite, with the differences that many servers at once ask for.
-- Every key leads with session_id, no reference leaves a session, and nothing is unique across sessions, so that the
-- tables can be spread by session_id (docs/scaling.md). Times are milliseconds since the epoch, UTC. JSON is text, as it
-- was written: nothing is asked of it here. Texts compare byte by byte, as SQLite compares them.
-- Whoever writes to a session holds the lock of its row in sessions.

-- Rows in all, kept as they change. One row for each slot, so that writers do not wait for each other; the value is the sum.
CREATE TABLE record_counters (
  name  text COLLATE "C" NOT NULL,
  slot  integer NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (name, slot)
);

CREATE FUNCTION add_to_counter(counter text, amount bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO record_counters AS c (name, slot, value) VALUES (counter, pg_backend_pid() % 64, amount)
    ON CONFLICT (name, slot) DO UPDATE SET value = c.value + excluded.value
$$;

-- A field of an object in JSON, as text; null where there is none, or where it holds what text here cannot (\u0000).
CREATE FUNCTION text_in(object text, field text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN object::json ->> field;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

CREATE TABLE sessions (
  session_id         text COLLATE "C" PRIMARY KEY,
  -- A small stand-in for session_id in derived data (DuckDB); never given to another session.
  session_key        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  -- Null only while the session is being imported.
  token_hash         text COLLATE "C",
  -- 'importing': rows are being brought in, and nobody sees the session yet.
  status             text COLLATE "C" NOT NULL CHECK (status IN ('active', 'archived', 'importing')),
  created_at         bigint NOT NULL,
  last_active        bigint NOT NULL,
  user_preferences   text COLLATE "C" NOT NULL,
  initial_context    text COLLATE "C",
  -- Also the ordinal of the newest conversation: conversations are not removed one by one.
  conversation_count bigint NOT NULL DEFAULT 0,
  total_turns        bigint NOT NULL DEFAULT 0,
  -- The oldest version of the analyser that any of its index entries comes from; 0 when it has none.
  analyser_version   bigint NOT NULL DEFAULT 0,
  -- Conversations that retention took away, and that conversation_count still counts.
  removed_conversations bigint
);
CREATE INDEX sessions_by_token ON sessions (token_hash);
CREATE INDEX sessions_by_key ON sessions (session_key);

CREATE INDEX sessions_by_activity ON sessions (last_active, session_id);

CREATE TABLE conversations (
  session_id      text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  conversation_id text COLLATE "C" NOT NULL,
  ordinal         bigint NOT NULL CHECK (ordinal >= 1),
  directive       text COLLATE "C" NOT NULL,
  created_at      bigint NOT NULL,
  last_active     bigint NOT NULL,
  -- Also the number of the newest turn: turns are not removed one by one.
  turn_count      bigint NOT NULL DEFAULT 0,
  -- Turns that retention took away, and that turn_count still counts.
  removed_turns   bigint,
  PRIMARY KEY (session_id, conversation_id),
  UNIQUE (session_id, ordinal)
);

CREATE INDEX conversations_by_id ON conversations (conversation_id);

CREATE TABLE turns (
  session_id      text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  turn_number     bigint NOT NULL CHECK (turn_number >= 1),
  turn_id         text COLLATE "C" NOT NULL,
  agent           text COLLATE "C" NOT NULL CHECK (agent IN ('wykeve', 'beatrice', 'codey')),
  kind            text COLLATE "C" NOT NULL,
  speaker         text COLLATE "C",
  timestamp       bigint NOT NULL,
  stored_at       bigint NOT NULL,
  cycle_id        text COLLATE "C",
  metadata        text COLLATE "C" NOT NULL,
  content         text COLLATE "C" NOT NULL,
  -- Of the metadata, what rows are looked for by: the thread it was heard in; whether it says what the answer cost; whether
  -- secrets in it were masked.
  thread_key      text COLLATE "C",
  tells_usage     boolean NOT NULL,
  is_masked       boolean NOT NULL,
  PRIMARY KEY (session_id, conversation_id, turn_number),
  UNIQUE (session_id, turn_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE TABLE agent_states (
  session_id text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  agent      text COLLATE "C" NOT NULL CHECK (agent IN ('wykeve', 'beatrice', 'codey')),
  version    bigint NOT NULL CHECK (version >= 1),
  state      text COLLATE "C" NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (session_id, agent)
);

CREATE TABLE context_summaries (
  session_id      text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- The conversation's id, or '' for the whole session: a key column cannot be null.
  scope           text COLLATE "C" NOT NULL,
  version         bigint NOT NULL CHECK (version >= 1),
  conversation_id text COLLATE "C",
  text            text COLLATE "C" NOT NULL,
  covers_through  bigint NOT NULL,
  first_turn_id   text COLLATE "C",
  last_turn_id    text COLLATE "C",
  author          text COLLATE "C" NOT NULL CHECK (author IN ('model', 'person', 'rule')),
  created_at      bigint NOT NULL,
  PRIMARY KEY (session_id, scope, version),
  CHECK (scope = coalesce(conversation_id, '')),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE TABLE jobs (
  session_id  text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  job_id      text COLLATE "C" NOT NULL,
  kind        text COLLATE "C" NOT NULL,
  dedupe_key  text COLLATE "C" NOT NULL,
  payload     text COLLATE "C" NOT NULL,
  state       text COLLATE "C" NOT NULL CHECK (state IN ('ready', 'running', 'failed')),
  -- How often it was taken up.
  attempts    bigint NOT NULL DEFAULT 0,
  run_at      bigint NOT NULL,
  -- While it is running: when it becomes due again if nothing more is heard of it.
  lease_until bigint,
  last_error  text COLLATE "C",
  created_at  bigint NOT NULL,
  PRIMARY KEY (session_id, job_id),
  CHECK ((state = 'running') = (lease_until IS NOT NULL))
);

CREATE UNIQUE INDEX jobs_waiting_once ON jobs (session_id, kind, dedupe_key) WHERE state = 'ready';

CREATE UNIQUE INDEX jobs_running_once ON jobs (session_id, kind, dedupe_key) WHERE state = 'running';

CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE state = 'ready';

CREATE INDEX jobs_leased ON jobs (kind, lease_until) WHERE state = 'running';

CREATE INDEX jobs_by_kind ON jobs (kind, state);

CREATE TABLE idempotency_keys (
  session_id        text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  key               text COLLATE "C" NOT NULL,
  request_hash      text COLLATE "C" NOT NULL,
  conversation_id   text COLLATE "C" NOT NULL,
  first_turn_number bigint NOT NULL,
  turn_count        bigint NOT NULL,
  created_at        bigint NOT NULL,
  PRIMARY KEY (session_id, key),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE TABLE pending_imports (
  session_id text COLLATE "C" PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
  status     text COLLATE "C" NOT NULL CHECK (status IN ('active', 'archived')),
  -- When its last portion came: one that nobody brings to an end is cleared away.
  touched_at bigint NOT NULL
);

CREATE INDEX sessions_by_analyser ON sessions (analyser_version, session_id);

CREATE INDEX turns_by_thread ON turns (session_id, thread_key, stored_at) WHERE thread_key IS NOT NULL;

CREATE INDEX turns_by_kind ON turns (session_id, agent, kind, timestamp);

CREATE INDEX turns_masked ON turns (session_id) WHERE is_masked;

CREATE INDEX turns_by_age ON turns (session_id, least(timestamp, stored_at));
