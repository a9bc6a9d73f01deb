# dbus-daemon: a session bus and a system bus, calls and signals on them.
export HOME=$PWD
dbus-daemon --session --fork --print-address=1 --address="unix:path=$PWD/bus" --print-pid=1 >out; sed -n 's/,guid.*//;1s|path=.*/|path=|p' out
export DBUS_SESSION_BUS_ADDRESS=unix:path=$PWD/bus
dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames | sed 's/return .*/return/;s/:1\.[0-9]*/:1.N/'
dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetConnectionUnixUser string:org.freedesktop.DBus
dbus-send --session --print-reply --dest=org.example.None / org.example.Call 2>&1 | cut -d: -f1
dbus-monitor --session "type='signal',interface='org.example.Signals'" >signals & monitor=$!
for _ in $(seq 300); do dbus-send --session /a org.example.Signals.Sent string:hello int32:42 array:byte:1,2; grep -q 'int32 42' signals && break; sleep 0.1; done
grep -m1 -o 'member=Sent' signals; grep -m1 'string "hello"' signals; kill $monitor; kill "$(sed -n 2p out)"
install -d /run/dbus && dbus-daemon --system --fork --print-pid=1 >out && ls -l /run/dbus/system_bus_socket | cut -c1
su -s /bin/sh www-data -c 'dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId' | wc -w
ps -o user= -p "$(head -1 out)"; kill "$(head -1 out)"; for _ in $(seq 300); do [ -d /proc/"$(head -1 out)" ] || break; sleep 0.1; done; rm -rf /run/dbus; wait 2>/dev/null; echo end
