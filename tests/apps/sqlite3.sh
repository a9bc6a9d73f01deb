# The SQLite shell: ten thousand inserts one by one in a transaction, an index, WAL with two at once, a check of everything.
(echo 'create table t(id integer primary key, name text, n int); begin;'
 for i in $(seq 10000); do echo "insert into t(name, n) values('name $i', $((i * 7919 % 10007)));"; done
 echo 'commit; create index by_n on t(n);') | sqlite3 a.db
sqlite3 a.db 'pragma integrity_check; select count(*), sum(n), count(distinct n) from t; select name from t where n = 5;'
sqlite3 a.db 'pragma journal_mode=wal;'
sqlite3 a.db "pragma busy_timeout=60000; begin immediate; with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t(name, n) select 'w1', x from c; commit;" >/dev/null &
sqlite3 a.db "pragma busy_timeout=60000; begin immediate; with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t(name, n) select 'w2', x from c; commit;" >/dev/null &
wait
sqlite3 a.db 'select name, count(*) from t where name like "w_" group by name; pragma wal_checkpoint(truncate); pragma integrity_check; delete from t where id % 3 = 0; vacuum; select count(*) from t;'
sqlite3 a.db .dump | sqlite3 b.db && sqlite3 b.db 'select count(*), sum(id) from t;' && ls
