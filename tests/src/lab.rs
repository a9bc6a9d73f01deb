//! Machines for tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use vm::accel::Accel;
use vm::dir::VmDir;
use vm::exec::{Exec, Output};
use vm::keeper::Keeper;
use vm::machine::{Boot, Changes, Disk, DiskFormat, Display, Machine as Description, Serial};

/// From start to the first command, emulated and on a busy host.
pub const BOOT_LIMIT: Duration = Duration::from_secs(240);

/// What starts our system.
#[derive(Debug, Clone)]
pub struct Genai {
    /// The kernel's ELF file.
    pub kernel: PathBuf,
    /// Its first module.
    pub initfs: PathBuf,
    /// The disk with GRUB and the root.
    pub disk: PathBuf,
    /// The boot CD, where a test needs it.
    pub iso: Option<PathBuf>,
}

/// What starts the Linux reference.
#[derive(Debug, Clone)]
pub struct Linux {
    /// Debian's kernel.
    pub kernel: PathBuf,
    /// What it starts from.
    pub initramfs: PathBuf,
    /// The same root on ext4.
    pub disk: PathBuf,
    /// Boot parameters.
    pub command_line: String,
}

/// All that is tested.
#[derive(Debug, Clone)]
pub struct Images {
    /// Our system, where a test needs it.
    pub genai: Option<Genai>,
    /// The reference, where a test needs it.
    pub linux: Option<Linux>,
    /// The frame's test kernel, where a test needs it.
    pub frame_selftest: Option<PathBuf>,
    /// What tests run in machines, where a test needs it.
    pub programs: Option<Programs>,
    /// The server's edition, where a test needs it.
    pub server: Option<Genai>,
    /// Its disk in other formats.
    pub server_formats: Vec<PathBuf>,
    /// Our system with the programs of the developer's edition, where a test needs it.
    pub developer: Option<Genai>,
    /// The Linux reference with the same root, where a test needs it.
    pub developer_linux: Option<Linux>,
}

/// Programs of `tests/programs/`, and what they need on the host, by name.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Linked with the C library of the host's release, which is the image's.
    pub dynamic: BTreeMap<String, PathBuf>,
    /// In need of nothing but a kernel.
    pub fixed: BTreeMap<String, PathBuf>,
}

impl Images {
    /// Our system's.
    ///
    /// # Errors
    /// Where it was not built.
    pub fn genai(&self) -> Result<&Genai> {
        self.genai.as_ref().context("our system was not built")
    }

    /// A test program.
    ///
    /// # Errors
    /// Where it was not built.
    pub fn program(&self, name: &str, linkage: Linkage) -> Result<&Path> {
        let programs = self.programs.as_ref().context("the test programs were not built")?;
        let of = match linkage {
            Linkage::Dynamic => &programs.dynamic,
            Linkage::Static => &programs.fixed,
        };
        Ok(of.get(name).with_context(|| format!("there is no test program {name}"))?)
    }
}

/// How a program is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linkage {
    /// With shared libraries.
    Dynamic,
    /// Without any.
    Static,
}

/// What a shared machine's first state is kept under.
const FRESH: &str = "fresh";

/// Which system a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Ours.
    Genai,
    /// The reference.
    Linux,
    /// Ours, the server's edition.
    Server,
    /// Ours, the developer's edition.
    Developer,
    /// The reference with the root of the developer's edition.
    DeveloperLinux,
}

impl System {
    /// Its number among all, and the name of the machine that tests share.
    fn slot(self) -> (usize, &'static str) {
        match self {
            System::Genai => (0, "shared-genai"),
            System::Linux => (1, "shared-linux"),
            System::Developer => (2, "shared-developer"),
            System::DeveloperLinux => (3, "shared-developer-linux"),
            System::Server => (4, "shared-server"),
        }
    }
}

/// Where tests get their machines.
pub struct Lab {
    /// What is tested.
    pub images: Images,
    accel: Accel,
    work: PathBuf,
    shared: [RefCell<Shared>; 5],
}

#[derive(Default)]
struct Shared {
    machine: Option<Rc<Machine>>,
    failed_boots: u32,
}

/// After so many failures in a row, tests that need a system fail without waiting for it.
const BOOT_TRIES: u32 = 2;

impl Lab {
    /// Machines for these images, with their logs below `work`.
    pub fn new(images: Images, accel: Accel, work: PathBuf) -> Self {
        Lab { images, accel, work, shared: Default::default() }
    }

    /// A description of a machine that starts a system without a boot loader; changes to its disk are not kept.
    ///
    /// # Errors
    /// Where there are no images of the system.
    pub fn describe(&self, system: System) -> Result<Description> {
        let genai = |images: Genai| {
            let Genai { kernel, initfs, disk, .. } = images;
            (Boot::Kernel { kernel, initrd: Some(initfs), command_line: "target=console debug-exit".into() }, disk)
        };
        let linux = |images: Linux| {
            let Linux { kernel, initramfs, disk, command_line } = images;
            (Boot::Kernel { kernel, initrd: Some(initramfs), command_line: format!("{command_line} target=console") }, disk)
        };
        let (boot, disk) = match system {
            System::Genai => genai(self.images.genai()?.clone()),
            System::Linux => linux(self.images.linux.clone().context("the Linux reference was not built")?),
            System::Server => genai(self.images.server.clone().context("the server's edition was not built")?),
            System::Developer => genai(self.images.developer.clone().context("the developer's edition was not built")?),
            System::DeveloperLinux => {
                linux(self.images.developer_linux.clone().context("the Linux reference with the developer's edition was not built")?)
            }
        };
        // Compilers and databases want more.
        let memory_mib = if matches!(system, System::Developer | System::DeveloperLinux) { 2048 } else { 1024 };
        Ok(Description {
            accel: self.accel,
            cpu: "Nehalem".into(),
            memory_mib,
            cpus: 2,
            boot,
            disk: Some(Disk { path: disk, format: DiskFormat::Raw, changes: Changes::Discard }),
            network: None,
            display: Display::None,
            serial: Serial::Socket,
            extra: Vec::new(),
        })
    }

    /// How machines are run.
    pub fn accel(&self) -> Accel {
        self.accel
    }

    /// The directory of a machine, and of its logs.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.work.join(name.replace('/', "-"))
    }

    /// Starts a machine and waits until it takes commands.
    ///
    /// # Errors
    /// Those of starting it, with the end of the serial log.
    pub fn boot(&self, name: &str, description: &Description) -> Result<Machine> {
        let machine = self.start(name, description)?;
        machine.dir().wait_ready(BOOT_LIMIT)?;
        Ok(machine)
    }

    /// Starts a machine, and waits for nothing.
    ///
    /// # Errors
    /// Those of starting it.
    pub fn start(&self, name: &str, description: &Description) -> Result<Machine> {
        Machine::start(&self.dir(name), description)
    }

    /// The machine that tests of a system share.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn shared(&self, system: System) -> Result<Rc<Machine>> {
        let (number, name) = system.slot();
        let mut slot = self.shared[number].borrow_mut();
        if let Some(machine) = slot.machine.take_if(|machine| machine.is_sound()) {
            slot.machine = Some(Rc::clone(&machine));
            return Ok(machine);
        }
        // The old one goes first: it holds the directory.
        slot.machine = None;
        if slot.failed_boots >= BOOT_TRIES {
            bail!("not tried: {name} failed to start {BOOT_TRIES} times");
        }
        let booted = self.boot(name, &self.describe(system)?).and_then(|machine| {
            // The one that goes back to it.
            if system == System::Genai {
                machine.dir().save(FRESH)?;
            }
            Ok(machine)
        });
        match booted {
            Ok(machine) => {
                let machine = Rc::new(machine);
                (slot.machine, slot.failed_boots) = (Some(Rc::clone(&machine)), 0);
                Ok(machine)
            }
            Err(error) => {
                slot.failed_boots += 1;
                Err(error).with_context(|| format!("{name} does not start (log: {})", self.dir(name).join("serial.log").display()))
            }
        }
    }

    /// The shared machine of our system, in the state in which it took its first command.
    ///
    /// # Errors
    /// As [`Lab::shared`].
    pub fn fresh(&self) -> Result<Rc<Machine>> {
        let machine = self.genai()?;
        machine.dir().load(FRESH)?;
        machine.dir().wait_ready(BOOT_LIMIT)?;
        Ok(machine)
    }

    /// Does something in the shared machines of the reference and of our system at the same time, and gives what came of it there and here.
    ///
    /// # Errors
    /// As [`Lab::shared`], those of the work, and a panic.
    pub fn on_both<T: Send>(&self, work: impl Fn(&Exec) -> Result<T> + Sync) -> Result<(T, T)> {
        let machines = (self.shared(System::Linux)?, self.shared(System::Genai)?);
        let (there, here) = (machines.0.exec(), machines.1.exec());
        let (expected, found) = thread::scope(|scope| {
            let expected = scope.spawn(|| work(there));
            let found = work(here);
            let expected = expected.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (expected, found)
        });
        machines.0.dir().check_panic().context("under Linux")?;
        machines.1.dir().check_panic()?;
        Ok((expected.context("under Linux")?, found?))
    }

    /// The shared machine of our system.
    ///
    /// # Errors
    /// As [`Lab::shared`].
    pub fn genai(&self) -> Result<Rc<Machine>> {
        self.shared(System::Genai)
    }

    /// To be called after each test: whether a shared machine has panicked. After a failure the machine is not used again.
    ///
    /// # Errors
    /// The panic.
    pub fn after_test(&self, passed: bool) -> Result<()> {
        for slot in &self.shared {
            let mut slot = slot.borrow_mut();
            let Some(machine) = &slot.machine else { continue };
            let panicked = machine.dir().check_panic();
            if !passed || panicked.is_err() {
                if panicked.is_ok() {
                    let _ = std::fs::write(machine.dir().file("failed-machine.log"), crate::post_mortem::examine(machine.dir()));
                }
                if let Ok(log) = std::fs::read(machine.dir().serial_log()) {
                    // The next machine's log takes its place.
                    let _ = std::fs::write(machine.dir().file("failed-serial.log"), log);
                }
                slot.machine = None;
            }
            panicked?;
        }
        Ok(())
    }
}

/// A machine that a test uses; it ends when dropped.
pub struct Machine {
    keeper: RefCell<Keeper>,
    dir: VmDir,
    exec: Exec,
    watching: Arc<AtomicBool>,
}

impl Machine {
    /// Starts a machine in a directory. A kernel's panic ends it at once, and with it all commands that tests wait for.
    ///
    /// # Errors
    /// Those of QEMU.
    pub fn start(path: &Path, description: &Description) -> Result<Self> {
        let dir = VmDir::new(path)?;
        let keeper = Keeper::start(&dir, description)?;
        let watching = Arc::new(AtomicBool::new(true));
        let (watched, flag) = (dir.clone(), Arc::clone(&watching));
        thread::spawn(move || {
            while flag.load(Ordering::Relaxed) {
                if watched.check_panic().is_err() {
                    // The rest of its message.
                    thread::sleep(Duration::from_secs(1));
                    if flag.load(Ordering::Relaxed) {
                        let _ = watched.kill();
                    }
                    return;
                }
                thread::sleep(Duration::from_millis(250));
            }
        });
        Ok(Machine { exec: dir.exec(), dir, keeper: RefCell::new(keeper), watching })
    }

    /// Its directory.
    pub fn dir(&self) -> &VmDir {
        &self.dir
    }

    /// Its commands.
    pub fn exec(&self) -> &Exec {
        &self.exec
    }

    /// Runs a line of shell.
    ///
    /// # Errors
    /// Where its end is not known. A failing command is no error.
    pub fn sh(&self, script: &str, limit: Duration) -> Result<Output> {
        self.exec.shell(script, limit).or_else(|error| self.blame_panic(error.into()))
    }

    /// A panic explains any other failure.
    fn blame_panic<T>(&self, error: anyhow::Error) -> Result<T> {
        self.dir.check_panic()?;
        Err(error)
    }

    /// Whether it is up and has not panicked.
    pub fn is_sound(&self) -> bool {
        self.dir.is_up().unwrap_or(false) && self.dir.check_panic().is_ok()
    }

    /// Ends it as a power cut does.
    pub fn cut_power(self) {
        self.keeper.borrow_mut().cut_power();
    }

    /// How long since the kernel's first words the log has had a text in it, polled for at most `limit`.
    ///
    /// # Errors
    /// Where the text does not come.
    pub fn wait_for_log(&self, text: &str, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let log = std::fs::read(self.dir.serial_log()).unwrap_or_default();
            if String::from_utf8_lossy(&log).contains(text) {
                return Ok(());
            }
            self.dir.check_panic()?;
            if Instant::now() >= deadline {
                bail!("{text:?} was not printed within {} s:\n{}", limit.as_secs(), self.dir.tail(&self.dir.serial_log()));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.watching.store(false, Ordering::Relaxed);
    }
}
