# redis on a unix socket: values, expiry, a transaction, publish and subscribe, persistence over a restart, its benchmark.
# time: 240
start() { redis-server --port 0 --unixsocket "$PWD/r.sock" --dir "$PWD" --save '' --appendonly yes --appendfsync always --daemonize yes --pidfile "$PWD/pid" --logfile "$PWD/log" >/dev/null; for _ in $(seq 300); do r ping 2>/dev/null | grep -q PONG && return; sleep 0.1; done; cat log; }
r() { redis-cli -s "$PWD/r.sock" "$@"; }
start; r ping; r set a 1; r incr a; r rpush l x y z; r lrange l 0 -1; r hset h f v g w; r hgetall h; r setex e 1 gone; r zadd z 2 b 1 a; r zrange z 0 -1 withscores
printf 'multi\nset b 5\nincrby b 7\nexec\n' | r; r eval 'return redis.call("get", KEYS[1]) + 1' 1 b
for _ in $(seq 300); do [ "$(r exists e)" = 0 ] && break; sleep 0.1; done; r exists e
redis-cli -s "$PWD/r.sock" subscribe news >got 2>/dev/null & for _ in $(seq 300); do [ "$(r publish news hello)" = 1 ] && break; sleep 0.1; done; for _ in $(seq 300); do grep -q hello got && break; sleep 0.1; done; grep hello got; kill $! 2>/dev/null
r bgsave; for _ in $(seq 300); do r info persistence | grep -q rdb_bgsave_in_progress:0 && break; sleep 0.1; done; r info persistence | grep -E 'rdb_last_bgsave_status' | tr -d '\r'
kill -9 "$(cat pid)"; for _ in $(seq 300); do kill -0 "$(cat pid)" 2>/dev/null || break; sleep 0.1; done; start; r get b; r lrange l 0 -1; r bgrewriteaof
redis-benchmark -s "$PWD/r.sock" -n 2000 -c 20 -q -t set,get,lpush --csv | cut -d, -f1
r shutdown; for _ in $(seq 300); do kill -0 "$(cat pid 2>/dev/null)" 2>/dev/null || break; sleep 0.1; done; redis-check-aof appendonlydir/*.manifest | tail -1
