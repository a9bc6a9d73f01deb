# OpenSSH over the loop-back: commands, their exit statuses and streams, a terminal, forwarded ports, sftp and scp, one connection for several sessions, a key that is refused.
mkdir -p -m 755 /run/sshd; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f key -C test; ssh-keygen -q -t rsa -b 2048 -N '' -f other; cp key.pub auth
cat >server <<C
Port 2222
ListenAddress 127.0.0.1
HostKey $PWD/host
PidFile $PWD/pid
AuthorizedKeysFile $PWD/auth
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp /usr/lib/openssh/sftp-server
AcceptEnv WORD
C
cat >client <<C
Host vm
  HostName 127.0.0.1
  Port 2222
  User root
  IdentityFile $PWD/key
  IdentitiesOnly yes
  UserKnownHostsFile $PWD/known
  StrictHostKeyChecking accept-new
  LogLevel ERROR
  SendEnv WORD
C
/usr/sbin/sshd -f server -E "$PWD/log" && for _ in $(seq 300); do [ -e pid ] && break; sleep 0.1; done
s() { timeout 100 ssh -F client "$@"; }
s vm 'echo "$0 $USER $HOME"; echo error >&2; exit 7' 2>err; echo "status $?, $(cat err)"
WORD='two words' s vm 'echo "$WORD"; tty; id -un; echo ${SSH_CONNECTION%% *}'
seq 100000 | s vm 'gzip -c' | gunzip | cksum; head -c 4000000 /dev/zero | s vm cksum; s vm 'head -c 4000000 /dev/zero' | cksum
s -tt vm 'stty size >/dev/null && tty | cut -c1-9; ps -o tty= -p $$ | grep -c pts; kill -HUP $$' </dev/null | tr -d '\r'; echo "pty ${PIPESTATUS[0]}"
s -i other -o IdentitiesOnly=yes -o IdentityFile="$PWD/other" -F /dev/null -p 2222 -o UserKnownHostsFile="$PWD/known" -o BatchMode=yes root@127.0.0.1 true 2>&1 | grep -o 'Permission denied'
ssh-keygen -q -t ed25519 -N '' -f fake; echo "[127.0.0.1]:2222 $(cut -d' ' -f1-2 fake.pub)" >wrong; s -o UserKnownHostsFile="$PWD/wrong" vm true 2>/dev/null; echo "changed host key $?"
seq 5000 >numbers; mkdir -p tree/a/b; echo deep >tree/a/b/file; scp -q -F client -r tree numbers "vm:$PWD/../" 2>/dev/null; d=$(dirname "$PWD"); cksum <"$d/numbers"; cat "$d/tree/a/b/file"; rm -r "$d/tree" "$d/numbers"
printf 'mkdir got\nput numbers got/n\nchmod 600 got/n\nls -l got\nrename got/n got/m\nget got/m back\nrm got/m\nrmdir got\n' | sed "s|got|$PWD/got|g" | sftp -q -F client -b - vm 2>&1 | grep -oE '^-rw-------|No such' ; cmp numbers back && echo same
s -f -N -M -S "$PWD/control" vm && for i in 1 2 3 4 5; do s -S "$PWD/control" vm "echo session $i" & done | sort; s -S "$PWD/control" -O check vm 2>&1 | grep -o 'Master running'; s -S "$PWD/control" -O exit vm 2>/dev/null
python3 -m http.server -b 127.0.0.1 8123 >/dev/null 2>&1 & web=$!; s -f -N -M -S "$PWD/forward" -L 8124:127.0.0.1:8123 -R 8125:127.0.0.1:8123 -o ExitOnForwardFailure=yes vm
for port in 8124 8125; do curl -sS --retry 30 --retry-delay 1 --retry-connrefused --max-time 60 "http://127.0.0.1:$port/numbers" | cksum; done; s -S "$PWD/forward" -O exit vm 2>/dev/null; kill $web
s vm 'sleep 1000 & echo $!; wait' >job & c=$!; for _ in $(seq 300); do [ -s job ] && break; sleep 0.1; done; kill $c; wait $c 2>/dev/null; kill "$(cat job)" && echo 'left running'
eval "$(ssh-agent -s)" >/dev/null; ssh-add -q key 2>/dev/null; ssh-add -l | grep -c ED25519; s -A vm 'ssh-add -l' | grep -c ED25519; ssh-agent -k >/dev/null
kill "$(cat pid)"; for _ in $(seq 300); do [ -e pid ] || break; sleep 0.1; done; [ -e pid ] || echo stopped; grep -ciE 'fatal|segfault' log
