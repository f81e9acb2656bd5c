-- Lessons of all sessions by how often they were tried: what the analytics of the whole server tell.
CREATE INDEX lessons_by_trials ON lessons (with_trials + without_trials DESC)
 WHERE with_trials + without_trials > 0 AND status <> 'deleted';
