# weston on the screen (DRM, pixman), with its own terminal, foot, and a Vulkan program on lavapipe as its clients, and a picture of it.
# time: 600
export HOME=$PWD XDG_RUNTIME_DIR=$PWD/run WAYLAND_DISPLAY=wayland-test; mkdir -m 700 run
printf '[core]\nidle-time=0\nuse-pixman=true\n[shell]\nlocking=false\nstartup-animation=none\nbackground-color=0xff204060\n' >weston.ini
setsid weston --backend=drm-backend.so --tty=4 --continue-without-input --socket=$WAYLAND_DISPLAY --config="$PWD/weston.ini" --log="$PWD/log" --debug </dev/null >out 2>&1 & weston=$!
for _ in $(seq 600); do [ -S run/$WAYLAND_DISPLAY ] && break; sleep 0.1; done; grep -o 'Output .* (crtc' log | sed "s/'.*'/NAME/" | head -1
# What runs in a terminal says that it is one, and of which size something.
cat >inside <<'C'
#!/bin/bash
read -r rows columns < <(stty size); { test -t 0 && [ "$rows" -gt 5 ] && [ "$columns" -gt 20 ] && echo "$1 is a terminal: $TERM"; } >"$HOME/said-$1.new"; printf '\033[41m%s\033[0m\n' "in $1"; mv "$HOME/said-$1.new" "$HOME/said-$1"; sleep 600
C
chmod +x inside; printf '#!/bin/bash\nexec %s/inside weston-terminal\n' "$PWD" >shell; chmod +x shell
weston-terminal --shell="$PWD/shell" 2>terminal.err & foot "$PWD/inside" foot 2>foot.err &
for name in weston-terminal foot; do for _ in $(seq 900); do [ -e said-$name ] && break; sleep 0.1; done; cat said-$name; done
timeout 120 weston-simple-shm >/dev/null 2>&1 & simple=$!; sleep 2; kill -0 $simple && echo simple-shm draws; kill $simple; timeout 300 vkcube-wayland --c 20 >cube.out 2>&1; echo "cube: $?"; sleep 2
timeout 60 weston-screenshooter; python3 - <<'P'
import glob, zlib, struct
data = open(glob.glob("wayland-screenshot-*.png")[0], "rb").read(); at, bits = 8, b""
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8]); body = data[at + 8:at + 8 + size]; at += 12 + size
    if kind == b"IHDR": width, height, depth, colour = struct.unpack(">IIBB", body[:10])
    if kind == b"IDAT": bits += body
n = {2: 3, 6: 4}[colour]; raw = zlib.decompress(bits); stride = width * n; rows = []; above = bytearray(stride)
for y in range(height):
    filter, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
    for x in range(stride):
        a, b, c = line[x - n] if x >= n else 0, above[x], above[x - n] if x >= n else 0
        if filter == 4:
            p = a + b - c; pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
            line[x] = (line[x] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255
        elif filter: line[x] = (line[x] + (a, b, (a + b) // 2)[filter - 1]) & 255
    rows.append(line); above = line
pixels = [bytes(row[x:x + 3]) for row in rows[::4] for x in range(0, stride, 4 * n)]
print("as large as the screen" if (width, height) >= (800, 600) else (width, height))
print("background" if pixels.count(bytes((0x20, 0x40, 0x60))) > len(pixels) // 20 else "no background", "windows" if len(set(pixels)) > 20 else "no windows")
P
kill $weston; for _ in $(seq 300); do kill -0 $weston 2>/dev/null || break; sleep 0.1; done; kill -0 $weston 2>/dev/null || echo weston has ended; pkill -f "$PWD/inside"; wait 2>/dev/null; echo end
