//! The network beyond the machine: servers on this host, reached as 10.0.2.2, and servers in the machine, reached through forwarded ports.

mod host;

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::machine::{Forward, Network, Protocol, Reach};
use vm::transfer;

use crate::lab::{Lab, Linkage, Machine, System};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(120);
/// What the servers in the machine listen to.
const ECHO: u16 = 7000;

/// The machine that these tests share, with the host's port that leads to its [`ECHO`].
struct Connected {
    machine: Machine,
    port: u16,
}

/// The machine, once it was started.
#[derive(Default)]
struct Shared(RefCell<Option<Rc<Connected>>>);

impl Shared {
    fn get(&self, lab: &Lab) -> Result<Rc<Connected>> {
        if let Some(connected) = self.0.borrow().as_ref().filter(|it| it.machine.is_sound()) {
            return Ok(Rc::clone(connected));
        }
        // The old one goes first: it holds the directory.
        self.0.take();
        let port = host::free_port()?;
        let forward = |protocol| Forward { protocol, host: port, guest: ECHO };
        let mut description = lab.describe(System::Genai)?;
        description.network = Some(Network { reach: Reach::World, forwards: vec![forward(Protocol::Tcp), forward(Protocol::Udp)] });
        let machine = lab.boot("net", &description)?;
        transfer::put(machine.exec(), lab.images.program("net-peer", Linkage::Static)?, "/tmp/net-peer")?;
        let script = format!("/tmp/net-peer echo {ECHO} > /tmp/echo 2>&1 & until [ -s /tmp/echo ] && [ -s /run/resolv.conf ]; do sleep 0.1; done");
        check::succeeds(&machine.sh(&script, LIMIT)?)?;
        let connected = Rc::new(Connected { machine, port });
        self.0.replace(Some(Rc::clone(&connected)));
        Ok(connected)
    }
}

pub fn tests() -> Vec<Test> {
    let shared = Rc::new(Shared::default());
    let test = |name: &str, body: fn(&Connected) -> Result<()>| {
        let shared = Rc::clone(&shared);
        Test::new(name, move |lab| {
            let connected = shared.get(lab)?;
            let outcome = body(&connected).and_then(|()| Ok(connected.machine.dir().check_panic()?));
            if outcome.is_err() {
                // The next one starts with a new machine.
                shared.0.take();
            }
            outcome
        })
    };
    vec![
        test("net/addresses", addresses),
        test("net/ping", ping),
        test("net/download-and-upload", download_and_upload),
        test("net/server-in-the-machine", server_in_the_machine),
        test("net/names", names),
        test("net/refusals", refusals),
        test("net/sockets", sockets),
        test("net/administration", administration),
        test("net/kill-the-driver", kill_the_driver),
        test("net/kill-the-stack", kill_the_stack),
        test("net/hang-the-driver", hang_the_driver),
        test("net/hang-the-stack", hang_the_stack),
    ]
}

fn addresses(it: &Connected) -> Result<()> {
    let script = r"
        ip -o -4 address show dev eth0 | grep -o 'inet [0-9./]*'
        ip route show default | grep -o 'via 10.0.2.2 dev eth0'
        ip -o link show eth0 | grep -oE 'state UP|link/ether [0-9a-f:]*'
        cat /sys/class/net/eth0/address
        grep -c '^nameserver 10.0.2.3$' /etc/resolv.conf
        ip -o address show dev lo | grep -c inet";
    let output = it.machine.sh(script, LIMIT)?;
    let mac = "52:54:00:12:34:56";
    check::prints(&output, &format!("inet 10.0.2.15/24\nvia 10.0.2.2 dev eth0\nstate UP\nlink/ether {mac}\n{mac}\n1\n2\n"))
}

fn ping(it: &Connected) -> Result<()> {
    let script = r"
        ping -c 2 -W 20 10.0.2.2 | grep -o '2 received'
        ping -c 2 -W 20 -i 0.2 127.0.0.1 | grep -o '2 received'
        ping -c 1 -W 20 10.0.2.15 | grep -o '1 received'
        ping -c 1 -W 20 -s 4000 10.0.2.2 | grep -o '1 received'
        ping -6 -c 1 -W 20 ::1 | grep -o '1 received'
        ping -c 1 -W 8 10.0.2.77 | grep -o '0 received'
        ip neigh show 10.0.2.2 | grep -o 'lladdr 52:55:0a:00:02:02'";
    let expected = "2 received\n2 received\n1 received\n1 received\n1 received\n0 received\nlladdr 52:55:0a:00:02:02\n";
    check::prints(&it.machine.sh(script, LIMIT)?, expected)
}

fn download_and_upload(it: &Connected) -> Result<()> {
    let server = host::Server::start()?;
    let (port, sum) = (server.port(), server.sum());
    let script = format!(
        r"cd /tmp && curl -sS -f -o got http://10.0.2.2:{port}/file && md5sum < got && curl -sS -f -T got http://10.0.2.2:{port}/ && rm got
        for i in 1 2 3 4; do curl -sS -f http://10.0.2.2:{port}/file | md5sum & done; wait"
    );
    let line = format!("{sum}  -\n");
    let expected = format!("{line}{}\n{}", host::SIZE, line.repeat(4));
    check::prints(&it.machine.sh(&script, LIMIT)?, &expected)?;
    ensure!(server.uploaded() == host::SIZE, "{} bytes were uploaded", server.uploaded());
    ensure!(server.is_upload_good(), "other bytes were uploaded");
    Ok(())
}

/// A connection to the server in the machine, over which a byte has gone and come.
fn connect(port: u16) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut byte = [9];
    stream.write_all(&byte)?;
    stream.read_exact(&mut byte)?;
    Ok(stream)
}

/// Sends bytes to the server in the machine and compares what comes back.
fn echoed(mut stream: TcpStream, number: u8, len: usize) -> Result<()> {
    let data: Vec<u8> = (0..len).map(|at| (at.wrapping_mul(40_503) >> 5) as u8 ^ number).collect();
    let mut writer = stream.try_clone()?;
    let sent = data.clone();
    let sending = thread::spawn(move || writer.write_all(&sent).and_then(|()| writer.shutdown(Shutdown::Write)));
    let mut back = Vec::new();
    stream.read_to_end(&mut back)?;
    sending.join().ok().context("sending panicked")??;
    ensure!(back == data, "connection {number}: {} bytes of {len} came back, or others", back.len());
    Ok(())
}

fn server_in_the_machine(it: &Connected) -> Result<()> {
    let port = it.port;
    // One after the other: QEMU does not let more than one wait. The same socket, bound to 0.0.0.0, takes those from within at the same time.
    let streams = (0..16).map(|_| connect(port)).collect::<Result<Vec<_>>>()?;
    let many: Vec<_> = (0..).zip(streams).map(|(number, stream)| thread::spawn(move || echoed(stream, number, 200_000))).collect();
    let within = it.machine.sh(&format!("/tmp/net-peer echoed 127.0.0.1:{ECHO} 200000 8 && /tmp/net-peer echoed 10.0.2.15:{ECHO} 200000 2"), LIMIT)?;
    for one in many {
        one.join().ok().context("a connection's thread panicked")??;
    }
    check::prints(&within, "8 streams of 200000 bytes came back\n2 streams of 200000 bytes came back\n")?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let (question, mut answer) = (vec![5; 1200], [0; 2000]);
    // Datagrams may get lost.
    let came = (0..20).any(|_| socket.send(&question).is_ok() && socket.recv(&mut answer).is_ok_and(|len| answer[..len] == question));
    ensure!(came, "no datagram came back");
    Ok(())
}

fn names(it: &Connected) -> Result<()> {
    let port = host::answer_names()?;
    // A resolver asks port 53, which tests cannot have on every host: the machine passes the questions on.
    let script = format!(
        r"/tmp/net-peer relay 53 10.0.2.2:{port} > /tmp/relay 2>&1 & relay=$!
        until [ -s /tmp/relay ]; do sleep 0.1; done
        rm /etc/resolv.conf && echo 'nameserver 127.0.0.1' > /etc/resolv.conf
        getent ahostsv4 host.example | head -1 | cut -d ' ' -f 1
        getent ahosts nowhere.example || echo nowhere
        ln -sf ../run/resolv.conf /etc/resolv.conf
        kill $relay"
    );
    check::prints(&it.machine.sh(&script, LIMIT)?, "10.0.2.2\nnowhere\n")
}

fn refusals(it: &Connected) -> Result<()> {
    let closed = host::free_port()?;
    let script = format!(
        r#"try() {{ (exec 3<> /dev/tcp/$1/$2) 2>&1 | grep -oE 'refused|No route to host|unreachable|timed out' | head -1 | grep . || echo connected; }}
        try 10.0.2.2 {closed}
        try 10.0.2.77 80
        try 127.0.0.1 {closed}
        try 127.0.0.1 {ECHO}"#
    );
    check::prints(&it.machine.sh(&script, LIMIT)?, "refused\nNo route to host\nrefused\nconnected\n")
}

fn sockets(it: &Connected) -> Result<()> {
    let server = host::Server::start()?;
    let port = server.port();
    let script = format!(
        r"exec 3<> /dev/tcp/10.0.2.2/{port}
        ss -Htln 'sport = :{ECHO}' | tr -s ' '
        ss -Huln 'sport = :{ECHO}' | tr -s ' '
        ss -Htn 'dport = :{port}' | tr -s ' ' | sed 's/15:[0-9]*/15:ours/'
        ss -Htnp 'dport = :{port}' | grep -o 'bash'"
    );
    let expected = format!(
        "LISTEN 0 128 0.0.0.0:{ECHO} 0.0.0.0:*\nUNCONN 0 0 0.0.0.0:{ECHO} 0.0.0.0:*\nESTAB 0 0 10.0.2.15:ours 10.0.2.2:{port}\nbash\n"
    );
    check::prints(&it.machine.sh(&script, LIMIT)?, &expected)
}

fn administration(it: &Connected) -> Result<()> {
    let script = r"
        ip address add 192.168.77.5/24 dev eth0 && ip -o address show dev eth0 | grep -o '192.168.77.5/24'
        ip route add 172.16.0.0/12 via 10.0.2.2 && ip route get 172.16.5.5 | grep -o '172.16.5.5 via 10.0.2.2 dev eth0'
        ip address add 192.168.77.5/24 dev eth0 2>&1 | grep -o 'File exists'
        ip route del 172.16.0.0/12 && ip route show 172.16.0.0/12 | wc -l
        ip address del 192.168.77.5/24 dev eth0 && ip -o address show dev eth0 | grep -c '192.168.77.5'
        ip link set eth0 down && ping -c 1 -W 1 10.0.2.2 2>&1 | grep -o 'Network is unreachable'
        ip link set eth0 up; until ping -c 1 -W 2 10.0.2.2 > /dev/null 2>&1; do sleep 0.2; done; ip route show default | grep -o 'via 10.0.2.2'";
    let expected = "192.168.77.5/24\n172.16.5.5 via 10.0.2.2 dev eth0\nFile exists\n0\n0\nNetwork is unreachable\nvia 10.0.2.2\n";
    check::prints(&it.machine.sh(script, LIMIT)?, expected)
}

/// `$4` times signal `$5` to the driver `$1`, which dies or hangs; `$2`: the host's port with the file, `$3`: its sum. Loop-back connections must not notice; new ones must come about.
const KILL: &str = r#"
pid_of() {
    local p name
    for p in /proc/[0-9]*; do read -r name < "$p/comm" && [ "$name" = "$1" ] && echo "${p#/proc/}" && return; done 2>/dev/null
}
/tmp/net-peer hold 127.0.0.1:7000 > /tmp/within & within=$!
until [ -s /tmp/within ]; do sleep 0.1; done
for ((round = 0; round < $4; round++)); do
    rm -f /tmp/got
    curl -sS -f --limit-rate 1500k -o /tmp/got http://10.0.2.2:$2/file 2> /tmp/said & download=$!
    old=$(pid_of $1)
    # It is in the midst of it.
    until [ -s /tmp/got ]; do sleep 0.1; done
    kill -$5 $old
    # One that hangs is noticed by what it does not take.
    curl -s -o /dev/null -m 60 http://10.0.2.2:$2/file & asked=$!
    until new=$(pid_of $1) && [ -n "$new" ] && [ "$new" != "$old" ]; do sleep 0.05; done
    wait $download
    wait $asked
    md5sum < /tmp/got | cut -d ' ' -f 1 | sed "s/$3/whole/; t; s/.*/broken/"
    until curl -sS -f http://10.0.2.2:$2/file 2> /dev/null | md5sum | grep -q $3; do sleep 0.2; done
done
kill -0 $within && [ "$(cat /tmp/within)" = held ] && echo "unbroken within"
kill $within
"#;

fn kill(it: &Connected, driver: &str, (times, signal): (u32, &str), expected: &str) -> Result<()> {
    let server = host::Server::start()?;
    let script = format!("set -- {driver} {} {} {times} {signal}\n{KILL}", server.port(), server.sum());
    check::prints(&it.machine.sh(&script, 2 * LIMIT)?, expected)?;
    // The server that listened before takes connections from outside again.
    connect(it.port).and_then(|stream| echoed(stream, 3, 100_000)).context("after the last kill")
}

fn kill_the_driver(it: &Connected) -> Result<()> {
    kill(it, "virtio-netd", (3, "KILL"), "whole\nwhole\nwhole\nunbroken within\n")
}

fn kill_the_stack(it: &Connected) -> Result<()> {
    kill(it, "netd", (3, "KILL"), "broken\nbroken\nbroken\nunbroken within\n")
}

fn hang_the_driver(it: &Connected) -> Result<()> {
    kill(it, "virtio-netd", (1, "STOP"), "whole\nunbroken within\n")
}

fn hang_the_stack(it: &Connected) -> Result<()> {
    kill(it, "netd", (1, "STOP"), "broken\nunbroken within\n")
}
