# vim: a script without a screen, then on a screen (tmux's).
export HOME=$PWD TMUX_TMPDIR=$PWD TERM=screen; unset TMUX
seq 20 >f
vim -N -u NONE -es f <<'V'
:%s/\v^(\d)$/<\1>/
:g/^1[0-4]/m0
:5,6j
:w
:q
V
head -8 f; echo "status $?"
vim -N -u NONE -es -c 'redir! > out | echo sort([3, 1, 2]) strlen("äöü") system("echo from the shell") | redir END | q'; cat out; echo
: >screen.txt; tmux -f /dev/null new-session -d -x 80 -y 24 'vim -u NONE -N screen.txt'
wait_for() { for _ in $(seq 300); do tmux capture-pane -p | grep -q "$1" && return; sleep 0.1; done; echo "no $1:"; tmux capture-pane -p; }
wait_for 'screen.txt' && tmux send-keys i 'Hello, world' Escape && wait_for '^Hello, world' && tmux send-keys yyp '0cw' Goodbye Escape
wait_for '^Goodbye, world' && tmux send-keys ':set number' Enter && wait_for '1 Hello' && tmux capture-pane -p | head -4 && tmux send-keys ':wq' Enter
for _ in $(seq 300); do tmux has-session 2>/dev/null || break; sleep 0.1; done; cat screen.txt
