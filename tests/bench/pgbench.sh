# pgbench on PostgreSQL 15 with fsync on, over its unix socket.
export PATH=/usr/lib/postgresql/15/bin:$PATH PGHOST=$PWD PGUSER=postgres
need initdb pgbench
chown postgres . && chmod 755 "$(dirname "$PWD")" .
as() { su -s /bin/bash postgres -c "cd '$PWD' && PATH=$PATH PGHOST=$PWD $1"; }
as 'initdb -D data -A trust -E UTF8 --locale=C.UTF-8' > initdb.log 2>&1
as "pg_ctl -D data -l log -w -t 120 -o \"-c listen_addresses= -c unix_socket_directories=$PWD -c fsync=on\" start" > /dev/null
pgbench -q -i -s 1 postgres > /dev/null 2>&1
# rate OPTIONS...: transactions a second.
rate() { pgbench -n "$@" postgres 2> /dev/null | awk '/^tps/ { print $3 }'; }
report "pgbench, read only" /s "$(rate -S -c 4 -j 2 -T 5)"
report "pgbench, with fsync" /s "$(rate -c 4 -j 2 -T 5)"
as 'pg_ctl -D data -m fast -w -t 120 stop' > /dev/null
