# Killed at random moments, it leaves the old or the new system.
gpm repo init repo --keys keys
for version in 1 2; do
    files=()
    for number in $(seq 30); do files+=("opt/both/$number=version $version\n"); done
    publish both $version '' "${files[@]}" "opt/only-$version=x"
done
gpm repo trust stable "file://$PWD/repo" --root-file repo/metadata/1.root.json
gpm update
gpm install both=1 --yes
# The moments lie within what an installation takes here.
began=${EPOCHREALTIME/./}
gpm install both=2 --yes >/dev/null
took=$((${EPOCHREALTIME/./} - began))
killed=0
now=2
rounds=${KILLS:-12}
for round in $(seq "$rounds"); do
    other=$((3 - now))
    gpm install "both=$other" --downgrade both --yes >/dev/null 2>&1 &
    pid=$!
    moment=$((took * (RANDOM % 100) / 100))
    sleep "$((moment / 1000000)).$(printf %06d $((moment % 1000000)))"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || killed=$((killed + 1))
    gpm recover >/dev/null
    now=$(cat /opt/both/1); now=${now#version }
    [[ $(cat /opt/both/* | sort -u) == "version $now" ]] || fail "round $round: files of both versions"
    [[ -e /opt/only-$now && ! -e /opt/only-$((3 - now)) ]] || fail "round $round: $(ls /opt)"
    [[ $(gpm list | grep "^both ") == "both $now" ]] || fail "round $round: the database says $(gpm list)"
    gpm verify both >/dev/null || fail "round $round: $(gpm verify both)"
done
echo "$killed of $rounds were killed" >&2
[[ $killed -gt 0 ]] || fail "none was killed in time"
gpm remove both --yes
gpm repo forget stable
