# What the scripts of this folder share. They run in the machine, as root, in an empty folder of the disk.
set -euo pipefail
# Nothing here depends on archives elsewhere.
for name in debian debian-security; do [ ! -e /etc/gpm/repositories/$name.toml ] || gpm repo disable $name; done
fail() { echo "$*" >&2; exit 1; }

# package NAME VERSION MANIFEST-LINES PATH=TEXT...: builds a package of programs.
package() {
    local name=$1 version=$2 lines=$3 file
    shift 3
    rm -rf tree
    for file in "$@"; do
        mkdir -p "tree/$(dirname "${file%%=*}")"
        printf '%b' "${file#*=}" >"tree/${file%%=*}"
        chmod 755 "tree/${file%%=*}"
    done
    printf 'name = "%s"\nversion = "%s"\narchitecture = "all"\nsummary = "Test"\nlicence = "MIT"\n%b' "$name" "$version" "$lines" >package.toml
    gpm build package.toml tree --key keys/package.key --preset quick >/dev/null
}

publish() { package "$@"; gpm repo add repo "$1_$2_all.gcpkg" --keys keys; }
