# OpenSSH: a server and its client: keys, passwords refused, commands and their exit status, a terminal, copies, sftp, forwarded ports, one connection for many commands.
# time: 300
export HOME=$PWD; mkdir -m 700 .ssh; port=2200; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f .ssh/id; cp .ssh/id.pub keys; chmod 600 keys
mkdir -p /run/sshd; cat >conf <<C
Port $port
ListenAddress 127.0.0.1
HostKey $PWD/host
AuthorizedKeysFile $PWD/keys
PidFile $PWD/pid
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Subsystem sftp /usr/lib/openssh/sftp-server
C
/usr/sbin/sshd -t -f "$PWD/conf" && /usr/sbin/sshd -f "$PWD/conf" -E "$PWD/log"; for _ in $(seq 300); do [ -s pid ] && break; sleep 0.1; done
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host.pub)" >known
cat >client <<C
Host here
HostName 127.0.0.1
Port $port
User root
IdentityFile $PWD/.ssh/id
UserKnownHostsFile $PWD/known
BatchMode yes
StrictHostKeyChecking yes
ControlPath $PWD/master
C
s() { timeout 120 ssh -F client "$@"; }
s here 'echo "hello from $(id -un)"; exit 7'; echo "status $?"
seq 200000 | s here 'cat | cksum'; s here 'head -c 3000000 /dev/zero' | wc -c
s -tt here 'tty | tr -d 0-9; stty size; test -t 0 && echo terminal' </dev/null | tr -d '\r'
s -o PubkeyAuthentication=no here true 2>&1 | grep -o 'Permission denied'
echo "[127.0.0.1]:$port ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl" >wrong
s -o UserKnownHostsFile=$PWD/wrong here true 2>&1 | grep -o 'HOST IDENTIFICATION HAS CHANGED' | sort -u
seq 50000 >file; scp -qF client file here:$PWD/copy && cmp file copy && echo copied; mkdir -p tree/a/b && echo x >tree/a/b/c && scp -qrF client tree here:$PWD/tree2 && diff -r tree tree2 && echo tree copied
printf 'mkdir %s/made\nput file %s/made/file\nls %s/made\nrename %s/made/file %s/made/other\nget %s/made/other got\n' "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" | sftp -qF client -b - here | grep -v '^sftp>' | sed "s|$PWD||;s/ *$//"; cmp file got && echo got
s -fNM here; s -O check here 2>&1 | sed 's/pid=[0-9]*/pid/;s/\r//'; for i in 1 2 3 4 5; do s here echo $i & done | sort | tr '\n' ' '; echo; wait
s -O forward -L 127.0.0.1:2201:127.0.0.1:$port here; (echo; sleep 2) | timeout 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/2201; head -c 8 <&3'; echo
s -O forward -R 127.0.0.1:2202:127.0.0.1:$port here >/dev/null; s here 'exec 3<>/dev/tcp/127.0.0.1/2202; head -c 8 <&3'; echo
s -D 127.0.0.1:2203 -fN -o ControlPath=none here; python3 - <<P
import socket, struct
s = socket.create_connection(("127.0.0.1", 2203), 60)
s.sendall(b"\x05\x01\x00"); print(s.recv(2))
s.sendall(b"\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") + struct.pack(">H", $port)); print(s.recv(10)[:2])
print(s.recv(8))
P
s -O exit here 2>&1 | sed 's/pid=[0-9]*/pid/;s/\r//'; pkill -x ssh; grep -c 'Accepted publickey for root' log | sed 's/^[1-9][0-9]*$/many logins/'
kill -HUP "$(cat pid)"; for _ in $(seq 100); do s here echo again 2>/dev/null && break; sleep 0.1; done; kill "$(cat pid)"; for _ in $(seq 300); do [ -e pid ] || break; sleep 0.1; done; [ -e pid ] || echo stopped
