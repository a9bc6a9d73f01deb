# fio on the root's disk: large pieces one after the other, small ones anywhere, and small ones of which each is on the disk before the next.
need fio
# rate NAME UNIT FIELD OPTIONS...: FIELD of fio's terse output (7 and 48: kB a second read and written; 8 and 49: pieces a second).
rate() {
    local name=$1 unit=$2 field=$3 value; shift 3
    value=$(fio --name=job --filename=file --size=32m --minimal --group_reporting "$@" 2> /dev/null | awk -F';' -v field="$field" 'NF > 50 { print $field }')
    [ "$unit" = MB/s ] && value=$(awk -v kb="$value" 'BEGIN { printf "%.3f", kb / 1000 }')
    report "$name" "$unit" "$value"
}
rate "fio, writing in order, and fsync" MB/s 48 --rw=write --bs=256k --end_fsync=1
echo 3 > /proc/sys/vm/drop_caches
rate "fio, reading in order" MB/s 7 --rw=read --bs=256k
rate "fio, reading anywhere, from the disk at first" /s 8 --rw=randread --bs=4k --runtime=3 --time_based
rate "fio, reading anywhere, cached" /s 8 --rw=randread --bs=4k --invalidate=0 --runtime=3 --time_based
rate "fio, writing anywhere, fsync each" /s 49 --rw=randwrite --bs=4k --fsync=1 --runtime=4 --time_based
rate "fio, libaio, 16 at once" /s 8 --ioengine=libaio --iodepth=16 --rw=randread --bs=4k --runtime=3 --time_based
rate "fio, io_uring, 16 at once" /s 8 --ioengine=io_uring --iodepth=16 --rw=randread --bs=4k --runtime=3 --time_based
