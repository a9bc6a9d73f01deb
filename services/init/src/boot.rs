//! From nothing to a target: the order of `docs/src/contracts.md`, section "Boot". What is started stands in unit files; what is here is what no
//! unit can do: the namespace, finding the root filesystem, and what to do when all that fails.

use crate::attempts;
use crate::control::Control;
use crate::devices::{self, Graphics};
use crate::journal::{self, Journal, Kernel};
use crate::manager::{Manager, State};
use crate::protocol::SOCKET;
use crate::rescue;
use crate::shutdown::{self, Ending};
use crate::watchdog::{self, Watchdog};
use crate::{machine, mounts, reference, sys};
use anyhow::{Context, bail};
use boot_params::{BootParams, Target};
use gci_units::graph::Strictness;
use gci_units::{Circumstances, UnitName};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The initfs, which stays when the root is replaced.
pub const INITFS: &str = "/scheme/initfs";
/// Where units are: those of the initfs, of packages, and of the administrator.
const FOLDERS: [&str; 3] = ["/scheme/initfs/lib/gci", "/usr/lib/gci", crate::ADMIN_FOLDER];
/// Tells where the root filesystem is.
const ROOT_DEVICE: &str = "/run/gci/root-device";
/// How long a daemon may take until its scheme is there. Emulated machines are slow.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How long the root filesystem may take, which may have to be repaired.
const ROOT_LIMIT: Duration = Duration::from_secs(120);
/// What is to be done on the root filesystem before anything else of it is used. Its units are in the initfs.
const ROOT_TARGET: &str = "root.target";
/// How long that may take: completing a large change of packages, on a slow disk. Then the start goes on without it.
const ROOT_TARGET_LIMIT: Duration = Duration::from_secs(660);
/// How long after the last disk has come a partition may still appear.
const DISKS_SETTLED: Duration = Duration::from_secs(2);

/// A system that starts or runs.
struct System {
    manager: Manager,
    journal: Option<Journal>,
    control: Option<Control>,
    /// The target that the parameters ask for.
    target: UnitName,
}

fn name(text: &str) -> UnitName {
    // All callers have constants, which are names.
    UnitName::new(text).unwrap_or_else(|_| unreachable!("{text} is no unit's name"))
}

/// Process 1. Never returns: without it the kernel stops.
pub fn run() -> ! {
    let start = Instant::now();
    let problems = mounts::early();
    kernel_log::init("init");
    for problem in problems {
        tracing::warn!("{problem}");
    }
    let manager = loop {
        match Manager::new(Path::new("/run/gci"), start) {
            Ok(manager) => break manager,
            Err(error) => tracing::error!("cannot supervise: {error}"),
        }
        std::thread::sleep(Duration::from_secs(5));
    };
    let cmdline = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let params = BootParams::parse(cmdline.trim());
    report(&params);
    let target = name(&format!("{}.target", params.target));
    let mut system = System { manager, journal: None, control: None, target };
    system.set_circumstances(&params);
    let result = if mounts::has_schemes() { system.start_ours(&params) } else { system.start_linux() };
    if let Err(error) = result {
        system.recover(&format!("{error:#}"));
    }
    system.supervise()
}

/// Says what the boot parameters are, and what was wrong with them.
fn report(params: &BootParams<'_>) {
    tracing::info!(
        "consciousness={} ai={} education={} security={} root={}",
        params.consciousness,
        params.ai,
        params.education,
        params.security,
        params.root
    );
    for problem in params.problems.iter() {
        tracing::warn!("{problem}");
    }
    for param in params.unknown() {
        tracing::info!("boot parameter {}: not ours", param.name);
    }
}

impl System {
    fn set_circumstances(&mut self, params: &BootParams<'_>) {
        let manager = &mut self.manager;
        manager.circumstances =
            Circumstances { level: params.consciousness.thousandths(), has_education: params.education.is_on(), has_ai: true };
        let variables = [
            ("GENAI_CONSCIOUSNESS", params.consciousness.to_string()),
            ("GENAI_AI", params.ai.to_string()),
            ("GENAI_EDUCATION", params.education.to_string()),
            ("GENAI_SECURITY", params.security.to_string()),
        ];
        manager.set_environment(variables.map(|(name, value)| (name.to_owned(), value)).into());
        if Path::new(INITFS).is_dir() {
            manager.first_path = Some(format!("{INITFS}/sbin"));
        }
    }

    fn start_ours(&mut self, params: &BootParams<'_>) -> anyhow::Result<()> {
        self.manager.take(rescue::loaded(&[PathBuf::from(FOLDERS[0])]));
        let disks = self.start_drivers(params)?;
        if params.recovery.is_on() || params.target == Target::Emergency {
            bail!("recovery was asked for by a boot parameter");
        }
        self.mount_root(params, disks).with_context(|| format!("no root filesystem (root={})", params.root))?;
        self.put_in_order();
        self.start_system()
    }

    /// Has done what must be before the root's units are read: a power cut may have left half of a change of packages, these units among them.
    fn put_in_order(&mut self) {
        let target = name(ROOT_TARGET);
        if let Err(error) = self.manager.start(std::slice::from_ref(&target), Strictness::LeaveOut) {
            tracing::warn!("{error}");
        } else if !self.manager.wait_until(ROOT_TARGET_LIMIT, |manager| !manager.is_pending(&target)) {
            tracing::error!("{target} is not reached within {ROOT_TARGET_LIMIT:?}: the start goes on without it");
        }
    }

    /// The bus, then everything on it, and the console. How many disks are to be expected.
    fn start_drivers(&mut self, params: &BootParams<'_>) -> anyhow::Result<usize> {
        let manager = &mut self.manager;
        // Neither the keyboard nor the boot framebuffer is on the bus: nobody waits for all of the target.
        manager.start(&[name("drivers.target")], Strictness::LeaveOut)?;
        if !manager.wait_until(READY_LIMIT, |_| Path::new(driver::pci::PCI_ROOT).exists()) {
            bail!("pcid has not created /scheme/pci within {READY_LIMIT:?}");
        }
        // The kernel's answer to opening it is ENODEV where the boot loader left none.
        let has_framebuffer = fs::File::open("/scheme/memory/framebuffer").is_ok();
        let graphics = Graphics { has_framebuffer, nomodeset: params.nomodeset };
        let drivers = devices::drivers(&devices::all(), manager.set().iter(), graphics);
        // The disk of a live medium is on no bus.
        let live = manager.set().iter().filter(|unit| !unit.name.is_template() && unit.scheme_name().starts_with("disk.")).count();
        let disks = live + drivers.iter().filter(|(name, _)| manager.set().get(name).is_some_and(|unit| unit.scheme_name().starts_with("disk."))).count();
        for (name, specifiers) in drivers {
            manager.specify(&name, &specifiers);
            if let Err(error) = manager.start(&[name], Strictness::LeaveOut) {
                tracing::warn!("{error}");
            }
        }
        Ok(disks)
    }

    fn mount_root(&mut self, params: &BootParams<'_>, disks: usize) -> anyhow::Result<()> {
        let manager = &mut self.manager;
        let mut device = None;
        let mut since_all_disks = None;
        manager.wait_until(READY_LIMIT, |_| {
            device = machine::find_root(params.root);
            if since_all_disks.is_none() && machine::disks().len() >= disks {
                since_all_disks = Some(Instant::now());
            }
            device.is_some() || since_all_disks.is_some_and(|since| since.elapsed() > DISKS_SETTLED)
        });
        let device = device.context("no such partition on any disk")?;
        tracing::info!("the root filesystem is on {device}");
        manager.set_environment(BTreeMap::from([("ROOT_DEVICE".to_owned(), device.clone())]));
        let service = name("redoxfsd");
        manager.start(std::slice::from_ref(&service), Strictness::LeaveOut)?;
        // Where it is encrypted it waits for somebody, as long as that takes.
        let mut limit = Instant::now() + ROOT_LIMIT;
        while !manager.wait_until(limit.saturating_duration_since(Instant::now()), |manager| matches!(manager.state(&service), State::Active | State::Failed))
            && let Some(patience) = manager.patience(&service).filter(|patience| *patience > Instant::now())
        {
            limit = patience;
        }
        if manager.state(&service) != State::Active {
            bail!("redoxfsd has not created /scheme/root within {ROOT_LIMIT:?}");
        }
        mounts::switch_root().context("mounting /scheme/root on /")?;
        for problem in mounts::all() {
            tracing::warn!("{problem}");
        }
        if let Err(error) = fs::create_dir_all("/run/gci").and_then(|()| fs::write(ROOT_DEVICE, format!("{device}\n"))) {
            tracing::warn!("writing {ROOT_DEVICE}: {error}");
        }
        Ok(())
    }

    fn start_linux(&mut self) -> anyhow::Result<()> {
        tracing::info!("no schemes: this kernel has its own drivers");
        if let Err(error) = mounts::remount_root_writable() {
            tracing::warn!("making the root writable: {error}");
        }
        for problem in mounts::all() {
            tracing::warn!("{problem}");
        }
        if let Err(error) = reference::network_up() {
            tracing::warn!("cannot set the network's address: {error}");
        }
        self.start_system()
    }

    /// Does something that needs the disk, while the disk's drivers are looked after.
    fn aside<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(work)?;
        while !thread.is_finished() {
            self.manager.wait_until(Duration::from_secs(1), |_| thread.is_finished());
        }
        thread.join().map_err(|_| anyhow::anyhow!("a thread of process 1 has panicked"))
    }

    /// What the booted system has on both kernels: a name, units, the journal, the target.
    fn start_system(&mut self) -> anyhow::Result<()> {
        let folders: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
        let read = folders.clone();
        let (loaded, host_name, failed) = self.aside(move || (rescue::loaded(&read), fs::read_to_string("/etc/hostname"), attempts::begin()))?;
        if let Ok(host_name) = host_name
            && let Err(error) = sys::set_host_name(host_name.trim())
        {
            tracing::warn!("setting the host name: {error}");
        }
        if let Err(error) = sys::loopback_up() {
            tracing::warn!("cannot switch the loop-back device on: {error}");
        }
        self.manager.take(loaded);
        match Journal::start(Path::new(journal::FOLDER), Kernel::Included) {
            Ok(journal) => {
                self.manager.set_journal(journal.clone());
                self.journal = Some(journal);
            }
            Err(error) => tracing::warn!("no journal: {error}"),
        }
        self.control = Control::listen(Path::new(SOCKET), folders).inspect_err(|error| tracing::warn!("no control socket: {error}")).ok();
        if failed >= attempts::LIMIT && self.target != name("recovery.target") {
            let wanted = std::mem::replace(&mut self.target, name("recovery.target"));
            let text = format!("The last {failed} starts did not reach {wanted}: this is a shell for repairs. \"gci isolate {wanted}\" tries again, \"gci logs\" tells more.");
            tracing::warn!("{text}");
            rescue::tell(&text);
        }
        let target = self.target.clone();
        if let Err(error) = self.manager.isolate(&target, Strictness::LeaveOut) {
            tracing::error!("{error}");
            let recovery = name("recovery.target");
            self.manager.isolate(&recovery, Strictness::LeaveOut).with_context(|| format!("{error}, and neither"))?;
        }
        Ok(())
    }

    /// Says why the system does not start, and gives a shell where there is one.
    fn recover(&mut self, reason: &str) {
        tracing::error!("the system was not started: {reason}");
        // The initfs is read-only, but has the places.
        for problem in mounts::all() {
            tracing::warn!("{problem}");
        }
        let help = if rescue::has_shell() { "A shell from the initfs follows." } else { "The initfs has no shell: restart with other boot parameters." };
        rescue::tell(&format!("GenAI OS was not started: {reason}\r\n{help}"));
        if self.control.is_none() {
            let folders = FOLDERS.iter().map(PathBuf::from).collect();
            self.control = Control::listen(Path::new(SOCKET), folders).ok();
        }
        if let Err(error) = self.manager.isolate(&name("emergency.target"), Strictness::LeaveOut) {
            tracing::error!("{error}");
        }
    }

    /// Nobody could do anything: no terminal has a session once all has been started.
    fn has_no_terminal(&self) -> bool {
        let is_session = |state| matches!(state, State::Active | State::Restarting | State::Starting);
        !self.manager.is_starting() && !self.manager.records().any(|it| it.unit.terminal.is_some() && is_session(it.state))
    }

    /// The rest of the system's life.
    fn supervise(mut self) -> ! {
        // There is none on a kernel without schemes, where the kernel's own drivers cannot be started again.
        let mut watchdog = Watchdog::new().ok();
        let period = watchdog.as_ref().map_or(Duration::from_secs(3600), |_| watchdog::PERIOD);
        let mut looked = Instant::now();
        let mut is_counted = false;
        let mut has_rescue = false;
        loop {
            let others = self.control.as_ref().map(Control::wanted).unwrap_or_default();
            self.manager.pump(&others, period);
            if let Some(watchdog) = watchdog.as_mut().filter(|_| looked.elapsed() >= period) {
                looked = Instant::now();
                for (pid, scheme) in watchdog.look(&self.manager.running()) {
                    self.manager.end_hung(pid, &scheme);
                }
            }
            let by_signal = self.manager.take_requests().into_iter().find_map(Ending::of_signal);
            let by_command = self.control.as_mut().and_then(|control| control.serve(&mut self.manager));
            if let Some(ending) = by_signal.or(by_command) {
                shutdown::run(&mut self.manager, self.journal.as_ref(), ending);
            }
            if !has_rescue && self.has_no_terminal() {
                has_rescue = true;
                tracing::warn!("no terminal has a session: starting shells for repairs");
                if let Err(error) = self.manager.start(&rescue::shells(), Strictness::LeaveOut) {
                    tracing::error!("{error}");
                }
            }
            if !is_counted && self.manager.is_reached() {
                is_counted = true;
                // In a thread: it is on the disk.
                let _ = std::thread::Builder::new().stack_size(128 << 10).spawn(attempts::succeeded);
            }
        }
    }
}
