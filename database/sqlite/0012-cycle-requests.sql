-- What a cycle was asked may hold images of many megabytes. In a row of its own it is written once, and not again with
-- every step.
CREATE TABLE cycle_requests (
  session_id TEXT NOT NULL,
  cycle_id   TEXT NOT NULL,
  request    TEXT NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO cycle_requests (session_id, cycle_id, request) SELECT session_id, cycle_id, request FROM cycles;
ALTER TABLE cycles DROP COLUMN request;
