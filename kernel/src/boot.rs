//! From the hand-off by the frame to the first process.

use alloc::sync::Arc;
use alloc::vec::Vec;

use boot_params::BootParams;
use frame::BootInfo;
use frame::user::UserContext;

use crate::fs::{FileTable, FsContext};
use crate::mm::AddressSpace;
use crate::task::{self, Process, Thread, comm_from, lifecycle, process, sched, user_loop};
use crate::{devices, fs, ipc, log, proc, random, scheme, time};

/// Programs tried as the first process after the one of the boot parameters.
const FALLBACK_INIT: [&str; 2] = ["/init", "/bin/sh"];

static COMMAND_LINE: crate::sync::Once<&'static str> = crate::sync::Once::new();

/// The kernel's command line.
pub fn command_line() -> &'static str {
    COMMAND_LINE.get().copied().unwrap_or_default()
}

/// Called on the boot CPU once memory, traps and clocks work.
pub fn start(boot: &'static BootInfo) -> ! {
    frame::trap::set_hooks(frame::trap::Hooks {
        kernel_page_fault: user_loop::kernel_page_fault,
        timer: sched::timer_interrupt,
        resched_ipi: sched::resched_interrupt,
    });
    // The first call, before anybody asks.
    let _ = COMMAND_LINE.set(boot.cmdline);
    random::init();
    time::init();
    let params = BootParams::parse(boot.cmdline);
    announce(boot, &params);
    fs::init(boot);
    ipc::init();
    proc::init();
    scheme::init(boot);
    task::adopt_idle();
    let cpus = frame::cpu::start_others(secondary);
    log::info!("{cpus} CPU(s): {}", frame::cpu::info().model_name);
    task::spawn_kernel("boot", move || first_process(boot));
    task::spawn_kernel("flusher", || fs::flusher());
    ipc::aio::start();
    sched::idle_loop()
}

fn secondary(_cpu: usize) -> ! {
    task::adopt_idle();
    sched::idle_loop()
}

fn announce(boot: &BootInfo, params: &BootParams) {
    log::info!("GenAI OS {}, booted by {:?}, {} MiB of memory", env!("CARGO_PKG_VERSION"), boot.source, boot.memory_kib / 1024);
    log::info!("command line: {}", boot.cmdline);
    log::set_console_level(params.loglevel.get() + 1);
    for problem in params.problems.iter() {
        log::warning!("boot parameter: {problem}");
    }
    log::info!(
        "consciousness={} ai={} education={} security={} recovery={} target={}",
        params.consciousness,
        params.ai,
        params.education,
        params.security,
        params.recovery,
        params.target
    );
}

/// Runs in a kernel thread: becomes nobody, makes process 1 and ends.
fn first_process(boot: &'static BootInfo) {
    devices::init();
    let params = BootParams::parse(boot.cmdline);
    let candidates = [params.init, FALLBACK_INIT[0], FALLBACK_INIT[1]];
    let arguments = Vec::new();
    let root = fs::root();
    let process = Process::first(1, FileTable::new(), FsContext::new(root), AddressSpace::new(0).ok());
    let body = {
        let process = process.clone();
        alloc::boxed::Box::new(move || {
            become_init(&process, &candidates, arguments);
            lifecycle::end_thread as fn() -> !
        })
    };
    let Some(thread) = Thread::new(1, process.clone(), comm_from(b"init"), body) else { panic!("no memory for the first process") };
    process.start_session();
    process::register(&process);
    process::add_thread(&thread);
    sched::wake(&thread);
}

fn become_init(process: &Arc<Process>, candidates: &[&str], arguments: Vec<Vec<u8>>) {
    fs::open_console(process);
    let Some(mut context) = UserContext::new() else { panic!("no memory for the first process") };
    let environment = [&b"PATH=/sbin:/bin:/usr/sbin:/usr/bin"[..], b"HOME=/", b"TERM=linux"].map(<[u8]>::to_vec).to_vec();
    for name in candidates {
        let attempt = fs::resolve(process, name.as_bytes()).and_then(|path| {
            let mut argv = alloc::vec![name.as_bytes().to_vec()];
            argv.extend(arguments.iter().cloned());
            task::exec::exec(&task::current(), &mut context, path, name.as_bytes().to_vec(), argv, environment.clone())
        });
        match attempt {
            Ok(()) => {
                log::info!("starting {name}");
                return user_loop::run(context);
            }
            Err(error) => log::warning!("cannot start {name}: {error:?}"),
        }
    }
    log::error!("no program to run as the first process: boot with init=PATH of a program in the initfs");
    lifecycle::exit_group(&task::current(), 127);
}
