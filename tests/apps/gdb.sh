# gdb: breakpoints, steps, backtraces, threads, watchpoints, changes of memory and registers, signals, forks, attaching.
# time: 240
cat > t.c <<'C'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
struct point { int x, y; double weight; };
int counter;
struct point here = {3, 4, 2.5};
static int leaf(int n) { counter += n; return n * 2; }
static int middle(int n) { int r = leaf(n); return r + 1; }
static void *worker(void *arg) { long id = (long)arg; for (int i = 0; i < 3; i++) middle(i + (int)id); return NULL; }
static void on_usr1(int s) { (void)s; counter += 1000; }
int main(int argc, char **argv) {
    (void)argv;
    signal(SIGUSR1, on_usr1);
    int x = middle(5);
    pthread_t t;
    pthread_create(&t, NULL, worker, (void *)7L);
    pthread_join(t, NULL);
    raise(SIGUSR1);
    printf("%d %d %g\n", x, counter, here.weight);
    fflush(stdout);
    if (argc == 2) { pid_t p = fork(); if (p == 0) _exit(7); int st; waitpid(p, &st, 0); return WEXITSTATUS(st); }
    if (argc == 3) *(volatile int *)8 = 1;
    if (argc == 4) { volatile int go = 1; puts("waits"); fflush(stdout); while (go) usleep(10000); return 9; }
    return 3;
}
C
gcc -g -O0 -o t t.c -pthread
# Addresses and thread ids differ from run to run.
run() { gdb -nx -q -batch -ex 'set pagination off' -ex 'set confirm off' -ex 'set print thread-events off' -ex 'handle SIGUSR1 nostop noprint pass' "$@" 2>&1 | grep -vE '^warning|^Download|debuginfod|libthread_db|^Signal +Stop|^SIGUSR1|^\[(New|Switching|Thread|Attaching|Detaching|Inferior . \(process [0-9]+\) detached)|^$' | sed -E 's/0x[0-9a-f]+/ADDR/g; s/process [0-9]+/process N/g; s/LWP [0-9]+/LWP N/g; s/ +/ /g; s/(Breakpoint [0-9]+ at ADDR): _exit.*/\1/' | grep -vE '\?\? \(\)|libc\.so|nptl/|sysdeps/|clone3|pthread_kill|__GI_|arch_fork|_start|ld-linux'; }
echo '== break, step, backtrace'
run -ex 'break leaf' -ex run -ex bt -ex 'print n' -ex 'print here' -ex 'print &here.y == (int*)&here + 1' -ex step -ex next -ex 'delete 1' -ex 'continue' ./t
echo '== finish, change, call'
run -ex 'break leaf' -ex run -ex 'set var n = 50' -ex finish -ex 'print $rax' -ex 'set var $rax = 7' -ex next -ex 'print r' -ex 'print middle(10)' -ex 'delete' -ex 'print here.weight = 0.5' -ex 'print $xmm0.v4_int32[3]' -ex continue ./t
echo '== threads'
run -ex 'break worker' -ex run -ex 'info threads' -ex 'thread apply all -q bt 1' -ex 'thread 1' -ex 'thread 2' -ex 'delete' -ex continue ./t | sed -E 's/ at \.\/.*| at \.\.\/.*//; s/__(futex|pthread)[a-z_0-9]* .*|__GI_.*|__internal.*/IN LIBC/' | grep -v 'IN LIBC\|No such file\|clone3'
echo '== watchpoints'
run -ex 'break middle' -ex run -ex 'watch counter' -ex 'delete 1' -ex continue -ex continue -ex delete -ex 'rwatch here.weight' -ex continue -ex delete -ex continue ./t
echo '== conditional, temporary, ignore'
run -ex 'break leaf if n == 8' -ex 'tbreak on_usr1' -ex 'run' -ex 'print n' -ex 'bt 2' -ex continue -ex 'print counter' -ex continue ./t
echo '== signals'
run -ex 'handle SIGUSR1 stop print nopass' -ex run -ex 'print $_siginfo.si_signo' -ex continue ./t
run -ex run -ex 'print $_siginfo.si_signo' -ex 'print $_siginfo._sifields._sigfault.si_addr' -ex 'bt 1' -ex kill --args ./t a b
echo '== forks'
run -ex 'set follow-fork-mode child' -ex 'catch fork' -ex run -ex delete -ex 'break _exit' -ex continue -ex 'continue' --args ./t a | sed -E 's/at \.\..*|in .* \(\)$|, .* \(\).*//; s/forked process N//'
echo '== stepping instructions, catching calls'
run -ex 'starti' -ex 'print $pc != 0' -ex 'stepi 5' -ex 'break main' -ex continue -ex 'catch syscall write' -ex continue -ex continue -ex 'kill' ./t | sed -E 's/^(Program stopped|ADDR in _start|ADDR in _dl).*/\1/; s/, .*//' | grep -v '^ADDR\|^_start\|^ADDR in'
echo '== attach'
./t a b c >out & p=$!
for _ in $(seq 300); do grep -q waits out 2>/dev/null && break; sleep 0.1; done
run -p $p -ex 'up-silently 20' -ex 'frame function main' -ex 'print counter' -ex 'set var go = 0' -ex detach | grep -E '^\$|no-such'
wait $p; echo "status $?"; cat out
echo '== symbols'
gdb -nx -q -batch -ex 'info functions ^leaf$' ./t 2>&1 | grep leaf
