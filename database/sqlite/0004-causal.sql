-- Causal memory: what happened, what led to it, and what somebody took back. Facts like all others; the graph is
-- computed on a projection of these tables (src/causal/projection), which follows causal_heads.change_seq.

-- One row for each session that ever had an event. change_seq goes up with every change in the session and numbers
-- the changed rows; there is no sequence over all sessions. last_event_no never goes back.
CREATE TABLE causal_heads (
  session_id    TEXT PRIMARY KEY NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  change_seq    INTEGER NOT NULL,
  last_event_no INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE causal_events (
  session_id      TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the session, in the order of storing; the small stand-in for event_id in indexes and the projection.
  event_no        INTEGER NOT NULL CHECK (event_no >= 1),
  event_id        TEXT NOT NULL,
  -- Where it comes from. No references: an event outlives the retention of its turn.
  conversation_id TEXT,
  source_turn_id  TEXT,
  text            TEXT NOT NULL,
  -- An agent's name, or the name of the person who did it.
  actor           TEXT,
  happened_at     INTEGER NOT NULL,
  stored_at       INTEGER NOT NULL,
  recorded_by     TEXT NOT NULL CHECK (recorded_by IN ('model', 'rule', 'person')),
  -- 0 until somebody has looked for its causes.
  judged          INTEGER NOT NULL DEFAULT 0 CHECK (judged IN (0, 1)),
  -- When it last helped to answer something; for ranking only, and not a change.
  last_used       INTEGER NOT NULL,
  change_seq      INTEGER NOT NULL,
  PRIMARY KEY (session_id, event_no),
  UNIQUE (session_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX causal_events_by_change ON causal_events (session_id, change_seq);
CREATE INDEX causal_events_by_time ON causal_events (session_id, happened_at, event_no);
CREATE INDEX causal_events_by_actor ON causal_events (session_id, actor, happened_at, event_no);
CREATE INDEX causal_events_by_conversation
  ON causal_events (session_id, conversation_id, happened_at, event_no);

-- cause → effect: one judgement for each ordered pair. The references hold both ends in one session.
CREATE TABLE causal_links (
  session_id  TEXT NOT NULL,
  link_id     TEXT NOT NULL,
  cause_no    INTEGER NOT NULL,
  effect_no   INTEGER NOT NULL,
  relation    TEXT NOT NULL CHECK (relation IN ('caused', 'enabled', 'prevented', 'superseded')),
  confidence  REAL NOT NULL CHECK (confidence >= 0 AND confidence <= 1),
  explanation TEXT NOT NULL,
  judged_by   TEXT NOT NULL CHECK (judged_by IN ('model', 'rule', 'person')),
  stored_at   INTEGER NOT NULL,
  change_seq  INTEGER NOT NULL,
  PRIMARY KEY (session_id, link_id),
  UNIQUE (session_id, cause_no, effect_no),
  CHECK (cause_no <> effect_no),
  FOREIGN KEY (session_id, cause_no) REFERENCES causal_events (session_id, event_no) ON DELETE CASCADE,
  FOREIGN KEY (session_id, effect_no) REFERENCES causal_events (session_id, event_no) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX causal_links_by_effect ON causal_links (session_id, effect_no);
CREATE INDEX causal_links_by_change ON causal_links (session_id, change_seq);

-- What is gone, for the projection to follow; and for a link the pair, so that no judge brings back what a person
-- took away. Holds no text.
CREATE TABLE causal_removals (
  session_id TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  change_seq INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('event', 'link')),
  id         TEXT NOT NULL,
  -- Of an event its number; of a link its two ends.
  cause_no   INTEGER NOT NULL,
  effect_no  INTEGER,
  removed_by TEXT NOT NULL CHECK (removed_by IN ('model', 'rule', 'person')),
  removed_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, change_seq),
  CHECK ((kind = 'link') = (effect_no IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX causal_removals_by_pair ON causal_removals (session_id, cause_no, effect_no) WHERE kind = 'link';

-- The lexical index over events, as turn_terms is over turns.
CREATE TABLE causal_terms (
  session_key INTEGER NOT NULL REFERENCES sessions (session_key) ON DELETE CASCADE,
  term        TEXT NOT NULL,
  event_no    INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  PRIMARY KEY (session_key, term, event_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX causal_terms_by_event ON causal_terms (session_key, event_no);

-- How far each conversation has been read for events.
CREATE TABLE causal_progress (
  session_id      TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  through_turn    INTEGER NOT NULL,
  PRIMARY KEY (session_id, conversation_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Rows in all, kept as they change.
INSERT INTO record_counters (name, value) VALUES ('causal_events', 0), ('causal_links', 0), ('causal_changes', 0);
CREATE TRIGGER causal_events_counted_in AFTER INSERT ON causal_events BEGIN
  UPDATE record_counters SET value = value + 1 WHERE name = 'causal_events';
END;
CREATE TRIGGER causal_events_counted_out AFTER DELETE ON causal_events BEGIN
  UPDATE record_counters SET value = value - 1 WHERE name = 'causal_events';
END;
CREATE TRIGGER causal_links_counted_in AFTER INSERT ON causal_links BEGIN
  UPDATE record_counters SET value = value + 1 WHERE name = 'causal_links';
END;
CREATE TRIGGER causal_links_counted_out AFTER DELETE ON causal_links BEGIN
  UPDATE record_counters SET value = value - 1 WHERE name = 'causal_links';
END;
CREATE TRIGGER causal_heads_counted_in AFTER INSERT ON causal_heads BEGIN
  UPDATE record_counters SET value = value + NEW.change_seq WHERE name = 'causal_changes';
END;
CREATE TRIGGER causal_heads_counted_over AFTER UPDATE OF change_seq ON causal_heads BEGIN
  UPDATE record_counters SET value = value + NEW.change_seq - OLD.change_seq WHERE name = 'causal_changes';
END;
CREATE TRIGGER causal_heads_counted_out AFTER DELETE ON causal_heads BEGIN
  UPDATE record_counters SET value = value - OLD.change_seq WHERE name = 'causal_changes';
END;
