-- Cycles that wait for the client's tools: found by each request that brings results of tools.
CREATE INDEX cycles_waiting_for_tools ON cycles (session_id, created_at) WHERE outcome = 'awaiting_tools';
