# strace: calls, threads and children, signals, injected faults, filters, attaching, summaries.
# time: 120
only() { grep -E "$1" | sed -E 's/0x[0-9a-f]+/ADDR/g; s/^\[pid +[0-9]+\] //; s/pid=[0-9]+/pid=N/g; s/^[0-9]+ +//; s/ +=/ =/'; }
echo '== one program'
strace -e trace=openat,read,write,exit_group -o t sh -c 'echo hello; cat /nowhere' 2>err; echo "status $?"
only '^(write|exit_group|\+\+\+)' <t
echo '== children'
strace -f -e trace=execve,wait4,exit_group -o t sh -c 'true; /bin/true; (exit 3); /bin/false; exit 4'; echo "status $?"
grep -oE 'execve\("[^"]*"|exited with [0-9]+' t
echo '== threads'
cat > th.c <<'C'
#include <pthread.h>
#include <unistd.h>
static void *f(void *a) { (void)!write(1, a, 2); return 0; }
int main(void) { for (int i = 0; i < 3; i++) { pthread_t t; pthread_create(&t, 0, f, "x\n"); pthread_join(t, 0); } return 5; }
C
gcc -o th th.c -pthread; strace -f -e trace=write -o t ./th; echo "status $?"; only 'write|exited' <t
echo '== signals'
strace -e trace=kill,rt_sigreturn -o t bash -c 'trap "echo got" USR1; kill -USR1 $$; kill -TERM $$'; echo "status $?"; only 'SIG(USR1|TERM)' <t | grep -v CHLD | sed -E 's/kill\([0-9]+/kill(N/'
echo '== injected faults'
strace -e inject=mkdir:error=ENOSPC -o t mkdir d; echo "status $?"; strace -e inject=getpid:retval=4242 -e trace=getpid -o t bash -c 'exit 0'; only INJECTED <t; ls -d d
strace -e inject=write:signal=TERM -o t sh -c 'echo gone'; echo "status $?"
echo '== by seccomp'
strace -f --seccomp-bpf -e trace=mkdir,rmdir -o t sh -c 'mkdir d && rmdir d; for i in 1 2 3; do /bin/true; done'; only 'mkdir|rmdir' <t
echo '== attach, detach'
sleep 60 & p=$!; strace -p $p -o t & s=$!
for _ in $(seq 100); do grep -q TracerPid:.$s /proc/$p/status && break; sleep 0.1; done
grep -E '^State|^TracerPid' /proc/$p/status | sed "s/$s/STRACE/"; kill -INT $s; wait $s; grep TracerPid /proc/$p/status; kill -STOP $p
for _ in $(seq 100); do grep -q '^State:.T' /proc/$p/status && break; sleep 0.1; done
grep ^State /proc/$p/status; kill -KILL $p; wait $p; echo "status $?"
echo '== summary'
strace -c -f -o t sh -c 'for i in 1 2 3; do /bin/true; done'; awk '$NF=="execve" || $NF=="exit_group" {print $4, $NF}' t
echo '== a killed tree'
strace -f -e trace=none -e signal=none -o t timeout -s KILL 0.3 sh -c 'sleep 5; :'; echo "status $?"; only 'killed' <t | sort -u
