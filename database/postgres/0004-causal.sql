-- Causal memory: events, links, what was removed, and the index over the texts of events.
CREATE TABLE causal_heads (
  session_id    text COLLATE "C" PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
  change_seq    bigint NOT NULL,
  last_event_no bigint NOT NULL
);

CREATE TABLE causal_events (
  session_id      text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the session, in the order of storing; the small stand-in for event_id in indexes and the projection.
  event_no        bigint NOT NULL CHECK (event_no >= 1),
  event_id        text COLLATE "C" NOT NULL,
  -- Where it comes from. No references: an event outlives the retention of its turn.
  conversation_id text COLLATE "C",
  source_turn_id  text COLLATE "C",
  text            text COLLATE "C" NOT NULL,
  -- An agent's name, or the name of the person who did it.
  actor           text COLLATE "C",
  happened_at     bigint NOT NULL,
  stored_at       bigint NOT NULL,
  recorded_by     text COLLATE "C" NOT NULL CHECK (recorded_by IN ('model', 'rule', 'person')),
  -- 0 until somebody has looked for its causes.
  judged          smallint NOT NULL DEFAULT 0 CHECK (judged IN (0, 1)),
  -- When it last helped to answer something; for ranking only, and not a change.
  last_used       bigint NOT NULL,
  change_seq      bigint NOT NULL,
  PRIMARY KEY (session_id, event_no),
  UNIQUE (session_id, event_id)
);

CREATE INDEX causal_events_by_change ON causal_events (session_id, change_seq);

CREATE INDEX causal_events_by_time ON causal_events (session_id, happened_at, event_no);

CREATE INDEX causal_events_by_actor ON causal_events (session_id, actor, happened_at, event_no);

CREATE INDEX causal_events_by_conversation
  ON causal_events (session_id, conversation_id, happened_at, event_no);

CREATE TABLE causal_links (
  session_id  text COLLATE "C" NOT NULL,
  link_id     text COLLATE "C" NOT NULL,
  cause_no    bigint NOT NULL,
  effect_no   bigint NOT NULL,
  relation    text COLLATE "C" NOT NULL CHECK (relation IN ('caused', 'enabled', 'prevented', 'superseded')),
  confidence  double precision NOT NULL CHECK (confidence >= 0 AND confidence <= 1),
  explanation text COLLATE "C" NOT NULL,
  judged_by   text COLLATE "C" NOT NULL CHECK (judged_by IN ('model', 'rule', 'person')),
  stored_at   bigint NOT NULL,
  change_seq  bigint NOT NULL,
  PRIMARY KEY (session_id, link_id),
  UNIQUE (session_id, cause_no, effect_no),
  CHECK (cause_no <> effect_no),
  FOREIGN KEY (session_id, cause_no) REFERENCES causal_events (session_id, event_no) ON DELETE CASCADE,
  FOREIGN KEY (session_id, effect_no) REFERENCES causal_events (session_id, event_no) ON DELETE CASCADE
);

CREATE INDEX causal_links_by_effect ON causal_links (session_id, effect_no);

CREATE INDEX causal_links_by_change ON causal_links (session_id, change_seq);

CREATE TABLE causal_removals (
  session_id text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  change_seq bigint NOT NULL,
  kind       text COLLATE "C" NOT NULL CHECK (kind IN ('event', 'link')),
  id         text COLLATE "C" NOT NULL,
  -- Of an event its number; of a link its two ends.
  cause_no   bigint NOT NULL,
  effect_no  bigint,
  removed_by text COLLATE "C" NOT NULL CHECK (removed_by IN ('model', 'rule', 'person')),
  removed_at bigint NOT NULL,
  PRIMARY KEY (session_id, change_seq),
  CHECK ((kind = 'link') = (effect_no IS NOT NULL))
);

CREATE INDEX causal_removals_by_pair ON causal_removals (session_id, cause_no, effect_no) WHERE kind = 'link';

CREATE TABLE causal_terms (
  session_id  text COLLATE "C" NOT NULL,
  term        text COLLATE "C" NOT NULL,
  event_no    bigint NOT NULL,
  count       bigint NOT NULL,
  PRIMARY KEY (session_id, term, event_no)
);

CREATE INDEX causal_terms_by_event ON causal_terms (session_id, event_no);

CREATE TABLE causal_progress (
  session_id      text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  through_turn    bigint NOT NULL,
  PRIMARY KEY (session_id, conversation_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE INDEX causal_links_enabling ON causal_links (session_id, cause_no) WHERE relation = 'enabled';

CREATE TABLE causal_vectors (
  session_id text COLLATE "C" NOT NULL,
  event_no   bigint NOT NULL,
  -- What made it: vectors of different models are never compared.
  model      text COLLATE "C" NOT NULL,
  -- 0: the event has no vector, because its text is blank, is refused by the model, or has changed since.
  dimension  bigint NOT NULL CHECK (dimension >= 0),
  -- Little-endian 32-bit floats, of length 1 together.
  vector     bytea NOT NULL CHECK (length(vector) = 4 * dimension),
  -- Of the session's changes (causal_heads): the projection follows vectors as it follows events.
  change_seq bigint NOT NULL,
  PRIMARY KEY (session_id, event_no),
  FOREIGN KEY (session_id, event_no) REFERENCES causal_events (session_id, event_no) ON DELETE CASCADE
);

CREATE UNIQUE INDEX causal_vectors_by_change ON causal_vectors (session_id, change_seq);

CREATE TABLE causal_vector_progress (
  session_id  text COLLATE "C" PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
  model       text COLLATE "C" NOT NULL,
  through_seq bigint NOT NULL
);

CREATE INDEX causal_events_by_age ON causal_events (session_id, least(happened_at, stored_at));

CREATE FUNCTION count_causal_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_to_counter(TG_TABLE_NAME, CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END);
  RETURN NULL;
END $$;
CREATE TRIGGER causal_events_counted AFTER INSERT OR DELETE ON causal_events
  FOR EACH ROW EXECUTE FUNCTION count_causal_row();
CREATE TRIGGER causal_links_counted AFTER INSERT OR DELETE ON causal_links
  FOR EACH ROW EXECUTE FUNCTION count_causal_row();

CREATE FUNCTION count_causal_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_to_counter('causal_changes',
    CASE WHEN TG_OP = 'DELETE' THEN 0 ELSE NEW.change_seq END - CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.change_seq END);
  RETURN NULL;
END $$;
CREATE TRIGGER causal_heads_counted AFTER INSERT OR DELETE OR UPDATE OF change_seq ON causal_heads
  FOR EACH ROW EXECUTE FUNCTION count_causal_changes();
