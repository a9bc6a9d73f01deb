# wrk against nginx over loopback: a small file, and a large one by sendfile.
need nginx wrk curl
mkdir html && echo hello > html/small && head -c 1000000 /dev/urandom > html/large && chmod -R a+rX . && chmod 755 .
cat > conf <<C
worker_processes 1; pid $PWD/pid; error_log $PWD/error; user root;
events { worker_connections 64; }
http { access_log off; sendfile on; server { listen 127.0.0.1:8090; root $PWD/html; } }
C
nginx -c "$PWD/conf"
for _ in {1..200}; do [ -s pid ] && break; sleep 0.05; done
# rate PATH: requests a second.
rate() { wrk -t1 -c8 -d4s "http://127.0.0.1:8090/$1" | awk '/^Requests\/sec/ { print $2 }'; }
curl -sf http://127.0.0.1:8090/large | cmp - html/large
rate small > /dev/null
report "nginx, a small file" /s "$(rate small)"
report "nginx, a megabyte" /s "$(rate large)"
nginx -c "$PWD/conf" -s quit
