#!/usr/bin/env bash
# A conversation in curl: make a session, tell it something, ask about it in another conversation.
# Run `npm start` first. Needs curl and node (to read JSON).
set -euo pipefail
server=${CCC_URL:-http://127.0.0.1:5111}

field() { node -e 'let t="";process.stdin.on("data",(d)=>t+=d).on("end",()=>{let v=JSON.parse(t);for(const k of process.argv[1].split("."))v=v[k];console.log(v)})' "$1"; }

session=$(curl -sS --fail-with-body "$server/api/v2/sessions" -H 'content-type: application/json' -d '{}' | field session_id)
echo "session  $session"

curl -sS --fail-with-body "$server/v2/chat/completions" -H 'content-type: application/json' -d "{
  \"session_id\": \"$session\",
  \"covenant\": {\"mode\": \"direct\"},
  \"messages\": [{\"role\": \"user\", \"content\": \"My sister Ana is allergic to peanuts.\"}]
}" | field choices.0.message.content

curl -sS --fail-with-body "$server/v2/chat/completions" -H 'content-type: application/json' -d "{
  \"session_id\": \"$session\",
  \"messages\": [{\"role\": \"user\", \"content\": \"What should I not cook for Ana?\"}]
}" | field choices.0.message.content
