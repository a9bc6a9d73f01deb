//! The network stack: TCP, UDP, ICMP, ARP, neighbour discovery, IPv4 and IPv6 with DHCP and routers' advertisements, on smoltcp.
//!
//! Between two others: a card's driver, with which it shares memory (crate `network-device`), and the kernel, whose internet sockets it carries
//! to other machines (crate `net-abi`). If it dies its connections end; everything else is told to its successor. If the driver dies the
//! stack waits for the next one, and connections go on.

mod addresses;
mod card;
mod datagrams;
mod ended;
mod inspect;
mod neighbours;
mod resolver;
mod stack;
#[cfg(test)]
mod stack_tests;
mod tcp;

use anyhow::{Context, bail};
use clap::Parser;
use network_device::{Client, OpenError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, clock_gettime};
use smoltcp::time::{Duration, Instant};
use stack::{Hardware, Stack};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration as StdDuration;

/// How often a driver is looked for that is away.
const LOOK_FOR_DRIVER: Duration = Duration::from_millis(50);
/// How often the driver is asked whether it is there, while there are connections or other work.
const ASK_DRIVER: Duration = Duration::from_secs(2);
/// How often to look again, letting others run, before sleeping.
const LOOKS: u32 = 0;
/// Bytes read from the kernel at once.
const READ_BYTES: usize = 512 << 10;

/// Carries the kernel's internet sockets to other machines, through one network card.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The interface's name; its driver serves /scheme/network.NAME.
    name: String,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("netd");
    let arguments = Arguments::parse();
    kernel_log::logged(&arguments.name, run(&arguments))
}

fn now() -> Instant {
    let time = clock_gettime(ClockId::Monotonic);
    Instant::from_micros(time.tv_sec * 1_000_000 + time.tv_nsec / 1000)
}

fn random() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    getrandom(&mut bytes, GetRandomFlags::empty()).context("getting random numbers")?;
    Ok(u64::from_ne_bytes(bytes))
}

/// The kernel's end; a predecessor that is dying may have it for a moment.
fn open_kernel() -> anyhow::Result<File> {
    for _ in 0..100 {
        match File::options().read(true).write(true).open(net_abi::PATH) {
            Ok(file) => {
                fcntl_setfl(&file, OFlags::NONBLOCK)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(StdDuration::from_millis(20)),
            Err(error) => return Err(error).context(net_abi::PATH),
        }
    }
    bail!("{} is in use", net_abi::PATH)
}

fn open_card(scheme: &Path) -> anyhow::Result<Option<Client>> {
    match Client::open(scheme) {
        Ok(client) => Ok(Some(client)),
        // Its driver is away, comes up, or is still rid of our predecessor.
        Err(OpenError::File(_, error)) => {
            tracing::debug!("{}: {error}", scheme.display());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scheme = PathBuf::from(format!("/scheme/network.{}", arguments.name));
    let client = loop {
        match open_card(&scheme)? {
            Some(client) => break client,
            None => std::thread::sleep(StdDuration::from(LOOK_FOR_DRIVER)),
        }
    };
    let interface = client.interface();
    let hardware = Hardware { mac: interface.mac, mtu: interface.mtu, has_carrier: interface.is_up };
    let mut stack = Stack::new(&arguments.name, hardware, random()?, now());
    stack.attach(client, interface.is_up);
    Daemon { kernel: open_kernel()?, stack, scheme, hardware, servers: None, looked_at: now(), asked_at: now() }.run()
}

struct Daemon {
    kernel: File,
    stack: Stack<Client>,
    scheme: PathBuf,
    hardware: Hardware,
    /// The name servers that were written down.
    servers: Option<Vec<Ipv4Addr>>,
    looked_at: Instant,
    asked_at: Instant,
}

impl Daemon {
    fn run(mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let mut looks = LOOKS;
        loop {
            let time = now();
            self.look_after_card(time)?;
            let mut is_busy = self.read_kernel(&mut buffer)?;
            is_busy |= self.stack.work(time);
            self.write_kernel()?;
            self.write_servers();
            if let Some(client) = self.stack.frames() {
                client.flush();
            }
            if is_busy {
                looks = 0;
            } else if looks < LOOKS {
                // The driver and programs are about to have more: looking again is cheaper than sleeping and being woken.
                looks += 1;
                std::thread::yield_now();
            } else {
                self.sleep(time)?;
            }
        }
    }

    /// Opens the card where it is away, and reads what its driver says of it.
    fn look_after_card(&mut self, time: Instant) -> anyhow::Result<()> {
        if time - self.asked_at >= ASK_DRIVER {
            self.asked_at = time;
            if self.stack.frames().is_some_and(|client| !client.is_alive()) {
                self.lose_card();
            }
        }
        if let Some(client) = self.stack.frames() {
            let (interface, counters) = (client.interface(), client.statistics());
            self.stack.set_carrier(interface.is_up);
            self.stack.set_counters(counters);
            return Ok(());
        }
        if time - self.looked_at < LOOK_FOR_DRIVER {
            return Ok(());
        }
        self.looked_at = time;
        if let Some(client) = open_card(&self.scheme)? {
            let interface = client.interface();
            if interface.mac != self.hardware.mac {
                bail!("the card has been exchanged: beginning anew");
            }
            tracing::info!("{} is there again", self.scheme.display());
            self.stack.attach(client, interface.is_up);
        }
        Ok(())
    }

    /// The driver has died.
    fn lose_card(&mut self) {
        tracing::warn!("the driver of {} is gone; waiting for the next one", self.scheme.display());
        drop(self.stack.detach());
    }

    fn read_kernel(&mut self, buffer: &mut [u8]) -> anyhow::Result<bool> {
        match self.kernel.read(buffer) {
            Ok(len) => {
                self.stack.obey(&buffer[..len]).context("the kernel's messages")?;
                Ok(len > 0)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(false),
            Err(error) => Err(error).context("reading from the kernel"),
        }
    }

    fn write_kernel(&mut self) -> anyhow::Result<()> {
        let out = self.stack.output();
        if !out.is_empty() {
            let outcome = self.kernel.write_all(out).context("writing to the kernel");
            out.clear();
            outcome?;
        }
        Ok(())
    }

    fn write_servers(&mut self) {
        let servers = self.stack.servers();
        // Before there is an answer there is nothing to say, and what a predecessor wrote is good.
        let is_new = if servers.is_empty() { self.servers.is_some() } else { true };
        if is_new && self.servers.as_deref() != Some(servers) {
            let servers = servers.to_vec();
            if let Err(error) = resolver::write(Path::new(resolver::PATH), &servers) {
                tracing::warn!("writing {}: {error}", resolver::PATH);
            }
            self.servers = Some(servers);
        }
    }

    /// Waits for something to do.
    fn sleep(&mut self, time: Instant) -> anyhow::Result<()> {
        let mut delay = self.stack.delay(time);
        if self.stack.frames().is_none() {
            delay = Some(delay.map_or(LOOK_FOR_DRIVER, |it| it.min(LOOK_FOR_DRIVER)));
        }
        // A driver that hangs says nothing: it is asked.
        if self.stack.has_connections() {
            delay = Some(delay.map_or(ASK_DRIVER, |it| it.min(ASK_DRIVER)));
        }
        // Where buffers are short, protocols that want to send now must wait for the driver instead of running in circles.
        let is_crowded = self.stack.take_crowded();
        if is_crowded && delay == Some(Duration::ZERO) {
            delay = Some(Duration::from_millis(1));
        }
        if let Some(client) = self.stack.frames()
            && !client.prepare_to_sleep()
        {
            return Ok(());
        }
        let timeout = delay.map(|it| Timespec { tv_sec: it.secs() as i64, tv_nsec: i64::from(it.micros() as u32) % 1_000_000 * 1000 });
        let (kernel, stack) = (&self.kernel, &mut self.stack);
        let mut fds = vec![PollFd::new(kernel, PollFlags::IN)];
        if let Some(client) = stack.frames() {
            fds.push(PollFd::from_borrowed_fd(client.wakeup(), PollFlags::IN));
        }
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno).context("waiting"),
        }
        let is_woken = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        drop(fds);
        if let Some(client) = stack.frames() {
            client.wake_up();
            if is_woken && !client.take_wakeups() {
                self.lose_card();
            }
        }
        Ok(())
    }
}
