# A tree of 1500 files in 60 directories, as source code has them.
need tar find cp rm
mkdir tree
for d in {1..60}; do
    mkdir -p tree/$((d % 6))/dir$d
    for f in {1..25}; do
        printf '%*s\n' $((d * f * 7 % 9000 + 20)) "file $f of $d" > tree/$((d % 6))/dir$d/file$f.c
    done
done
tar cf tree.tar tree
rm -r tree
sync
unpack() { tar xf tree.tar; }
unpack_and_sync() { tar xf tree.tar && sync; }
copy() { cp -a tree copy; }
look() { [ "$(find tree -type f | wc -l)" = 1500 ]; }
remove() { rm -r tree copy; }
report_seconds "untar 1500 files" unpack
report_seconds "find them" look
report_seconds "copy them" copy
report_seconds "remove both trees" remove
report_seconds "untar and sync" unpack_and_sync
