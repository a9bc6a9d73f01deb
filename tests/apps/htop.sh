# htop draws a screen (tmux's), reacts to keys, and ends.
export HOME=$PWD TMUX_TMPDIR=$PWD TERM=screen; unset TMUX
sleep 1234 & tmux -f /dev/null new-session -d -x 120 -y 40 'htop -d 10; echo "htop ended with $?"; sleep 1000'
wait_for() { for _ in $(seq 300); do tmux capture-pane -p | grep -q -- "$1" && return; sleep 0.1; done; echo "no $1:"; tmux capture-pane -p; }
wait_for 'PID.*USER.*Command' && wait_for 'Mem\[' && wait_for 'Load average' && wait_for 'Uptime' && wait_for 'F10' && echo drawn
tmux send-keys '\' 'sleep 1234' Enter && wait_for 'sleep 1234' && tmux capture-pane -p | grep -c '[s]leep 1234$'
tmux send-keys F5 && wait_for 'sleep' && tmux send-keys q && wait_for 'htop ended with 0' && tmux capture-pane -p | grep ended
kill %1; tmux kill-server
