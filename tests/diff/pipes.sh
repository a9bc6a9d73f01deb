seq 1 5000 | awk '{ print $1 % 97, $1 }' | sort -n | uniq -c -w 3 | sed -n '1,20p'
yes | head -n 100000 | wc -c
printf '%s\n' b a c | sort | tr '\n' ' ' | sed 's/ $//'
echo
set -o pipefail
false | true
echo "pipefail $?"
yes | head -n 1 > /dev/null
echo "SIGPIPE ${PIPESTATUS[*]}"
