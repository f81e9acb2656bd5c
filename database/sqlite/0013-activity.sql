-- What the analytics count: cycles, and answers without one that say what they cost. These tables hold no facts of
-- their own. They number each change, so that the projection (src/causal/projection) can follow it by a watermark, as
-- it follows causal_heads.change_seq.

-- One row for each session with anything to count; change_seq goes up with every change.
CREATE TABLE activity_heads (
  session_id TEXT PRIMARY KEY NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  change_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE activity_changes (
  session_id  TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  kind        TEXT NOT NULL CHECK (kind IN ('cycle', 'turn')),
  -- Of the cycle or turn. No reference: what is gone has to be told as gone.
  id          TEXT NOT NULL,
  -- Stands for it in the projection; never given twice in a session.
  activity_no INTEGER NOT NULL,
  change_seq  INTEGER NOT NULL,
  PRIMARY KEY (session_id, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_changes_by_change ON activity_changes (session_id, change_seq);

-- What is there already, numbered in the order of time.
INSERT INTO activity_changes (session_id, kind, id, activity_no, change_seq)
  SELECT session_id, kind, id, place, place FROM (
    SELECT session_id, kind, id, row_number() OVER (PARTITION BY session_id ORDER BY at, id) AS place FROM (
      SELECT session_id, 'cycle' AS kind, cycle_id AS id, created_at AS at FROM cycles
      UNION ALL
      SELECT session_id, 'turn', turn_id, stored_at FROM turns
       WHERE cycle_id IS NULL AND instr(metadata, '"usage"') > 0));
INSERT INTO activity_heads (session_id, change_seq)
  SELECT session_id, max(change_seq) FROM activity_changes GROUP BY session_id;

CREATE TRIGGER cycles_noted_in AFTER INSERT ON cycles BEGIN
  INSERT INTO activity_heads (session_id, change_seq) VALUES (NEW.session_id, 1)
    ON CONFLICT (session_id) DO UPDATE SET change_seq = change_seq + 1;
  INSERT INTO activity_changes (session_id, kind, id, activity_no, change_seq)
    SELECT session_id, 'cycle', NEW.cycle_id, change_seq, change_seq FROM activity_heads
     WHERE session_id = NEW.session_id;
END;
-- Each commit of a cycle moves its version, and closes and opens its steps.
CREATE TRIGGER cycles_noted_over AFTER UPDATE OF version ON cycles BEGIN
  UPDATE activity_heads SET change_seq = change_seq + 1 WHERE session_id = NEW.session_id;
  UPDATE activity_changes
     SET change_seq = (SELECT h.change_seq FROM activity_heads h WHERE h.session_id = NEW.session_id)
   WHERE session_id = NEW.session_id AND kind = 'cycle' AND id = NEW.cycle_id;
END;
-- When the whole session goes, the heads may be gone before: then there is nobody left to tell.
CREATE TRIGGER cycles_noted_out AFTER DELETE ON cycles BEGIN
  UPDATE activity_heads SET change_seq = change_seq + 1 WHERE session_id = OLD.session_id;
  UPDATE activity_changes
     SET change_seq = (SELECT h.change_seq FROM activity_heads h WHERE h.session_id = OLD.session_id)
   WHERE session_id = OLD.session_id AND kind = 'cycle' AND id = OLD.cycle_id
     AND EXISTS (SELECT 1 FROM activity_heads h WHERE h.session_id = OLD.session_id);
END;

CREATE TRIGGER spending_turns_noted_in AFTER INSERT ON turns
  WHEN NEW.cycle_id IS NULL AND instr(NEW.metadata, '"usage"') > 0 BEGIN
  INSERT INTO activity_heads (session_id, change_seq) VALUES (NEW.session_id, 1)
    ON CONFLICT (session_id) DO UPDATE SET change_seq = change_seq + 1;
  INSERT INTO activity_changes (session_id, kind, id, activity_no, change_seq)
    SELECT session_id, 'turn', NEW.turn_id, change_seq, change_seq FROM activity_heads
     WHERE session_id = NEW.session_id;
END;
CREATE TRIGGER spending_turns_noted_out AFTER DELETE ON turns
  WHEN OLD.cycle_id IS NULL AND instr(OLD.metadata, '"usage"') > 0 BEGIN
  UPDATE activity_heads SET change_seq = change_seq + 1 WHERE session_id = OLD.session_id;
  UPDATE activity_changes
     SET change_seq = (SELECT h.change_seq FROM activity_heads h WHERE h.session_id = OLD.session_id)
   WHERE session_id = OLD.session_id AND kind = 'turn' AND id = OLD.turn_id
     AND EXISTS (SELECT 1 FROM activity_heads h WHERE h.session_id = OLD.session_id);
END;
