//! `/proc/sys`.

use alloc::format;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::node::{Text, fixed};
use crate::error::*;
use crate::fs::{FileType, InodeRef};
use crate::ipc::limits;
use crate::ipc::sysv::{MAX_OBJECTS, sem};
use crate::mm::commit;
use crate::random;
use crate::syscall::misc;
use crate::task::{coredump, uts};
use crate::task::process::{PID_MAX, PID_MAX_LIMIT};

pub(super) const FILE: FileType = FileType::Regular;
pub(super) const DIR: FileType = FileType::Directory;

pub(super) fn number(value: u64) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

/// Numbers that fit an `int`.
const INTS: RangeInclusive<usize> = 0..=i32::MAX as usize;

macro_rules! constant {
    ($value:expr) => {
        || Text::new(|| number($value))
    };
}
pub(super) use constant;

fn uuid(bytes: [u8; 16]) -> Vec<u8> {
    let mut b = bytes;
    b[6] = b[6] & 0x0f | 0x40;
    b[8] = b[8] & 0x3f | 0x80;
    let hex = |range: core::ops::Range<usize>| b[range].iter().map(|x| format!("{x:02x}")).collect::<alloc::string::String>();
    format!("{}-{}-{}-{}-{}\n", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)).into_bytes()
}

fn random_uuid() -> [u8; 16] {
    let mut bytes = [0; 16];
    random::fill(&mut bytes);
    bytes
}

fn boot_id() -> [u8; 16] {
    static ID: crate::sync::Once<[u8; 16]> = crate::sync::Once::new();
    *ID.get_or_init(random_uuid)
}

/// A name of the asking process's UTS namespace.
fn machine_name(show: fn() -> Vec<u8>, set: fn(&mut uts::Names, uts::Name)) -> InodeRef {
    let show = move || {
        let mut name = show();
        name.push(b'\n');
        Ok(name)
    };
    Text::writable((0, 0), show, move |bytes| {
        let name = uts::Name::new(bytes).ok_or(EINVAL)?;
        crate::task::with_current(|thread| thread.namespaces()).uts.change(|names| set(names, name));
        Ok(())
    })
}

fn host_name() -> InodeRef {
    machine_name(uts::host_name, |names, name| names.host = name)
}

fn domain_name() -> InodeRef {
    machine_name(uts::domain_name, |names, name| names.domain = name)
}

fn core_pattern() -> InodeRef {
    let show = || {
        let mut pattern = coredump::pattern();
        pattern.push(b'\n');
        Ok(pattern)
    };
    Text::writable((0, 0), show, coredump::set_pattern)
}

/// The directory.
pub fn root() -> InodeRef {
    fixed(&[("kernel", DIR, kernel), ("vm", DIR, vm), ("fs", DIR, fs), ("net", DIR, super::sysctl_net::root), ("user", DIR, user)])
}

fn kernel() -> InodeRef {
    fixed(&[
        ("cap_last_cap", FILE, constant!(40)),
        ("core_pattern", FILE, core_pattern),
        ("core_uses_pid", FILE, || setting_in(&coredump::USES_PID, 0..=1)),
        ("domainname", FILE, domain_name),
        ("hostname", FILE, host_name),
        ("keys", DIR, keys),
        ("modules_disabled", FILE, constant!(1)),
        ("msgmax", FILE, || ipc_setting(|it| &it.msg_max, 0..=1 << 20)),
        ("msgmnb", FILE, || ipc_setting(|it| &it.msg_max_queue, INTS)),
        ("msgmni", FILE, || ipc_setting(|it| &it.msg_queues, 0..=MAX_OBJECTS)),
        ("ngroups_max", FILE, constant!(65_536)),
        ("osrelease", FILE, || Text::new(|| format!("{}\n", misc::RELEASE).into_bytes())),
        ("ostype", FILE, || Text::new(|| b"Linux\n".to_vec())),
        ("overflowuid", FILE, constant!(65_534)),
        ("overflowgid", FILE, constant!(65_534)),
        ("pid_max", FILE, || setting_in(&PID_MAX, 301..=PID_MAX_LIMIT)),
        // What reaches the console; the other three are Linux's, and of no effect here.
        ("printk", FILE, printk),
        ("pty", DIR, || fixed(&[("max", FILE, constant!(4096)), ("nr", FILE, || Text::new(|| number(crate::ipc::tty::pty::list().len() as u64)))])),
        ("random", DIR, || {
            fixed(&[
                ("boot_id", FILE, || Text::new(|| uuid(boot_id()))),
                ("entropy_avail", FILE, constant!(256)),
                ("poolsize", FILE, constant!(256)),
                ("uuid", FILE, || Text::new(|| uuid(random_uuid()))),
            ])
        }),
        ("randomize_va_space", FILE, constant!(2)),
        ("seccomp", DIR, || fixed(&[("actions_avail", FILE, || Text::new(|| b"kill_process kill_thread trap errno trace log allow\n".to_vec()))])),
        ("sem", FILE, sem_limits),
        ("shmall", FILE, || ipc_setting(|it| &it.shm_all, 0..=usize::MAX)),
        ("shmmax", FILE, || ipc_setting(|it| &it.shm_max, 0..=usize::MAX)),
        ("shmmni", FILE, || ipc_setting(|it| &it.shm_segments, 0..=MAX_OBJECTS)),
        ("tainted", FILE, constant!(0)),
        ("threads-max", FILE, constant!(31_000)),
        // There are no user namespaces.
        ("unprivileged_userns_clone", FILE, constant!(0)),
        ("version", FILE, || Text::new(|| format!("{}\n", misc::version()).into_bytes())),
    ])
}

/// `printk` of `proc(5)`: the first number is the level below which lines reach the console.
fn printk() -> InodeRef {
    let show = || Ok(format!("{}\t4\t1\t7\n", crate::log::console_level()).into_bytes());
    Text::writable((0, 0), show, |bytes| {
        let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?;
        let level: u8 = text.split_ascii_whitespace().next().ok_or(EINVAL)?.parse().map_err(|_| EINVAL)?;
        crate::log::set_console_level(level);
        Ok(())
    })
}

/// Semaphores in a set, in all, operations in a call, and sets, of which the last can be changed.
fn sem_limits() -> InodeRef {
    let first = [sem::SEM_MAX_SET, sem::SEM_MAX_SET * MAX_OBJECTS, sem::SEM_MAX_OPS];
    let show = move || {
        let [set, all, operations] = first;
        Ok(format!("{set}\t{all}\t{operations}\t{}\n", limits::get(|it| &it.sem_sets)).into_bytes())
    };
    Text::writable((0, 0), show, move |bytes| {
        let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?;
        let words: Vec<usize> = text.split_ascii_whitespace().map(str::parse).collect::<core::result::Result<_, _>>().map_err(|_| EINVAL)?;
        match words[..] {
            [set, all, operations, sets] if [set, all, operations] == first && sets <= MAX_OBJECTS => {
                limits::set(|it| &it.sem_sets, sets);
                Ok(())
            }
            _ => Err(EINVAL),
        }
    })
}

fn vm() -> InodeRef {
    fixed(&[
        ("drop_caches", FILE, drop_caches),
        ("max_map_count", FILE, || setting_in(&crate::mm::MAX_AREAS, 0..=i32::MAX as usize)),
        ("mmap_min_addr", FILE, constant!(crate::mm::MIN_ADDRESS as u64)),
        ("nr_hugepages", FILE, constant!(0)),
        ("admin_reserve_kbytes", FILE, || setting(&commit::FOR_ROOT)),
        ("overcommit_kbytes", FILE, || limit_of_promises(&commit::KILOBYTES, &commit::RATIO)),
        ("overcommit_memory", FILE, || setting_in(&commit::MODE, 0..=2)),
        ("overcommit_ratio", FILE, || limit_of_promises(&commit::RATIO, &commit::KILOBYTES)),
        ("swappiness", FILE, constant!(0)),
    ])
}

/// One of two ways to give a limit: who sets one sets the other to 0.
fn limit_of_promises(of: &'static AtomicUsize, other: &'static AtomicUsize) -> InodeRef {
    Text::writable((0, 0), || Ok(number(of.load(Ordering::Relaxed) as u64)), |bytes| {
        let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?;
        let value: u32 = text.trim().parse().map_err(|_| EINVAL)?;
        of.store(value as usize, Ordering::Relaxed);
        other.store(0, Ordering::Relaxed);
        Ok(())
    })
}

/// 1 and 3 free clean pages of files; the names that 2 frees on Linux cost little here and stay.
fn drop_caches() -> InodeRef {
    Text::writable((0, 0), || Ok(number(0)), |bytes| match bytes {
        b"1" | b"3" => {
            // What is in use is only found on the second look.
            while crate::fs::pagecache::reclaim(usize::MAX / 2) > 0 {}
            Ok(())
        }
        b"2" | b"4" => Ok(()),
        _ => Err(EINVAL),
    })
}

/// A limit of the asking thread's IPC namespace.
fn ipc_setting(which: limits::Which, bounds: RangeInclusive<usize>) -> InodeRef {
    Text::writable((0, 0), move || Ok(number(limits::get(which) as u64)), move |bytes| {
        let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?;
        let value: usize = text.trim().parse().map_err(|_| EINVAL)?;
        if !bounds.contains(&value) {
            return Err(EINVAL);
        }
        limits::set(which, value);
        Ok(())
    })
}

/// A number that root may change.
fn setting(of: &'static AtomicUsize) -> InodeRef {
    setting_in(of, 0..=usize::MAX)
}

/// As [`setting`], within these bounds.
fn setting_in(of: &'static AtomicUsize, bounds: RangeInclusive<usize>) -> InodeRef {
    Text::writable((0, 0), move || Ok(number(of.load(Ordering::Relaxed) as u64)), move |bytes| {
        let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?;
        let value: usize = text.trim().parse().map_err(|_| EINVAL)?;
        if !bounds.contains(&value) {
            return Err(EINVAL);
        }
        of.store(value, Ordering::Relaxed);
        Ok(())
    })
}

/// How many keys each user may have, and for how long they are kept.
fn keys() -> InodeRef {
    use crate::task::keys::{GC_DELAY_S, quota, users};
    fixed(&[
        ("gc_delay", FILE, || setting_in(&GC_DELAY_S, INTS)),
        ("maxbytes", FILE, || setting_in(&quota::MAX_BYTES, INTS)),
        ("maxkeys", FILE, || setting_in(&quota::MAX_KEYS, INTS)),
        ("persistent_keyring_expiry", FILE, || setting_in(&users::PERSISTENT_S, INTS)),
        ("root_maxbytes", FILE, || setting_in(&quota::ROOT_MAX_BYTES, INTS)),
        ("root_maxkeys", FILE, || setting_in(&quota::ROOT_MAX_KEYS, INTS)),
    ])
}

/// How many namespaces each user may have.
fn user() -> InodeRef {
    use crate::task::ns_count::{Kind, LIMITS};
    const MOST: RangeInclusive<usize> = 0..=i32::MAX as usize;
    fixed(&[
        ("max_cgroup_namespaces", FILE, || setting_in(&LIMITS[Kind::Cgroup as usize], MOST)),
        ("max_ipc_namespaces", FILE, || setting_in(&LIMITS[Kind::Ipc as usize], MOST)),
        ("max_mnt_namespaces", FILE, || setting_in(&LIMITS[Kind::Mount as usize], MOST)),
        ("max_net_namespaces", FILE, || setting_in(&LIMITS[Kind::Net as usize], MOST)),
        ("max_pid_namespaces", FILE, || setting_in(&LIMITS[Kind::Pid as usize], MOST)),
        ("max_user_namespaces", FILE, || setting_in(&LIMITS[Kind::User as usize], MOST)),
        ("max_uts_namespaces", FILE, || setting_in(&LIMITS[Kind::Uts as usize], MOST)),
    ])
}

fn inotify() -> InodeRef {
    use crate::ipc::inotify::{MAX_EVENTS, MAX_INSTANCES, MAX_WATCHES};
    fixed(&[
        ("max_queued_events", FILE, || setting(&MAX_EVENTS)),
        ("max_user_instances", FILE, || setting(&MAX_INSTANCES)),
        ("max_user_watches", FILE, || setting(&MAX_WATCHES)),
    ])
}

fn mqueue() -> InodeRef {
    use crate::ipc::mqueue::{HARD_MSG_MAX, HARD_MSGSIZE_MAX};
    fixed(&[
        ("msg_default", FILE, || ipc_setting(|it| &it.default_messages, 1..=HARD_MSG_MAX)),
        ("msg_max", FILE, || ipc_setting(|it| &it.queue_messages, 1..=HARD_MSG_MAX)),
        ("msgsize_default", FILE, || ipc_setting(|it| &it.default_length, 128..=HARD_MSGSIZE_MAX)),
        ("msgsize_max", FILE, || ipc_setting(|it| &it.queue_length, 128..=HARD_MSGSIZE_MAX)),
        ("queues_max", FILE, || ipc_setting(|it| &it.queues_max, 0..=usize::MAX)),
    ])
}

fn fanotify() -> InodeRef {
    use crate::ipc::fanotify::{MAX_EVENTS, MAX_GROUPS, MAX_MARKS};
    fixed(&[
        ("max_queued_events", FILE, || setting_in(&MAX_EVENTS, INTS)),
        ("max_user_groups", FILE, || setting_in(&MAX_GROUPS, INTS)),
        ("max_user_marks", FILE, || setting_in(&MAX_MARKS, INTS)),
    ])
}

fn fs() -> InodeRef {
    fixed(&[
        ("fanotify", DIR, fanotify),
        ("inotify", DIR, inotify),
        // `Caller::follow_link` and `Caller::link` see to them, always.
        ("protected_hardlinks", FILE, constant!(1)),
        ("protected_symlinks", FILE, constant!(1)),
        ("mqueue", DIR, mqueue),
        ("aio-max-nr", FILE, || setting(&crate::ipc::aio::MAX_REQUESTS)),
        ("aio-nr", FILE, || Text::new(|| number(crate::ipc::aio::REQUESTS.load(Ordering::Relaxed) as u64))),
        ("file-max", FILE, constant!(1 << 20)),
        ("file-nr", FILE, || Text::new(|| b"0\t0\t1048576\n".to_vec())),
        ("mount-max", FILE, || setting_in(&crate::fs::mount::MAX_MOUNTS, 1..=100_000)),
        ("nr_open", FILE, || setting_in(&crate::fs::NR_OPEN, 64..=1 << 24)),
        ("lease-break-time", FILE, || setting(&crate::fs::lease::BREAK_TIME_S)),
        ("leases-enable", FILE, constant!(1)),
        ("pipe-max-size", FILE, || setting_in(&crate::ipc::pipe::MAX_SIZE, crate::mm::PAGE..=1 << 31)),
    ])
}
