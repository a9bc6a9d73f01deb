# Python 3.11: threads, a pool, subprocesses, asyncio over a unix socket, sqlite3, memory maps, processes, signals, a TLS handshake.
# time: 240
export HOME=$PWD
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=example.test -addext subjectAltName=DNS:example.test 2>/dev/null
cat > t.py <<'P'
import asyncio, concurrent.futures, ctypes, fcntl, json, mmap, multiprocessing, os, select, signal, socket, sqlite3, ssl, subprocess, tempfile, threading, time, zlib

count, lock = [0], threading.Lock()
def work():
    for _ in range(2000):
        with lock: count[0] += 1
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print("threads", count[0])
with concurrent.futures.ThreadPoolExecutor(4) as pool: print("pool", sum(pool.map(lambda i: i * i, range(100))))
print(subprocess.run(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"in\n", capture_output=True))
try: subprocess.run(["sleep", "30"], timeout=0.2)
except subprocess.TimeoutExpired as e: print("timed out:", e.cmd)
try: subprocess.run(["/no/such/program"])
except FileNotFoundError as e: print(e)

async def main():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper()); await writer.drain(); writer.close()
    server = await asyncio.start_unix_server(answer, "socket")
    async def ask(i):
        reader, writer = await asyncio.open_unix_connection("socket")
        writer.write(b"hello %d\n" % i); await writer.drain()
        return await reader.readline()
    print("asyncio", b"".join(await asyncio.gather(*(ask(i) for i in range(10)))))
    child = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print("child", await child.communicate(b"x" * 100000) == (b"x" * 100000, None), child.returncode)
    try: await asyncio.wait_for(asyncio.sleep(30), 0.1)
    except asyncio.TimeoutError: print("timeout")
    server.close()
asyncio.run(main())

db = sqlite3.connect("a.db"); db.execute("pragma journal_mode=wal"); db.execute("create table t(a integer primary key, b text)")
with db: db.executemany("insert into t(b) values(?)", ((str(i),) for i in range(1000)))
print("sqlite3", db.execute("select count(*), sum(a) from t").fetchone(), db.execute("pragma integrity_check").fetchone())

left, right = socket.socketpair()
def serve():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain("cert.pem", "key.pem")
    with context.wrap_socket(right, server_side=True) as tls: tls.sendall(tls.recv(100)[::-1])
server = threading.Thread(target=serve); server.start()
context = ssl.create_default_context(cafile="cert.pem")
with context.wrap_socket(left, server_hostname="example.test") as tls:
    tls.sendall(b"over TLS"); print("ssl", tls.version(), tls.getpeercert()["subject"], tls.recv(100))
server.join()
left, right = socket.socketpair()
print("fds", socket.send_fds(left, [b"take it"], [os.open("t.py", os.O_RDONLY)]), os.fstat(socket.recv_fds(right, 100, 1)[1][0]).st_size == os.path.getsize("t.py"))

with open("map", "wb+") as f:
    f.truncate(8192); m = mmap.mmap(f.fileno(), 8192); m[4095:4099] = b"page"; m.flush(); print("mmap", f.read().index(b"page"))
    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("lock", subprocess.run(["python3", "-c", "import fcntl\ntry: fcntl.lockf(open('map', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept OSError as e: print(e)"], capture_output=True, text=True).stdout)

def square(queue, i): queue.put((i, i * i))
queue = multiprocessing.Queue(); children = [multiprocessing.Process(target=square, args=(queue, i)) for i in range(4)]
for c in children: c.start()
print("processes", sorted(queue.get() for _ in children)); [c.join() for c in children]
shared = multiprocessing.Value("i", 0)
def add():
    for _ in range(100):
        with shared.get_lock(): shared.value += 1
children = [multiprocessing.Process(target=add) for _ in range(3)]
for c in children: c.start()
for c in children: c.join()
print("shared", shared.value)

got = []; signal.signal(signal.SIGALRM, lambda n, f: got.append(signal.Signals(n).name)); signal.setitimer(signal.ITIMER_REAL, 0.05)
deadline = time.monotonic() + 30
while not got and time.monotonic() < deadline: time.sleep(0.01)
print("signals", got)
p = select.poll(); r, w = os.pipe(); p.register(r, select.POLLIN); print("poll", p.poll(0)); os.write(w, b"x"); print(len(p.poll(30000)))
print("ctypes", ctypes.CDLL(None).abs(-5), zlib.crc32(b"abc"), json.dumps({"b": [1, None], "a": "ä"}, sort_keys=True))
P
python3 t.py
