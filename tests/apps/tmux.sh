# tmux: a session without a terminal, typed into, and its screen read; windows, panes, a resize.
export TERM=screen TMUX_TMPDIR=$PWD HOME=$PWD; unset TMUX
wait_for() { for _ in $(seq 300); do tmux capture-pane -p -t "$1" | grep -q "$2" && return; sleep 0.1; done; echo "no $2 in $1:"; tmux capture-pane -p -t "$1"; }
tmux -f /dev/null new-session -d -s main -x 80 -y 24 'bash --norc --noprofile'
tmux send-keys -t main 'PS1="> "; clear' Enter 'echo $((6 * 7)) lines' Enter
wait_for main '42 lines' && tmux capture-pane -p -t main | grep '42 lines'
tmux send-keys -t main 'stty size; tty | cut -c1-9; echo end-1' Enter && wait_for main '^end-1' && tmux capture-pane -p -t main | grep -E '^24|^/dev'
tmux split-window -t main -v 'cat' && tmux list-panes -t main -F '#{pane_index} #{pane_width}x#{pane_height} #{pane_current_command}'
tmux new-window -t main -n other 'sleep 1000' && tmux list-windows -t main -F '#{window_index} #{window_panes}'
tmux send-keys -t main:0.1 'typed to cat' Enter && wait_for main:0.1 'typed to cat' && tmux capture-pane -p -t main:0.1 | head -2
tmux send-keys -t main:0.1 C-c; for _ in $(seq 300); do [ "$(tmux list-panes -t main:0 | wc -l)" = 1 ] && break; sleep 0.1; done; tmux list-panes -t main:0 | wc -l
tmux resize-window -t main:0 -x 100 -y 30 && tmux send-keys -t main:0 'clear; stty size; echo end-2' Enter && wait_for main:0 '^end-2' && tmux capture-pane -p -t main:0 | grep '^30'
tmux kill-server; for _ in $(seq 300); do tmux has-session 2>/dev/null || break; sleep 0.1; done; tmux has-session 2>&1 | cut -c1-17
