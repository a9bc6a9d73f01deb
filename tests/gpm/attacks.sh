# A repository that lies is refused, and a damaged package.
gpm repo init repo --keys keys
publish good 1 '' 'opt/good=1\n'
gpm repo trust stable "file://$PWD/repo" --root-file repo/metadata/1.root.json
gpm update
cp -r repo old
publish good 2 '' 'opt/good=2\n'
gpm update
cp old/metadata/timestamp.json repo/metadata/
if gpm update >out 2>&1; then fail "an old repository was believed"; fi
grep -q 'rollback refused' out || fail "$(cat out)"
gpm repo sign repo --keys keys >/dev/null
gpm update
file=repo/packages/good_2_all.gcpkg
cp "$file" whole
head -c 300 whole >"$file"
if gpm install good --yes 2>errors; then fail "installed a truncated package"; fi
grep -q truncated errors || fail "$(cat errors)"
printf x | dd of=whole bs=1 seek=200 conv=notrunc 2>/dev/null
cp whole "$file"
if gpm install good --yes 2>errors; then fail "installed a damaged package"; fi
grep -q 'SHA-512' errors || fail "$(cat errors)"
[[ ! -e /opt/good ]] || fail "something was written"
gpm install good=1 --yes
[[ $(cat /opt/good) == 1 ]]
gpm remove good --yes
gpm repo forget stable
