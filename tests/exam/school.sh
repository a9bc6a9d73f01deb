# Makes the third directory of the exam, a school's: run with bash, in an empty directory.
set -eu
ago() { touch -h -d "$1 ago" "${@:2}"; }
mkdir -p dir1/sub1/deep dir1/sub2 dir2/spare lessons/maths lessons/history marks/2022 tools site/css site/img media/music media/video mail backups/daily keys 'old stuff' etc var/log var/cache/x .hidden/inside shelf/void
printf 'import re\nimport os\nfrom math import sqrt\n\n# entry point\ndef main():\n    print("hello world")\n    return 0\n\ndef area(r):\n    return 3.14 * r * r\n\nmain()\n' >dir1/main.py
printf 'def greet(name):\n    # TODO greet nicely\n    print("hello", name)\n' >dir1/sub1/helpers.py
printf 'class Core:\n    """The core."""\n    def start(self):\n        pass\n\n    def stop(self):\n        pass\n' >dir1/sub1/deep/core.py
printf '#!/bin/bash\n# starts it\nexport MODE=test\necho "hello $USER"\n' >dir1/sub2/run.sh
printf '#include <stdio.h>\nint main(void) {\n\tputs("hello");\n\treturn 0;\n}\n' >dir1/sub2/hello.c
printf 'all: hello\nhello: hello.c\n\tcc -o hello hello.c\n' >dir1/sub2/Makefile
printf '# Project\n\nSee http://example.org/docs and https://example.com.\nWritten by Ada.\n' >dir1/README.md
printf 'apple\nbanana\ncherry\n' >dir2/a.txt; printf 'banana\ncherry\ndate\n' >dir2/b.txt; printf 'APPLE\npear\n' >dir2/c.text; printf 'x y z\n' >dir2/spare/d.txt; printf 'test data\n' >dir2/test_data.dat; : >dir2/spare/hollow.txt
printf '# Fractions\nA half is 1/2.\nA quarter is 1/4.\n\n## Exercises\nAdd them.\n' >lessons/maths/fractions.md
printf '# Angles\nA right angle has 90 degrees.\n' >lessons/maths/angles.md
printf '# Rome\nRome was founded in 753 BC.\nRome fell in 476.\n' >lessons/history/rome.md
printf '# Egypt\nThe pyramids are in Giza.\n' >lessons/history/egypt.md
printf 'name,subject,mark,date\nada,maths,91,2024-03-01\nben,maths,58,2024-03-01\ncleo,history,74,2024-02-12\ndan,history,66,2024-02-12\nada,history,83,2024-02-12\nben,art,58,2024-01-20\n' >marks/class-a.csv
printf 'name,subject,mark,date\neve,maths,47,2024-03-01\nfinn,art,88,2024-01-20\n' >marks/class-b.csv
printf 'ada 9 91.5\nben 10 58.25\ncleo 9 74.0\ndan 11 66.0\n' >marks/results.txt
printf 'name,mark\nold,1\n' >marks/2022/class-a.csv
printf '3\n10\n2\n33\n10\n1\n' >marks/scores
printf '#!/bin/sh\ntar -czf /tmp/x.tgz "$1"\n' >tools/backup.sh; printf '#!/bin/sh\nrm -f "$1"\n' >tools/cleanup.sh; printf '#!/usr/bin/env python3\nprint("tool")\n' >tools/report; printf 'echo no shebang\n' >tools/plain.sh
printf '<html>\n<a href="http://old.example.org/">old</a>\n<img src="img/logo.png">\n<p>Welcome</p>\n</html>\n' >site/index.html
printf '<html>\n<a href="http://old.example.org/about">old</a>\n<p>About us</p>\n</html>\n' >site/about.htm
printf 'body { margin: 0 }\np { color: blue }\n' >site/css/main.css; printf 'p { color: blue }\n' >site/css/print.css
for n in logo banner; do printf "png $n\n" >site/img/$n.png; done; printf 'jpg\n' >site/img/Team.JPG; printf 'gif\n' >site/img/dot.gif
truncate -s 6M media/music/song.mp3; truncate -s 3M media/music/tune.ogg; truncate -s 60M media/video/trip.mp4; truncate -s 150k media/video/clip.avi; head -c 12000 /dev/zero >media/cover.jpg
printf 'From: ada@school.example\nTo: ben@school.example\nSubject: Homework\n\nPlease send it to cleo@other.example by Friday.\n' >mail/1.eml
printf 'From: ben@school.example\nTo: ada@school.example\nSubject: Re: Homework\n\nDone. Call 555-0199.\n' >mail/2.eml
printf 'From: eve@other.example\nTo: ada@school.example\nSubject: Trip\n\nThe bus leaves at 08:15.\n' >mail/3.eml
printf 'ssh-ed25519 AAAAC3 ada@school\n' >keys/id.pub; printf 'PRIVATE\n' >keys/id; printf 'a note\n' >'old stuff/my note.txt'; printf 'b\n' >'old stuff/plain'
printf '127.0.0.1 localhost\n10.0.0.5 server files\n10.0.0.6 printer\n# 10.0.0.7 unused\n' >etc/hosts
printf '[main]\nname = school\nport=8080\nretries = 3\n\n[backup]\nport=9090\n# path=/old\npath = /srv/backup\n' >etc/app.ini
printf 'DB_HOST=localhost\nDB_PORT=5432\nSECRET=abc123\n' >etc/env
printf 'staff:x:50:ada,cleo\npupils:x:60:ben,dan,eve\nadmins:x:10:ada\n' >etc/groups
printf 'Mar 01 10:00:01 srv sshd[411]: Accepted password for ada from 10.0.0.9\nMar 01 10:05:44 srv sshd[415]: Failed password for ben from 10.0.0.66\nMar 01 10:06:02 srv sshd[416]: Failed password for ben from 10.0.0.66\nMar 01 11:00:00 srv cron[500]: job started\nMar 02 09:15:30 srv kernel: warning: disk almost full\nMar 02 09:20:11 srv sshd[601]: Failed password for eve from 10.0.0.70\nMar 02 12:00:00 srv cron[700]: job started\n' >var/log/auth.log
printf 'start\nerror: no paper\nok\nError: jam\nok\nstop\n' >var/log/print.log; printf 'gone\n' >var/log/print.log.1; printf 'c\n' >var/cache/x/item.cache; printf 'c\n' >var/cache/y.cache
printf 'the cat saw the dog\nThe dog ran\nA bird sang the song\n' >story.txt; printf 'one two three\nfour five\nsix\n' >words.txt
printf 'pear\nfig\nfig\nkiwi\npear\nfig\n' >fruit.list
printf '  indented line\n\ttabbed line\nplain line  \n\n\nend\n' >messy.txt
printf '{"school": "North", "pupils": [{"name": "ada", "age": 9}, {"name": "ben", "age": 10}]}\n' >school.json
printf 'x\n' >.profile; printf 'y\n' >.hidden/inside/z.conf; printf 't\n' >junk.tmp; printf 't\n' >dir1/sub1/junk.tmp; printf 'b\n' >dir2/a.txt.bak; printf 'b\n' >marks/old.bak; printf 'o\n' >dir1/sub2/hello.o
cp dir2/a.txt shelf/same-as-a; ln -s ../dir2/a.txt shelf/link-a; ln -s ../nowhere shelf/lost; ln dir2/b.txt shelf/hard-b
tar -czf backups/site.tar.gz site; tar -cf backups/marks.tar marks; gzip -nc story.txt >backups/story.txt.gz; printf 'dump\n' >backups/daily/mon.sql; printf 'dump2\n' >backups/daily/tue.sql
chmod 755 tools/backup.sh tools/report; chmod 644 tools/cleanup.sh tools/plain.sh dir1/sub2/run.sh; chmod 600 keys/id; chmod 666 etc/env; chmod 777 var/cache/y.cache; chmod 444 etc/hosts; chmod 750 backups/daily
find . -exec touch -h -d '15 days ago' {} +
ago '700 days' marks/2022/class-a.csv marks/old.bak; ago '100 days' lessons/history/egypt.md var/log/print.log.1 backups/daily/mon.sql; ago '40 days' site/about.htm media/music/tune.ogg
ago '5 days' lessons/maths/angles.md backups/daily/tue.sql site/css/print.css; ago '26 hours' etc/app.ini dir2/b.txt; ago '3 hours' var/log/auth.log dir1/main.py mail/3.eml
for i in 1 2 3 4; do ago "$((i * 8)) minutes" "$(printf 'fruit.list\nvar/log/print.log\ndir1/sub1/helpers.py\nmarks/class-b.csv\n' | sed -n "${i}p")"; done
