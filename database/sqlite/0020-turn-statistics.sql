-- What a session's statistics are counted from: who said what kind of turn, and when, without reading any text.
CREATE INDEX turns_by_kind ON turns (session_id, agent, kind, timestamp);
