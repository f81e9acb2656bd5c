-- Covenant cycles, their steps and events, what they spend, and what the analytics count of them.
CREATE TABLE cycles (
  session_id      text COLLATE "C" NOT NULL,
  cycle_id        text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  status          text COLLATE "C" NOT NULL,
  outcome         text COLLATE "C",
  machine         text COLLATE "C" NOT NULL,
  -- Goes up with each commit: a writer that was overtaken names an older one and is refused.
  version         bigint NOT NULL,
  -- Number of the newest event.
  event_count     bigint NOT NULL DEFAULT 0,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE INDEX cycles_by_id ON cycles (cycle_id);

CREATE INDEX cycles_by_time ON cycles (session_id, created_at, cycle_id);

CREATE TABLE cycle_steps (
  session_id  text COLLATE "C" NOT NULL,
  cycle_id    text COLLATE "C" NOT NULL,
  step_number bigint NOT NULL,
  step_id     text COLLATE "C" NOT NULL,
  kind        text COLLATE "C" NOT NULL,
  agent       text COLLATE "C",
  round       bigint NOT NULL,
  attempt     bigint NOT NULL,
  status      text COLLATE "C" NOT NULL CHECK (status IN ('open', 'done', 'failed')),
  input       text COLLATE "C" NOT NULL,
  output      text COLLATE "C",
  started_at  bigint NOT NULL,
  ended_at    bigint,
  PRIMARY KEY (session_id, cycle_id, step_number),
  UNIQUE (session_id, cycle_id, step_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
);

CREATE TABLE cycle_events (
  session_id text COLLATE "C" NOT NULL,
  cycle_id   text COLLATE "C" NOT NULL,
  seq        bigint NOT NULL,
  type       text COLLATE "C" NOT NULL,
  data       text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (session_id, cycle_id, seq),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
);

-- Cycles by outcome or, while they run, by status; the value is the sum over the slots, as in record_counters.
CREATE TABLE cycle_counts (
  name  text COLLATE "C" NOT NULL,
  slot  integer NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (name, slot)
);

CREATE INDEX cycles_waiting_for_tools ON cycles (session_id, created_at) WHERE outcome = 'awaiting_tools';

CREATE TABLE cycle_requests (
  session_id text COLLATE "C" NOT NULL,
  cycle_id   text COLLATE "C" NOT NULL,
  request    text COLLATE "C" NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
);

CREATE TABLE activity_heads (
  session_id text COLLATE "C" PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
  change_seq bigint NOT NULL
);

CREATE TABLE activity_changes (
  session_id  text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  kind        text COLLATE "C" NOT NULL CHECK (kind IN ('cycle', 'turn')),
  -- Of the cycle or turn. No reference: what is gone has to be told as gone.
  id          text COLLATE "C" NOT NULL,
  -- Stands for it in the projection; never given twice in a session.
  activity_no bigint NOT NULL,
  change_seq  bigint NOT NULL,
  PRIMARY KEY (session_id, kind, id)
);

CREATE INDEX activity_changes_by_change ON activity_changes (session_id, change_seq);

CREATE TABLE session_spending (
  session_id text COLLATE "C" NOT NULL,
  day        bigint NOT NULL,
  tokens     bigint NOT NULL,
  ms         bigint NOT NULL,
  rounds     bigint NOT NULL,
  PRIMARY KEY (session_id, day),
  FOREIGN KEY (session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);

-- The same of all sessions together. It stays when a session is erased: what was spent that day was spent.
-- One row for each slot, as in record_counters: the sum counts.
CREATE TABLE day_spending (
  day    bigint NOT NULL,
  slot   integer NOT NULL,
  tokens bigint NOT NULL,
  ms     bigint NOT NULL,
  rounds bigint NOT NULL,
  PRIMARY KEY (day, slot)
);

-- Tokens that callers have spent: 'key <name>', 'session <id>' by its token, 'address <address>'. Only of callers that have
-- a limit, and only today's and yesterday's.
CREATE TABLE caller_spending (
  caller text COLLATE "C" NOT NULL,
  day    bigint NOT NULL,
  tokens bigint NOT NULL,
  PRIMARY KEY (caller, day)
);
CREATE INDEX caller_spending_by_day ON caller_spending (day);

CREATE TABLE budget_reservations (
  session_id  text COLLATE "C" NOT NULL,
  cycle_id    text COLLATE "C" NOT NULL,
  day         bigint NOT NULL,
  tokens      bigint NOT NULL,
  ms          bigint NOT NULL,
  rounds      bigint NOT NULL,
  -- Of the tokens, those of the call itself: what is counted as spent when nobody can say what it has cost.
  call_tokens bigint NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
);

CREATE INDEX budget_reservations_by_day ON budget_reservations (day, tokens, ms, rounds);

CREATE FUNCTION add_to_cycle_count(state text, amount bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO cycle_counts AS c (name, slot, count) VALUES (state, pg_backend_pid() % 64, amount)
    ON CONFLICT (name, slot) DO UPDATE SET count = c.count + excluded.count
$$;

CREATE FUNCTION count_cycles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN PERFORM add_to_cycle_count(coalesce(OLD.outcome, OLD.status), -1); END IF;
  IF TG_OP <> 'DELETE' THEN PERFORM add_to_cycle_count(coalesce(NEW.outcome, NEW.status), 1); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER cycles_counted AFTER INSERT OR DELETE ON cycles FOR EACH ROW EXECUTE FUNCTION count_cycles();
CREATE TRIGGER cycles_counted_over AFTER UPDATE OF status, outcome ON cycles FOR EACH ROW
  WHEN (coalesce(NEW.outcome, NEW.status) <> coalesce(OLD.outcome, OLD.status)) EXECUTE FUNCTION count_cycles();

-- What the analytics count: each change of a cycle, or of an answer without one that says what it cost, gets the next number
-- of its session, by which the projection follows (src/causal/projection).
CREATE FUNCTION note_activity(session text, what text, thing text, is_new boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE seq bigint;
BEGIN
  IF is_new THEN
    INSERT INTO activity_heads AS h (session_id, change_seq) VALUES (session, 1)
      ON CONFLICT (session_id) DO UPDATE SET change_seq = h.change_seq + 1 RETURNING change_seq INTO seq;
    INSERT INTO activity_changes (session_id, kind, id, activity_no, change_seq) VALUES (session, what, thing, seq, seq);
  ELSE
    -- No row when the whole session is being erased.
    UPDATE activity_heads SET change_seq = change_seq + 1 WHERE session_id = session RETURNING change_seq INTO seq;
    IF seq IS NOT NULL THEN
      UPDATE activity_changes SET change_seq = seq WHERE session_id = session AND kind = what AND id = thing;
    END IF;
  END IF;
END $$;

CREATE FUNCTION note_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN PERFORM note_activity(OLD.session_id, 'cycle', OLD.cycle_id, false);
  ELSE PERFORM note_activity(NEW.session_id, 'cycle', NEW.cycle_id, TG_OP = 'INSERT');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER cycles_noted AFTER INSERT OR DELETE OR UPDATE OF version ON cycles
  FOR EACH ROW EXECUTE FUNCTION note_cycle();

CREATE FUNCTION note_spending_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN PERFORM note_activity(OLD.session_id, 'turn', OLD.turn_id, false);
  ELSE PERFORM note_activity(NEW.session_id, 'turn', NEW.turn_id, true);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER spending_turns_noted_in AFTER INSERT ON turns FOR EACH ROW
  WHEN (NEW.cycle_id IS NULL AND NEW.tells_usage) EXECUTE FUNCTION note_spending_turn();
CREATE TRIGGER spending_turns_noted_out AFTER DELETE ON turns FOR EACH ROW
  WHEN (OLD.cycle_id IS NULL AND OLD.tells_usage) EXECUTE FUNCTION note_spending_turn();
