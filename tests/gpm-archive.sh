# Makes a small archive in Debian's form in the folder $1, on the host: dists, pool, and keys.gpg that signed it.
set -euo pipefail
cd "$1"
home=$(mktemp -d)
trap 'gpgconf --homedir "$home" --kill all 2>/dev/null || true; rm -rf "$home"' EXIT
# The machine's clock may be behind the host's, and what is signed in the future is not believed.
yesterday=$(date -u -d yesterday +%Y%m%dT%H%M%S)
sign() { gpg --faked-system-time "$yesterday" --batch --quiet --homedir "$home" --pinentry-mode loopback --passphrase '' "$@"; }
sign --quick-generate-key 'Archive <archive@example.org>' ed25519 sign
sign --export >keys.gpg
mkdir -p pool dists/demo/main/binary-amd64 dists/demo/main/dep11

# deb NAME CONTROL-LINES: a program that says its name, with scripts of Debian's kinds.
deb() {
    local tree=trees/$1
    mkdir -p "$tree/DEBIAN" "$tree/usr/bin"
    printf '#!/bin/sh\necho "this is %s"\n' "$1" >"$tree/usr/bin/$1"
    chmod 755 "$tree/usr/bin/$1"
    printf 'Package: %s\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n%bDescription: a program\n' "$1" "$2" >"$tree/DEBIAN/control"
    printf '#!/bin/sh\nset -e\nupdate-alternatives --install /usr/bin/speaker speaker /usr/bin/%s 10\ntouch /root/never\n' "$1" >"$tree/DEBIAN/postinst"
    chmod 755 "$tree/DEBIAN/postinst"
    dpkg-deb --build --root-owner-group "$tree" "pool/$1.deb" >/dev/null
    {
        dpkg-deb -f "pool/$1.deb"
        printf 'Filename: pool/%s.deb\nSize: %s\nSHA256: %s\nInstalled-Size: 1\n\n' "$1" "$(stat -c %s "pool/$1.deb")" "$(sha256sum <"pool/$1.deb" | cut -d' ' -f1)"
    } >>Packages
}
deb talker 'Depends: debconf, listener (>= 1) | nobody\n'
deb listener ''
deb bystander ''
xz -c Packages >dists/demo/main/binary-amd64/Packages.xz
printf -- '---\nFile: DEP-11\n---\nType: desktop-application\nID: org.example.Talker\nPackage: talker\nName:\n  de: Redner\n  C: Great Talker\nSummary:\n  C: Talks\n' |
    gzip >dists/demo/main/dep11/Components-amd64.yml.gz
cd dists/demo
{
    printf 'Codename: demo\nDate: %s\nSHA256:\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')"
    for file in main/binary-amd64/Packages.xz main/dep11/Components-amd64.yml.gz; do
        printf ' %s %s %s\n' "$(sha256sum <$file | cut -d' ' -f1)" "$(stat -c %s $file)" $file
    done
} >Release
sign --clearsign --output InRelease Release
rm -r ../../trees
