-- Lessons: what an agent is to keep in mind next time. Learned from issues that were settled, or given by the person.
CREATE TABLE lessons (
  session_id       TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the order of storing.
  lesson_no        INTEGER NOT NULL CHECK (lesson_no >= 1),
  lesson_id        TEXT NOT NULL,
  agent            TEXT NOT NULL CHECK (agent IN ('beatrice', 'codey')),
  -- For what kind of work it is; empty for the words of the text itself.
  trigger_text     TEXT NOT NULL,
  text             TEXT NOT NULL,
  -- A deleted one is a tombstone: its hash alone is kept, so that it is not learned again.
  status           TEXT NOT NULL CHECK (status IN ('candidate', 'active', 'retired', 'deleted')),
  pinned           INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  author           TEXT NOT NULL CHECK (author IN ('model', 'person')),
  -- [{"cycle_id": …, "issue_ids": […]}]. No references: a lesson outlives the retention of its cycles.
  evidence         TEXT NOT NULL,
  -- Of the normalised text.
  hash             TEXT NOT NULL,
  -- Cycles in which it was chosen: how many went with it and how many without, and whose first draft was approved.
  with_trials      INTEGER NOT NULL DEFAULT 0 CHECK (with_trials >= 0),
  with_approved    INTEGER NOT NULL DEFAULT 0 CHECK (with_approved BETWEEN 0 AND with_trials),
  without_trials   INTEGER NOT NULL DEFAULT 0 CHECK (without_trials >= 0),
  without_approved INTEGER NOT NULL DEFAULT 0 CHECK (without_approved BETWEEN 0 AND without_trials),
  -- Goes up with each change of its words, its status or its pin.
  version          INTEGER NOT NULL CHECK (version >= 1),
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  PRIMARY KEY (session_id, lesson_no),
  UNIQUE (session_id, lesson_id),
  UNIQUE (session_id, agent, hash)
) STRICT, WITHOUT ROWID;

-- What a lesson was before it was changed.
CREATE TABLE lesson_versions (
  session_id   TEXT NOT NULL,
  lesson_no    INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  trigger_text TEXT NOT NULL,
  text         TEXT NOT NULL,
  status       TEXT NOT NULL,
  pinned       INTEGER NOT NULL,
  author       TEXT NOT NULL,
  -- When it was changed.
  until        INTEGER NOT NULL,
  PRIMARY KEY (session_id, lesson_no, version),
  FOREIGN KEY (session_id, lesson_no) REFERENCES lessons (session_id, lesson_no) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Cycles that have been learned from: each counts once.
CREATE TABLE lesson_cycles (
  session_id TEXT NOT NULL,
  cycle_id   TEXT NOT NULL,
  learned_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
