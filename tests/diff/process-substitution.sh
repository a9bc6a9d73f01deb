diff <(seq 1 10) <(seq 1 2 10)
echo "status $?"
paste <(printf 'a\nb\nc\n') <(seq 3) <(seq 3 | tac)
comm -12 <(printf '%s\n' apple bread cheese) <(printf '%s\n' bread cheese milk)
seq 100 | tee >(wc -l > lines) >(sort -rn | head -n 3 > top) > all
while [[ ! -s lines || $(wc -l < top) != 3 ]]; do sleep 0.1; done
cat lines top
