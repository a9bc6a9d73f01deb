# An archive in Debian's form, which the host has made and signed: its packages are installed with what they need, and a spoilt one is refused.
tar -x
gpm repo archive demo "file://$PWD" --suite demo --keyring "$PWD/keys.gpg"
trap 'gpm repo forget demo' EXIT
gpm update
gpm search great talker --json | grep -q '"name":"talker"\|"name": "talker"' || fail "words for people find nothing"
gpm install talker --yes >out
grep -q listener out || fail "what it needs was not said"
[ "$(talker)" = "this is talker" ] && [ "$(listener)" = "this is listener" ] || fail "they do not run"
[ "$(speaker)" = "this is talker" ] || [ "$(speaker)" = "this is listener" ] || fail "the alternative is no link"
[ ! -e /root/never ] || fail "a maintainer script ran"
[ ! -e /usr/bin/bystander ] || fail "it brought what nobody asked for"
gpm verify talker listener
gpm undo --yes
[ ! -e /usr/bin/talker ] && [ ! -L /usr/bin/speaker ] || fail "something is left"

# Another text under the same signature; a list that is not the signed one; a package that is not the listed one.
cp dists/demo/InRelease good
sed -i 's/Codename: demo/Codename: demo\nOrigin: evil/' dists/demo/InRelease
if gpm update 2>err >out; then fail "a wrong signature was believed"; fi
cp good dists/demo/InRelease
printf x >>pool/listener.deb
if gpm install talker --yes >out 2>err; then fail "a spoilt package was installed"; fi
grep -q 'does not end\|SHA-256' err || fail "refused, but not for that: $(cat err)"
[ ! -e /usr/bin/talker ] && [ ! -e /usr/bin/listener ] || fail "half of it was installed"
