/**
 * Every error this server makes itself, in one table: code → HTTP status, OpenAI error type, meaning.
 * `docs/errors.md` lists the same rows; a test holds the two together. Errors of the upstream are passed
 * on as they came and are not in this table.
 */
export const ERROR_CODES = {
  invalid_json: { status: 400, type: 'invalid_request_error', meaning: 'The body is not valid JSON.' },
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    meaning: 'A field is missing or wrong; `param` names it.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    meaning: 'The body must be sent as application/json.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    meaning: 'The body is larger than CCC_MAX_BODY.',
  },
  headers_too_large: {
    status: 431,
    type: 'invalid_request_error',
    meaning: 'The headers of the request are larger than 16 kB.',
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    meaning: 'The request did not arrive in time: headers within 20 s, all of it within 5 minutes.',
  },
  unknown_route: { status: 404, type: 'invalid_request_error', meaning: 'There is nothing at this path.' },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    meaning: 'This path exists, but not for this method; see the Allow header.',
  },
  session_not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning: 'No such session, or not one this caller may open.',
  },
  conversation_not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning: 'No such conversation in this session.',
  },
  cycle_not_found: { status: 404, type: 'invalid_request_error', meaning: 'No such cycle.' },
  turn_not_found: { status: 404, type: 'invalid_request_error', meaning: 'No such turn in this session.' },
  event_not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning: 'No such causal event in this session.',
  },
  link_not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning: 'No such causal link in this session.',
  },
  lesson_not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning: 'No such lesson in this session.',
  },
  fact_not_found: { status: 404, type: 'invalid_request_error', meaning: 'No such fact in this session.' },
  session_archived: {
    status: 409,
    type: 'invalid_request_error',
    meaning: 'The session is archived and takes no new turns.',
  },
  session_full: {
    status: 413,
    type: 'invalid_request_error',
    meaning: 'The session would hold more turns than CCC_SESSION_MAX_TURNS; nothing was stored.',
  },
  session_exists: {
    status: 409,
    type: 'invalid_request_error',
    meaning: 'A session with this id is already here.',
  },
  idempotency_conflict: {
    status: 409,
    type: 'invalid_request_error',
    meaning: 'This Idempotency-Key was used with a different body.',
  },
  version_conflict: {
    status: 409,
    type: 'invalid_request_error',
    meaning: 'The state has been changed since the version that was named.',
  },
  cycle_conflict: {
    status: 409,
    type: 'invalid_request_error',
    meaning: 'The cycle is not in a state that allows this.',
  },
  link_refused: {
    status: 409,
    type: 'invalid_request_error',
    meaning: 'The link would join two sessions, point forward in time, or close a loop.',
  },
  budget_exhausted: {
    status: 429,
    type: 'insufficient_quota',
    meaning:
      'A budget of the session, of the caller or of the day has no room for the next call; nothing was spent.',
  },
  origin_not_allowed: {
    status: 403,
    type: 'invalid_request_error',
    meaning: 'A page of this origin may not call this server; see CORS_ORIGINS.',
  },
  host_not_allowed: {
    status: 403,
    type: 'invalid_request_error',
    meaning: 'The Host header does not name this server; see CCC_ALLOWED_HOSTS.',
  },
  invalid_api_key: {
    status: 401,
    type: 'authentication_error',
    meaning: 'This server asks for a key (CCC_API_KEYS), and the request brings none that is valid.',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    meaning: 'More requests a minute than are allowed; `retry-after` says when to ask again.',
  },
  invalid_token: {
    status: 401,
    type: 'authentication_error',
    meaning: 'The token or key is wrong or has been revoked.',
  },
  upstream_unreachable: {
    status: 502,
    type: 'api_error',
    meaning: 'The upstream could not be reached or broke off before it answered.',
  },
  upstream_invalid: {
    status: 502,
    type: 'api_error',
    meaning: 'The upstream answered with something that is not a chat completion.',
  },
  upstream_timeout: {
    status: 504,
    type: 'api_error',
    meaning: 'The upstream did not answer within OPENAI_TIMEOUT_MS.',
  },
  upstream_busy: {
    status: 429,
    type: 'rate_limit_error',
    meaning:
      'More calls wait for the upstream than CCC_UPSTREAM_CONCURRENCY allows; `retry-after` says when to ask again.',
  },
  upstream_unavailable: {
    status: 503,
    type: 'api_error',
    meaning:
      'The upstream has failed many times in a row and is left alone for a moment; the message says why.',
  },
  storage_failed: {
    status: 503,
    type: 'api_error',
    meaning: 'The record could not be written or read; nothing was stored.',
  },
  shutting_down: {
    status: 503,
    type: 'api_error',
    meaning: 'The server is stopping and takes no new requests.',
  },
  internal_error: {
    status: 500,
    type: 'api_error',
    meaning: 'A fault of this server; the log has the details under the request id.',
  },
} as const satisfies Record<string, { status: number; type: string; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
