# Inserts into a table with an index, each in a transaction of its own and all in one.
need sqlite3
each() { for i in {1..300}; do echo "INSERT INTO t VALUES ($i, 'row number $i');"; done | sqlite3 each.db; }
all() { { echo 'BEGIN;'; for i in {1..20000}; do echo "INSERT INTO t VALUES ($i, 'row number $i');"; done; echo 'COMMIT;'; } | sqlite3 all.db; }
for db in each all; do sqlite3 $db.db 'CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX i ON t (text);'; done
report_rate "synced inserts" /s 300 each
report_rate "inserts in one transaction" /s 20000 all
[ "$(sqlite3 each.db 'SELECT count(*) FROM t')" = 300 ] && [ "$(sqlite3 all.db 'SELECT count(*) FROM t')" = 20000 ]
