mkdir -p a/b/c && echo one > a/one && echo two > a/b/two
ln -s ../one a/b/link && ln a/one a/hard
stat -c '%n %F %a %s %h' a a/b a/one a/hard a/b/link
cat a/b/link
mv a/b/two a/two && ls -R a
chmod 600 a/one && stat -c %a a/one a/hard
rm a/one && cat a/hard
rmdir a; echo "rmdir $?"
rm -r a && ls
echo 12345 > f && truncate -s 3 f && cat f && echo
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000 2> /dev/null && stat -c %s sparse && md5sum sparse
touch -d '2020-01-02 03:04:05 UTC' f && stat -c %Y f && TZ=UTC date -r f '+%F %T'
: > empty && [[ -s empty ]] || echo "empty is empty"
cat nothing 2>&1
cd nothing 2>&1
exec 3<> f && echo abc >&3 && exec 3>&- && cat f
set -C; echo x > f; echo "noclobber $?"
