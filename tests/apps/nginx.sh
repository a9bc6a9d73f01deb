# nginx on a unix socket: a file, a range, a directory's index, errors, workers as www-data, reload and stop.
mkdir -p html logs list/sub && touch list/a list/b && chmod 755 . && echo '<h1>It works</h1>' >html/index.html && seq 10000 >html/big.txt
cat >conf <<C
worker_processes 2; pid $PWD/pid; error_log $PWD/logs/error.log; user www-data;
events { worker_connections 64; }
http { access_log off; sendfile on; client_body_temp_path $PWD/tmp1; proxy_temp_path $PWD/tmp2; fastcgi_temp_path $PWD/tmp3; uwsgi_temp_path $PWD/tmp4; scgi_temp_path $PWD/tmp5;
  types { text/html html; text/plain txt; } gzip on; gzip_types text/plain;
  server { listen unix:$PWD/n.sock; root $PWD/html; location /status { stub_status; } location /echo { return 200 "\$request_method \$args\n"; } location /list/ { autoindex on; alias $PWD/list/; } } }
C
c() { curl -sS --max-time 60 --unix-socket n.sock "$@"; }
nginx -t -c "$PWD/conf" 2>&1 | grep -o 'successful'; nginx -c "$PWD/conf"; c http://x/; c -o /dev/null -w '%{http_code} %{size_download} %{content_type}\n' http://x/big.txt
c http://x/big.txt | cksum; c --compressed http://x/big.txt | cksum; c -r 100-119 http://x/big.txt | od -c | head -2; c -o /dev/null -w '%{http_code}\n' http://x/none; c -d body 'http://x/echo?a=b'; c http://x/list/ | grep -c href
for i in $(seq 20); do c http://x/ & done | sort | uniq -c; ps -o user= -C nginx | sort | uniq -c | tr -s ' '
sed -i 's/return 200 "/return 200 "new /' conf && nginx -c "$PWD/conf" -s reload 2>/dev/null; for _ in $(seq 300); do c http://x/echo | grep -q new && break; sleep 0.1; done; c http://x/echo
nginx -c "$PWD/conf" -s quit 2>/dev/null; for _ in $(seq 300); do [ -e pid ] || break; sleep 0.1; done; [ -e pid ] || echo stopped; grep -vE 'notice|signal' logs/error.log | grep -c crit; true
