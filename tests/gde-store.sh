# A package with a program for people, in a repository that is served here; gpm knows it. Run as root in the machine.
set -euo pipefail
# Nothing here depends on archives elsewhere.
for name in debian debian-security; do [ ! -e /etc/gpm/repositories/$name.toml ] || gpm repo disable $name; done
d=/var/tmp/gde-store
mkdir -p $d/tree/usr/bin $d/tree/usr/share/applications
cd $d
cat >tree/usr/bin/greeter <<'X'
#!/bin/sh
echo "good day" >/root/greeted
X
chmod 755 tree/usr/bin/greeter
cat >tree/usr/share/applications/org.example.Greeter.desktop <<'X'
[Desktop Entry]
Type=Application
Name=Greeter
Exec=greeter
X
cat >package.toml <<'X'
name = "greeter"
version = "1.0"
architecture = "all"
summary = "Says good day"
licence = "MIT"
description = "A program that greets whoever starts it, and is polite enough to write that down."
[appstream]
name = "Greeter"
categories = ["Game"]
keywords = ["polite"]
X
gpm repo init repo --keys keys
gpm build package.toml tree --key keys/package.key --preset quick
gpm repo add repo greeter_1.0_all.gcpkg --keys keys
gpm repo serve repo --listen 127.0.0.1:8480 >/dev/null 2>&1 </dev/null &
for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/8480) 2>/dev/null && break; sleep 0.1; done
gpm repo trust stable http://127.0.0.1:8480 --root-file repo/metadata/1.root.json
gpm update
