#!/usr/bin/env bash
# Starts `outcrop dev` in the foreground, or finds a healthy one, and sends it a first Converse through boto3.
# OUTCROP_BIN names a binary that is already built; OUTCROP_LISTEN another address.
source "$(dirname "$0")/lib.sh"
listen=${OUTCROP_LISTEN:-127.0.0.1:7711}
url=http://$listen

if [[ -n ${OUTCROP_BIN:-} ]]; then
  bash scripts/setup.sh
else
  bash scripts/build.sh
  OUTCROP_BIN=target/release/outcrop
fi

if "$PY" scripts/first_call.py healthy "$url"; then
  step "found a server at $url"
  "$PY" scripts/first_call.py converse "$url"
  exit
fi

step "starting outcrop dev at $url (Ctrl-C ends it)"
# In a session of its own, so that each Ctrl-C reaches it once, passed on by the trap: the first lets streams finish,
# a second ends it at once.
setsid "$OUTCROP_BIN" dev --listen "$listen" &
server=$!
trap 'kill -INT $server 2>/dev/null || true' INT
trap 'kill -TERM $server 2>/dev/null || true' TERM EXIT

"$PY" scripts/first_call.py wait "$url" "$server" || { wait "$server" || true; fail "the server did not become ready"; }
"$PY" scripts/first_call.py converse "$url"
step "a knowledge base of this repository's docs/: outcrop kb add docs"
AWS_ENDPOINT_URL=$url "$OUTCROP_BIN" kb add docs --name outcrop-docs
question="What happens to a running answer at the hard limit of a budget?"
step "asking it: outcrop kb ask"
AWS_ENDPOINT_URL=$url "$OUTCROP_BIN" kb ask "$question" --kb outcrop-docs
note "the server runs in this terminal until Ctrl-C"
status=0
while kill -0 "$server" 2>/dev/null; do
  status=0
  wait "$server" || status=$? # interrupted by a signal, it is asked again
done
step "stopped"
exit "$status"
