# PostgreSQL 15 with fsync on: a cluster, tables over its unix socket, pgbench, a kill -9 and the recovery after it.
# time: 400
export PATH=/usr/lib/postgresql/15/bin:$PATH PGHOST=$PWD PGUSER=postgres
chown postgres . && as() { su -s /bin/bash postgres -c "cd '$PWD' && PATH=$PATH PGHOST=$PWD $1"; }
start() { as "pg_ctl -D data -l log -w -t 120 -o \"-c listen_addresses= -c unix_socket_directories=$PWD -c fsync=on\" start" >ctl 2>&1 || cat ctl log; }
as 'initdb -D data -A trust -E UTF8 --locale=C.UTF-8' >initdb.log 2>&1 || cat initdb.log; start
q() { psql -X -q -A -t "$@"; }
q -c 'create table t(id serial primary key, name text not null, n int)' -c "insert into t(name, n) select 'name ' || i, i * 7919 % 10007 from generate_series(1, 10000) i" -c 'create index on t(n)' -c 'analyze t'
q -c 'select count(*), sum(n) from t' -c 'select name from t where n = 5' -c 'show fsync' -c "select version() like 'PostgreSQL 15%'"
q -c "begin" -c "insert into t(name) values(null)" -c "commit" 2>&1 | head -1
q <<'S'
create function f(a int) returns int language plpgsql as $$ begin return a * 2; end $$;
select f(21), '{"a": [1, 2]}'::jsonb -> 'a' -> 1, array_agg(x order by x desc), to_char(date '2024-02-29', 'Day') from generate_series(1, 3) x;
copy (select n from t order by n limit 3) to stdout;
S
pgbench -q -i -s 1 postgres >pgbench.log 2>&1 || cat pgbench.log
pgbench -n -c 4 -j 2 -t 25 postgres 2>&1 | grep -E 'processed|failed' ; q -c 'select count(*) from pgbench_history'
q -c "insert into t(name, n) values('before the kill', -1)"; (q -c 'insert into t(name, n) select $$lost$$, -2 from generate_series(1, 100000); select pg_sleep(100)' -1 >/dev/null 2>&1 &)
kill -9 "$(head -1 data/postmaster.pid)"; for _ in $(seq 600); do pgrep -u postgres postgres >/dev/null || break; sleep 0.1; done; start
grep -o 'was not properly shut down' log | head -1; q -c 'select name from t where n = -1' -c 'select count(*) from t where n = -2' -c 'select count(*) from pgbench_history' -c 'select sum(abalance) = (select sum(delta) from pgbench_history) from pgbench_accounts'
as 'pg_ctl -D data -m fast -w -t 120 stop' | tail -1; as 'pg_checksums -D data -c' 2>&1 | tail -1 | cut -c1-60
