curl --silent --show-error --no-buffer --fail-with-body "$BASE_URL/chat/completions" \
  -H "authorization: Bearer $API_KEY" -H 'content-type: application/json' -d "$BODY"
