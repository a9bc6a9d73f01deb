# Makes the directory that the exam's requests are asked in: run with bash, in an empty directory.
set -eu
ago() { touch -h -d "$1 ago" "${@:2}"; }
printf 'Shopping list\napples\nTODO call the bank\nfoo and bar\nfoo again\n\n\nlast line\n' >notes.txt
printf 'alice,31,Berlin\nbob,25,Paris\ncarol,42,Berlin\ndave,19,Rome\n' >people.csv
printf 'delta\nalpha\ncharlie\nbravo\nalpha\ncharlie\nalpha\n' >words.txt
printf '12\n7\n101\n3\n45\n' >numbers.txt
printf 'the quick brown fox\njumps over the lazy dog\nThe end\n' >story.txt
printf 'host = example.org\nport = 8080\n# a comment\ndebug = true\n\n# another comment\nuser = nobody\n' >config.ini
printf '10.0.0.1 GET /index.html 200\n10.0.0.2 GET /missing 404\n10.0.0.1 GET /about.html 200\n10.0.0.3 POST /login 500\n10.0.0.1 GET /nothing 404\n' >access.log
printf '2024-01-01 INFO start\n2024-01-01 ERROR disk full\n2024-01-02 WARN slow\n2024-01-02 ERROR no route\n2024-01-03 INFO stop\n2024-01-03 error lower case\n' >app.log
printf '{"name": "demo", "version": 3}\n' >settings.json
printf '<html>\n<body>Hello</body>\n</html>\n' >page.html
printf '#!/bin/bash\necho hello from script\n' >script.sh
printf '#!/bin/bash\necho tool\n' >tool.sh
chmod 644 script.sh; chmod 755 tool.sh
printf 'secret = 42\n' >.hiddenrc
printf 'same content\n' >dup-one.txt; printf 'same content\n' >dup-two.txt
printf 'line 1\nline 2\nline 3\n' >left.txt; printf 'line 1\nline two\nline 3\nline 4\n' >right.txt
: >empty.txt
printf 'a b\n' >'my file.txt'
ln -s notes.txt shortcut; ln -s nowhere broken
mkdir emptydir src src/lib docs photos logs project project/.git project/sub backup
printf 'import os\n\n\ndef main():\n    print("foo")\n\n\nmain()\n' >src/main.py
printf 'def helper():\n    return "foo"\n' >src/util.py
printf '# deep\nx = 1\ny = 2\n' >src/lib/deep.py
printf '#include "helper.h"\nint main(void) { return 0; }\n' >src/helper.c
printf 'int helper(void);\n' >src/helper.h
printf '# Guide\nUse foo here.\n' >docs/guide.md
printf 'old manual about foo\n' >docs/manual.txt
printf 'chapter\n' >docs/chapter1.txt; printf 'chapter\n' >docs/chapter2.txt
for i in paris rome; do printf 'jpeg %s\n' $i >photos/$i.jpeg; done
printf 'jpg\n' >photos/beach.jpg; printf 'png\n' >photos/logo.png
printf 'x\n' >logs/today.log; printf 'x\n' >logs/weekold.log; printf 'x\n' >logs/ancient.log
printf 'visible\n' >project/readme.md; printf 'hidden\n' >project/.env; printf 'x\n' >project/.git/config; printf 's\n' >project/sub/code.rs; printf 'h\n' >project/sub/.cache
printf 't\n' >one.tmp; printf 't\n' >two.tmp; printf 't\n' >docs/three.tmp
head -c 300000 /dev/zero >medium.dat; truncate -s 5M big.iso; truncate -s 30M film.mp4; truncate -s 2M logs/huge.log; head -c 1500000 /dev/zero >docs/scan.pdf
printf 'dump\n' >backup/data.sql; printf 'cfg\n' >backup/old.conf
mkdir t; printf 'in the tar\n' >t/inside.txt; printf 'two\n' >t/second.txt; tar -czf bundle.tar.gz -C t inside.txt second.txt; tar -cf plain.tar -C t second.txt; rm -r t
printf 'squeezed\n' >report.txt; gzip -n report.txt
chmod 600 backup/data.sql; chmod 666 docs/manual.txt
ago '400 days' logs/ancient.log docs/manual.txt backup/old.conf
ago '8 days' logs/weekold.log film.mp4 docs/guide.md photos/beach.jpg
ago '3 days' src/util.py medium.dat people.csv backup/data.sql
ago '30 hours' logs/huge.log words.txt
ago '2 hours' docs/scan.pdf story.txt
# What is new has an order.
find . -type f -newermt '1 hour ago' -exec touch -d '5 hours ago' {} +
for i in 1 2 3 4 5 6; do ago "$i minutes" "$(printf 'notes.txt\nleft.txt\nsettings.json\nsrc/main.py\nlogs/today.log\napp.log\n' | sed -n "${i}p")"; done
ago '2 hours' docs/scan.pdf story.txt
