# busybox: its shell and a selection of its applets.
b() { busybox "$@"; }
b sh -c 'for i in 1 2 3; do echo $((i * i)); done | busybox tac; x=$(busybox printf %05d 42); echo $x'
mkdir d && seq 100 >d/n && b cp -a d e && b find e -type f | b xargs busybox wc -l
b grep -c 7 d/n; b sed -n '10,12s/1/one/gp' d/n; b awk '{s += $1} END {print s}' d/n; b sort -rn d/n | b head -n 2; b cut -c1 d/n | b uniq -c | b tail -n 1
b tar czf e.tgz e && rm -r e && b tar xzf e.tgz && b cmp d/n e/n && b md5sum e/n; b gzip -c d/n | b gunzip | b sha256sum
b dd if=/dev/zero of=z bs=4k count=3 2>/dev/null; b stat -c %s z; b od -An -c -N4 d/n; b hexdump -C -n 16 z; b ls -1 | b sort
b ln -s d/n link; b readlink link; b realpath link | b sed 's|.*/||;'; b test -L link && echo link; b touch -d '2024-01-02 03:04:05' z; b date -u -r z
b expr 6 \* 7; b seq -s, 5; b tr a-z A-Z <<<hello; b basename /a/b.c .c; b dirname /a/b; b env -i A=b busybox env; b id -u;
b timeout 1 busybox sleep 30; echo "status $?"; b sh -c 'kill -TERM $$'; echo "status $?"; b mktemp -q tmp.XXXXXX | b wc -c
b vi --help 2>&1 | head -1 | cut -c1-8; echo '3 4 + p' | b dc; echo '2^64' | b bc; b cal 2 2024 | b head -n 3; b diff d/n z | b head -n 1; b bzip2 -c d/n | b bunzip2 | b wc -l; b xxd -l 4 d/n
