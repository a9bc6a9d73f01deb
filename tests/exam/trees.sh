# Makes the second directory of the exam, a small firm's: run with bash, in an empty directory.
set -eu
ago() { touch -h -d "$1 ago" "${@:2}"; }
mkdir -p data/old conf log/mail code/lib code/web code/tests pictures/2023 text box/empty box/full/deep box/hollow .cache/thumbs links reports
printf 'date,region,product,units,price\n2024-01-03,north,lamp,4,19.5\n2024-01-09,south,chair,10,45.0\n2024-02-11,north,desk,2,120.0\n2024-02-20,west,lamp,7,19.5\n2024-03-05,south,desk,1,120.0\n2024-03-18,north,chair,6,45.0\n' >data/sales.csv
printf 'name\tteam\tage\nmara\tops\t34\nliam\tdev\t28\nzoe\tdev\t41\nivan\tsales\t52\n' >data/staff.tsv
printf 'oslo;709000\nlyon;516000\ngraz;291000\nporto;231000\n' >data/cities.csv
printf 'date,region\n2022-05-01,north\n' >data/old/sales-2022.csv
printf '1 lamp\n2 chair\n3 desk\n' >data/products.lst
printf '1 40\n2 55\n3 12\n' >data/stock.lst
printf 'root:x:0:0:root:/root:/bin/bash\nmara:x:1000:1000:Mara:/home/mara:/bin/bash\nliam:x:1001:1001:Liam:/home/liam:/bin/zsh\nzoe:x:1002:1000:Zoe:/home/zoe:/bin/sh\nguest:x:1003:1003::/home/guest:/usr/sbin/nologin\n' >conf/accounts
printf '# server\nlisten=8080\nhost=localhost\n\n; old\ntimeout=30\ncolor=blue\n' >conf/server.conf
printf 'listen=9090\nhost=localhost\ncolor=green\n' >conf/backup.conf
printf '10.1.0.7 - - [03/Mar/2024:10:00:01] "GET /index.html" 200 512\n10.1.0.9 - - [03/Mar/2024:10:00:04] "GET /cart" 404 90\n10.1.0.7 - - [03/Mar/2024:10:01:00] "POST /cart" 200 77\n10.1.0.3 - - [04/Mar/2024:08:12:00] "GET /index.html" 500 10\n10.1.0.7 - - [04/Mar/2024:09:00:00] "GET /help" 404 90\n10.1.0.9 - - [04/Mar/2024:09:30:00] "GET /index.html" 200 512\n' >log/web.log
printf 'INFO up\nWARNING low memory\nERROR lost connection\nINFO retry\nERROR timeout after 30s\nDEBUG x=1\nwarning: again\n' >log/db.log
printf 'to=mara@example.org\nto=zoe@example.net\nto=mara@example.org\nnobody\n' >log/mail/queue.log
printf 'INFO old\n' >log/db.log.1
printf 'import sys\nimport json\n\n# TODO: logging\ndef run(args):\n    print("running", args)\n\nif __name__ == "__main__":\n    run(sys.argv)\n' >code/app.py
printf 'import os\n\ndef load(path):\n    # FIXME handle errors\n    return open(path).read()\n' >code/lib/io.py
printf 'import socket\n\ndef connect(host):\n    return socket.create_connection((host, 80))\n' >code/lib/net.py
printf 'import unittest\n# TODO: more\n' >code/tests/test_io.py
printf '<html>\n<head><title>Shop</title></head>\n<body class="main">Hello shop</body>\n</html>\n' >code/web/index.html
printf 'body { color: red; }\nh1 { color: red; }\n' >code/web/style.css
printf 'console.log("shop");   \nlet color = "red";\n' >code/web/app.js
printf '#!/bin/sh\necho run\n' >code/run.sh
printf '#!/bin/bash\necho setup $1\n' >code/setup.sh
printf 'not really a picture\n' >pictures/IMG_001.JPG; printf 'another one\n' >pictures/IMG_002.JPG; printf 'cat\n' >pictures/cat.png; printf 'dusk over the sea\n' >pictures/2023/sunset.jpg
printf 'The rain falls\non the old roof\nand the wind sings\n\nThe night is long\nthe stars are far\n' >text/poem.txt
printf 'Dear Mara,\n\n  the lamp is broken.  \nPlease send a new lamp,\nor two lamps.\n\n\nRegards, Ivan\n' >text/letter.txt
printf 'red\nblue\nred\ngreen\nblue\nred\n' >text/colors.txt
printf 'blue\nyellow\nred\n' >text/wanted.txt
printf '5\n-3\n18\n0\n18\n7\n' >text/values.txt
printf 'a,b,c\n' >text/'odd name.txt'
printf 'some words here\r\nand there\r\n' >text/dos.txt
printf 'x\n' >text/draft.txt~; printf 'x\n' >text/poem.bak; printf 'tmp\n' >box/full/work.tmp; printf 'tmp\n' >box/full/deep/more.tmp
: >box/full/nothing.dat; : >text/blank.txt
head -c 40000 /dev/zero >box/full/mid.bin; truncate -s 3M box/full/deep/large.bin; truncate -s 12M box/huge.img; head -c 700 /dev/zero >reports/q1.pdf; head -c 2500 /dev/zero >reports/q2.pdf
printf 'k=v\n' >.settings; printf 't\n' >.cache/thumbs/a.thumb; printf 'n\n' >text/.notes
ln -s ../text/poem.txt links/verse; ln -s ../gone links/dead; ln -s ../data links/tables; ln text/wanted.txt links/wanted-hard
cp text/colors.txt box/copy-of-colors.txt; cp data/sales.csv reports/sales.csv
printf 'first\n' >reports/week1.txt; printf 'second\n' >reports/week2.txt; printf 'third\n' >reports/week3.txt
tar -czf box/logs.tgz -C log db.log web.log; gzip -nk reports/week3.txt; mv reports/week3.txt.gz box/
chmod 777 box/full/mid.bin code/web/app.js; chmod 755 code/run.sh; chmod 644 code/setup.sh; chmod 600 conf/accounts; chmod 640 conf/server.conf; chmod 444 data/old/sales-2022.csv; chmod 700 box/hollow
find . -exec touch -h -d '20 days ago' {} +
ago '500 days' data/old/sales-2022.csv log/db.log.1; ago '45 days' text/letter.txt reports/q1.pdf
ago '4 days' conf/backup.conf code/lib/net.py pictures/cat.png; ago '30 hours' text/values.txt; ago '5 hours' log/db.log code/app.py
for i in 1 2 3; do ago "$((i * 7)) minutes" "$(printf 'log/web.log\ncode/web/app.js\nreports/week2.txt\n' | sed -n "${i}p")"; done
