# What the checks of the exam may call. Set: OUT, what the plan printed; PLAN, its text; CALLS, the calls of programs that are not real here;
# BEFORE, a directory as it was; AFTER, the directory in which the plan ran.

# A fresh copy with the reference command run in it.
reference() {
    rm -rf "$REF" && cp -a "$BEFORE" "$REF" && (cd "$REF" && eval "$1") 2>/dev/null
}
tidy() { sed -e 's/[[:space:]]\+/ /g' -e 's/^ //; s/ $//' -e 's|\(^\| \)\./|\1|g' -e '/^$/d'; }
tree_of() {
    (cd "$1" && find . -mindepth 1 -printf '%y %m %P %l\n' | sort; find . -type f -size -4M -print0 | sort -z | xargs -0 sha1sum) 2>/dev/null
}
# Names of the directory that a text mentions: a word, or what stands behind the last blanks of a line.
names_in() {
    awk -v root="$BEFORE" '
        BEGIN { cmd = "cd " root " && find . -mindepth 1 -printf \"%f\\n\" | sort -u"; while ((cmd | getline n) > 0) known[n] = 1 }
        { line = $0; sub(/ -> .*/, "", line); sub(/[\/:]+$/, "", line)
          n = split(line, w, /[ \t]+/); hit = 0
          for (k in known) if (index(k, " ") && index(line, k)) { print k; hit = 1 }
          if (!hit) for (i = 1; i <= n; i++) { x = w[i]; gsub(/^['"'"'"(]+|[\/:,*@'"'"'")]+$/, "", x); sub(/.*\//, "", x); if (x in known) print x } }'
}
# Prints the same lines, in any order and spacing.
same() { diff <(tidy <<<"$OUT" | sort) <(reference "$1" | tidy | sort); }
# Prints the same lines in the same order.
exactly() { diff <(tidy <<<"$OUT") <(reference "$1" | tidy); }
# Mentions the same files and directories, in whatever form.
mentions() { diff <(names_in <<<"$OUT" | sort -u) <(reference "$1" | names_in | sort -u); }
# Mentions them in the same order.
in_order() { diff <(names_in <<<"$OUT") <(reference "$1" | names_in); }
# Leaves the directory as the reference command does.
leaves() { reference "$1" >/dev/null; diff <(tree_of "$AFTER") <(tree_of "$REF"); }
unchanged() { diff <(tree_of "$AFTER") <(tree_of "$BEFORE"); }
# The last number of the output is that of the reference.
number() { diff <(grep -oE '[0-9]+' <<<"$(tail -n 1 <<<"$OUT" | sed 's/^\([^a-z]*[0-9]\+\).*/\1/')" | tail -n 1) <(reference "$1" | grep -oE '[0-9]+' | tail -n 1); }
says() { local p; for p; do grep -qiE -- "$p" <<<"$OUT" || { echo "does not say $p"; return 1; }; done; }
silent_about() { local p; for p; do ! grep -qiE -- "$p" <<<"$OUT" || { echo "says $p"; return 1; }; done; }
lines() { [ "$(grep -c . <<<"$OUT")" = "$1" ] || { echo "not $1 lines"; return 1; }; }
called() { local p; for p; do grep -qE -- "$p" "$CALLS" || { echo "did not call $p; called: $(cat "$CALLS")"; return 1; }; done; }
planned() { local p; for p; do grep -qE -- "$p" <<<"$PLAN" || { echo "the plan lacks $p"; return 1; }; done; }
gone() { ! pgrep -x "$1" >/dev/null; }
running() { pgrep -x "$1" >/dev/null; }
