# Install, upgrade, remove and undo from a repository that is served here; the programs run.
gpm repo init repo --keys keys
publish libgreet 1 '' 'usr/lib/greet/words=hello'
publish greet 1 'depends = ["libgreet (>= 1)"]\n' 'usr/bin/greet=#!/bin/sh\necho "$(cat /usr/lib/greet/words) one"\n'
gpm repo serve repo --listen 127.0.0.1:8480 >/dev/null &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/8480) 2>/dev/null && break; sleep 0.1; done
gpm repo trust stable http://127.0.0.1:8480 --root-file repo/metadata/1.root.json
gpm update
before=$(gpm list)
last=$(gpm history | sed -n 's/^ *\([0-9][0-9]*\)  .*/\1/p' | tail -n 1)
gpm install greet --yes
[[ $(greet) == "hello one" ]] || fail "installed: $(greet)"
[[ $(gpm why libgreet) == "greet needs libgreet" ]] || fail "why: $(gpm why libgreet)"
[[ $(gpm owns /usr/bin/greet) == greet ]] || fail "owns: $(gpm owns /usr/bin/greet)"
publish libgreet 2 '' 'usr/lib/greet/words=good day'
publish greet 2 'depends = ["libgreet (>= 2)"]\n' 'usr/bin/greet=#!/bin/sh\necho "$(cat /usr/lib/greet/words) two"\n'
gpm update
gpm upgrade --yes
[[ $(greet) == "good day two" ]] || fail "upgraded: $(greet)"
gpm verify greet libgreet
gpm undo --yes
[[ $(greet) == "hello one" ]] || fail "undone: $(greet)"
gpm verify greet libgreet
gpm remove greet libgreet --yes
[[ ! -e /usr/bin/greet && ! -e /usr/lib/greet ]] || fail "removed, but still there"
gpm undo --yes
[[ $(greet) == "hello one" ]] || fail "brought back: $(greet)"
gpm verify greet libgreet
gpm rollback $((last + 1)) --yes
[[ ! -e /usr/bin/greet && $(gpm list) == "$before" ]] || fail "rolled back to what was before, but: $(gpm list)"
# A server that is gone.
kill $server && wait $server || true
if gpm update; then fail "updated from nowhere"; fi
gpm repo forget stable
