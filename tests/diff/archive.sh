# time: 600
# 200 MB through tar, gzip and sha256sum.
mkdir data
for i in 1 2 3 4 5 6 7 8; do
    awk -v n="$i" 'BEGIN { for (i = 0; i < 1300000; i++) printf "%07d %d line of text\n", i, n }' | head -c 26214400 > "data/file$i"
done
du -b data | cut -f1 | head -n 1 > /dev/null
stat -c '%n %s' data/*
tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - data | gzip -1 -n | sha256sum
