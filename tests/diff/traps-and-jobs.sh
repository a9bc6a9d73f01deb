trap 'echo exit trap, status $?' EXIT
trap 'echo usr1' USR1
kill -USR1 $$
(trap 'echo term; exit 5' TERM; while :; do sleep 0.05; done) & pid=$!
sleep 0.5; kill $pid; wait $pid; echo "waited $?"
sleep 100 & kill -9 $!; wait $! 2> /dev/null; echo "killed $?"
sleep 100 & sleep 0.5; kill -STOP $!; sleep 0.2; kill -CONT $!; kill $!; wait $!; echo "continued and ended $?"
for i in 1 2 3; do (sleep 0.$i; exit $i) & done
wait -n; echo "first $?"; wait
# The shell's own messages name process numbers.
{ bash -c 'kill -SEGV $$'; echo "segv $?"; } 2> /dev/null
{ bash -c 'ulimit -c 0; kill -ABRT $$'; echo "abrt $?"; } 2> /dev/null
timeout 0.3 sleep 10; echo "timeout $?"
(exit 300); echo "modulo $?"
exit 7
