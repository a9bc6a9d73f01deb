# time: 600
# 200 MB through tar, gzip and sha256sum.
mkdir data
seq 1000000 4000000 | head -c 20971520 > data/file0
for i in 1 2 3 4 5 6 7 8 9; do (echo "$i"; cat data/file0) > "data/file$i"; done
stat -c '%n %s' data/*
tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - data | gzip -1 -n | sha256sum
mkdir copy && tar -cf - data | tar -C copy -xf - && diff -r data copy/data && echo same
