seq 1000 | awk '{ s += $1; q += $1 * $1 } END { print s, q, s / NR }'
printf 'one two\nthree four\n' | sed -E 's/(\w+) (\w+)/\2 \1/; $!d'
printf 'x=1\ny=22\nz=333\n' | grep -E '^[xy]=' | cut -d= -f2 | paste -sd+ | tr -d '\n'; echo
printf '%05.2f|%-6s|%x|%o\n' 3.14159 ab 255 8
printf 'b 2\na 10\nc 1\n' | sort -k2n
echo 'Häuser Öl ß' | tr 'a-z' 'A-Z'
echo 'Häuser' | wc -m -c
[[ "foo.tar.gz" =~ ^([a-z]+)\.(.*)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
a=(1 2 3); declare -A h=([k]=v [l]=w); echo "${#a[@]} ${a[@]: -1} ${h[k]}"
echo $((2 ** 62)) $((0xff)) $((7 / 2)) $((-7 % 3))
seq 20 | xargs -n 7 echo
seq 50 | split -l 20 - part. && wc -l part.*
base64 <<< 'GenAI OS' | base64 -d
diff -u <(echo a; echo b) <(echo a; echo c) | tail -n +3
