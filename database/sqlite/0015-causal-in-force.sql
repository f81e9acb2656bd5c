-- What made something possible, newest first: the decisions among which a later one finds what it takes the place of.
CREATE INDEX causal_links_enabling ON causal_links (session_id, cause_no) WHERE relation = 'enabled';
