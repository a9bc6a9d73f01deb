# The image is made of packages: each file belongs to one, and is as it was delivered.
gpm verify || fail "verify: $(gpm verify)"
[[ $(gpm owns /bin/bash) == bash ]] || fail "owns: $(gpm owns /bin/bash)"
gpm files bash | grep -q '^/*usr/bin/bash$' || fail "files: $(gpm files bash)"
gpm list | grep -q '^genai-base ' || fail "list: $(gpm list)"
[[ $(gpm history | grep -c "  image$") == 1 ]] || fail "history: $(gpm history | head -5)"
gpm list | while read -r name _; do gpm files "$name"; done | sed 's,^/*,/,' | sort -u >owned
# What the system writes while it runs is nobody's.
state='^/(proc|sys|dev|run|scheme|tmp|var/tmp|var/lib/gpm|var/lib/gci|var/lib/genaid|var/cache|var/log|mnt|media)/|^/root/\.(bash|gcs)_history$'
find / \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /scheme -o -path /tmp -o -path /var/tmp \) -prune -o ! -type d -print |
    grep -Ev "$state" | sort >found
comm -23 found owned >strays
[[ ! -s strays ]] || fail "files of nobody: $(head -20 strays)"
[[ $(wc -l <found) -gt 500 ]] || fail "only $(wc -l <found) files were found"
# A change is noticed, and a package of the image can be removed and brought back.
cp /usr/bin/nano nano
printf x >>/usr/bin/nano
if gpm verify nano; then fail "a changed file was not noticed"; fi
cp nano /usr/bin/nano
gpm verify nano || fail "put back, but: $(gpm verify nano)"
gpm remove nano --yes
[[ ! -e /usr/bin/nano ]] || fail "nano is removed, but there"
# Its completions and pages came with it.
[[ $(gpm owns /usr/share/man/man1/gpm-install.1) == gpm ]] || fail "no manual page: $(gpm files gpm)"
. /usr/share/bash-completion/completions/gpm
COMP_WORDS=(gpm verif) COMP_CWORD=1
_gpm gpm verif gpm
[[ ${COMPREPLY[*]} == verify ]] || fail "completed to ${COMPREPLY[*]}"
