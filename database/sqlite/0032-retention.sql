-- What retention has removed. Turns and conversations keep their numbers: those of what is gone are not given again.
ALTER TABLE sessions ADD COLUMN removed_conversations INTEGER;
ALTER TABLE conversations ADD COLUMN removed_turns INTEGER;

-- By age: a turn is as old as what it tells, and no younger than its storing.
CREATE INDEX turns_by_age ON turns (session_id, min(timestamp, stored_at));
CREATE INDEX causal_events_by_age ON causal_events (session_id, min(happened_at, stored_at));
