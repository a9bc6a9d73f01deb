# iperf3 over loopback: one stream each way, and datagrams.
need iperf3
iperf3 -s -p 5299 -D -I "$PWD/pid"
for _ in {1..200}; do [ -s pid ] && break; sleep 0.05; done
# rate OPTIONS...: megabytes a second that the receiver saw.
rate() { iperf3 -c 127.0.0.1 -p 5299 -t 3 "$@" -J | tr ',' '\n' | awk -F: '/"sum_received"|"sum":/ { inside = 1 } inside && /"bits_per_second"/ { value = $2; inside = 0 } END { printf "%.2f", value / 8e6 }'; }
report "iperf3, one stream" MB/s "$(rate)"
report "iperf3, the other way" MB/s "$(rate -R)"
report "iperf3, four streams" MB/s "$(rate -P 4)"
kill "$(tr -d '\0' < pid)"
