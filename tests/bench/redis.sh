# redis-benchmark over loopback.
need redis-server redis-benchmark redis-cli
redis-server --port 6399 --save '' --daemonize yes --logfile "$PWD/log" > /dev/null
for _ in {1..200}; do redis-cli -p 6399 ping > /dev/null 2>&1 && break; sleep 0.05; done
redis-benchmark -p 6399 -n 3000 -c 10 -t set,get,lpush --csv | while IFS=, read -r name rate _; do
    case $name in '"SET"'|'"GET"'|'"LPUSH"') report "redis ${name//\"/}" /s "${rate//\"/}" ;; esac
done
redis-cli -p 6399 shutdown nosave
