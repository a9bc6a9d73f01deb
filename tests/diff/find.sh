# time: 240
# The same root on RedoxFS and on ext4: names, types, modes, owners, sizes of files, targets of links.
# What services write of themselves (their state, the count of unfinished starts) comes and goes while they start.
find / -xdev \( -path /tmp -o -path /var/tmp -o -path /root -o -path /run -o -path /lost+found -o -path /boot \
    -o -path /proc -o -path /sys -o -path /dev -o -path /scheme \) -prune -o -type d -printf '%p %y %m %U %G\n' -o \
    -printf '%p %y %m %U %G %s %l\n' | sort | grep -v '^/ ' > list
wc -l < list | awk '{ print ($1 > 500) }'
grep -v -E '^/(var/log|var/lib/(gci|genaid)|etc/(mtab|hostname|resolv.conf|machine-id|ld.so.cache))' list
find /usr/bin -type f -name 'b*' -size +10k | sort
