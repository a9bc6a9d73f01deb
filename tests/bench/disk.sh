# Throughput of the disk through the filesystem.
need dd sync
write() { dd if=/dev/zero of=big bs=1M count=96 conv=fsync status=none; }
forget() { sync big; dd if=big iflag=nocache count=0 status=none; }
read_big() { dd if=big of=/dev/null bs=1M status=none; }
small() { dd if=/dev/zero of=small bs=4k count=100 oflag=dsync status=none; }
report_rate "write and sync 96 MiB" MB/s 100.66 write
forget
report_rate "read 96 MiB from the disk" MB/s 100.66 read_big
report_rate "read 96 MiB from memory" MB/s 100.66 read_big
report_rate "synced writes of 4 KiB" /s 100 small
