# What programs read about themselves.
readlink /proc/self/exe
tr '\0' ' ' < /proc/self/cmdline; echo
grep -E '^(Name|Uid|Gid|Threads):' /proc/self/status
ls /proc/self/fd | head -n 3
echo $PPID | grep -c '^[0-9]*$'
nproc
id
umask
ulimit -n
uname -s -m
ps -o pid= -p $$ | tr -d ' ' | grep -cx $$
ps -e -o comm= | grep -cx init
getconf PAGESIZE
df --output=target / | tail -n 1
test -t 0; echo "terminal $?"
free -b | awk 'NR == 2 { print ($2 > 100000000) }'
