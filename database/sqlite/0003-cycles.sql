-- Covenant cycles: the state of each, one row for each step (before its call, with its result after it), and what
-- those who watch it are told.
CREATE TABLE cycles (
  session_id      TEXT NOT NULL,
  cycle_id        TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  status          TEXT NOT NULL,
  outcome         TEXT,
  request         TEXT NOT NULL,
  machine         TEXT NOT NULL,
  -- Goes up with each commit: a writer that was overtaken names an older one and is refused.
  version         INTEGER NOT NULL,
  -- Number of the newest event.
  event_count     INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cycles_by_id ON cycles (cycle_id);
CREATE INDEX cycles_by_time ON cycles (session_id, created_at, cycle_id);

CREATE TABLE cycle_steps (
  session_id  TEXT NOT NULL,
  cycle_id    TEXT NOT NULL,
  step_number INTEGER NOT NULL,
  step_id     TEXT NOT NULL,
  kind        TEXT NOT NULL,
  agent       TEXT,
  round       INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('open', 'done', 'failed')),
  input       TEXT NOT NULL,
  output      TEXT,
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  PRIMARY KEY (session_id, cycle_id, step_number),
  UNIQUE (session_id, cycle_id, step_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE cycle_events (
  session_id TEXT NOT NULL,
  cycle_id   TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  type       TEXT NOT NULL,
  data       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, cycle_id, seq),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Cycles by outcome or status, kept as they change.
CREATE TABLE cycle_counts (
  name  TEXT PRIMARY KEY NOT NULL,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER cycles_counted_in AFTER INSERT ON cycles BEGIN
  INSERT INTO cycle_counts (name, count) VALUES (coalesce(NEW.outcome, NEW.status), 1)
    ON CONFLICT (name) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER cycles_counted_out AFTER DELETE ON cycles BEGIN
  UPDATE cycle_counts SET count = count - 1 WHERE name = coalesce(OLD.outcome, OLD.status);
END;
CREATE TRIGGER cycles_counted_over AFTER UPDATE OF status, outcome ON cycles
  WHEN coalesce(NEW.outcome, NEW.status) <> coalesce(OLD.outcome, OLD.status) BEGIN
  UPDATE cycle_counts SET count = count - 1 WHERE name = coalesce(OLD.outcome, OLD.status);
  INSERT INTO cycle_counts (name, count) VALUES (coalesce(NEW.outcome, NEW.status), 1)
    ON CONFLICT (name) DO UPDATE SET count = count + 1;
END;
