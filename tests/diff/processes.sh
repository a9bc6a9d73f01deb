# time: 240
# 2,000 processes, started one after the other and in the background.
for ((i = 0; i < 1000; i++)); do /bin/true || echo "failed at $i"; done
for ((i = 0; i < 50; i++)); do
    for ((j = 0; j < 20; j++)); do /bin/echo "$i $j" >> log & done
    wait
done
wc -l < log
sort -n -k1,1 -k2,2 log | sha256sum
