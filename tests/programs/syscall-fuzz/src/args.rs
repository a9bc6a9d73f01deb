//! Arguments: mostly such that a call does something, sometimes senseless.

use std::io;

use crate::calls::Call;

const PAGE: u64 = 4096;
/// Size of the readable and writable buffer.
const BUFFER: u64 = 16 * PAGE;

/// Paths below the scratch directory, which anyone may harm.
const SCRATCH: [&[u8]; 18] = [
    b"f0\0", b"f1\0", b"f2\0", b"d0\0", b"d0/e\0", b"d0/f3\0", b"d1\0", b"l0\0", b"l1\0", b"new\0", b"d0/../f1\0", b"./d1/./new\0", b"d1/s\0", b"f1/x\0",
    b"\0", b".\0", b"d0//e///\0", b"\xff\xfe\0",
];
/// Paths that root may open, too. No directories: what is relative to them must be safe.
const READABLE: [&[u8]; 14] = [
    b"/dev/null\0", b"/dev/zero\0", b"/dev/full\0", b"/dev/urandom\0", b"/dev/ptmx\0", b"/dev/tty\0", b"/proc/self/maps\0", b"/proc/self/mem\0",
    b"/proc/self/fd/3\0", b"/proc/self/status\0", b"/proc/self/stat\0", b"/proc/meminfo\0", b"/proc/thread-self/comm\0", b"/proc/self/cmdline\0",
];
/// Paths that must be safe from users.
const GUARDED: [&[u8]; 24] = [
    b"/etc/passwd\0", b"/bin/true\0", b"/bin/bash\0", b"/root\0", b"/dev/mem\0", b"/dev/port\0", b"/dev/vda\0", b"/scheme/disk.vda/3\0", b"/scheme\0",
    b"/scheme/fuzz\0", b"/scheme/root/etc/passwd\0", b"/scheme/memory/physical/100000-1000\0", b"/scheme/memory/dma/4096\0", b"/scheme/irq/isa/1\0",
    b"/scheme/pci/\0", b"/proc/1/mem\0",
    b"/\0", b"/dev/pts/0\0", b"/proc/self\0", b"/proc/self/exe\0", b"/proc/self/fd\0", b"/proc/self/task\0", b"/sys\0", b"/dev/shm\0",
];

/// Makes arguments.
pub struct Maker {
    /// Where all chance comes from.
    pub random: fastrand::Rng,
    root: bool,
    me: u64,
    /// Start of: a page that cannot be used, [`BUFFER`] bytes, a page that cannot be used, a page that can be read, a page that cannot be used.
    area: u64,
    /// Addresses of mappings that calls made.
    learnt: [u64; 8],
}

impl Maker {
    /// With memory of its own.
    pub fn new(random: fastrand::Rng, root: bool) -> io::Result<Self> {
        let size = BUFFER + 4 * PAGE;
        // SAFETY: a fresh mapping; the changes are within it.
        let area = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let area = libc::mmap(std::ptr::null_mut(), size as usize, libc::PROT_NONE, flags, -1, 0);
            if area == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let both = libc::PROT_READ | libc::PROT_WRITE;
            libc::mprotect(area.byte_add(PAGE as usize), BUFFER as usize, both);
            libc::mprotect(area.byte_add((2 * PAGE + BUFFER) as usize), PAGE as usize, libc::PROT_READ);
            area as u64
        };
        // SAFETY: no memory is involved.
        let me = unsafe { libc::getpid() } as u64;
        Ok(Maker { random, root, me, area, learnt: [0; 8] })
    }

    /// Remembers a mapping.
    pub fn learn(&mut self, address: Option<u64>) {
        if let Some(address) = address {
            let at = self.random.usize(..self.learnt.len());
            self.learnt[at] = address;
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.usize(..from.len())]
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.u32(..n) == 0
    }

    /// A number that is near some boundary, or any.
    fn number(&mut self) -> u64 {
        let bits = self.random.u32(..64);
        match self.random.u32(..8) {
            0 => self.random.u64(..),
            1 => (1u64 << bits).wrapping_sub(1),
            2 => 1u64 << bits,
            3 => (self.random.u64(..8)).wrapping_neg(),
            4 => i32::MIN as u64,
            _ => self.random.u64(..) >> bits,
        }
    }

    /// An address that is no use: of the kernel, not canonical, at the end of the lower half, 0, in a hole.
    fn bad_address(&mut self) -> u64 {
        let near = self.random.u64(..64);
        let bases =
            [0, PAGE, self.area, self.area + PAGE + BUFFER, 0x7fff_ffff_f000, 0x7fff_ffff_ffff, 0x8000_0000_0000, 0xffff_8000_0000_0000, 0xffff_ffff_8010_0000, u64::MAX - 64];
        let base = self.pick(&bases);
        if self.one_in(8) { self.number() } else { base.wrapping_add(near) }
    }

    /// The address of something that the call may read or write.
    fn buffer(&mut self) -> u64 {
        let start = self.area + PAGE;
        match self.random.u32(..16) {
            0 => self.bad_address(),
            // The end of the buffer: what is longer runs into the hole.
            1 => start + BUFFER - self.random.u64(1..64),
            2 => self.area + 2 * PAGE + BUFFER + self.random.u64(..PAGE),
            3 => 0,
            _ => start + (self.random.u64(..BUFFER / 2) & !7),
        }
    }

    /// A buffer with these words at its start.
    fn words(&mut self, words: &[u64]) -> u64 {
        if self.one_in(12) {
            return self.buffer();
        }
        let at = self.area + PAGE + (self.random.u64(..BUFFER / 2) & !7);
        for (n, word) in words.iter().enumerate() {
            self.store(at + n as u64 * 8, *word);
        }
        at
    }

    /// Writes a word, unless an earlier call took the memory away (then this process ends, which is no failure).
    fn store(&mut self, at: u64, word: u64) {
        // SAFETY: within the buffer that `new` mapped. No reference to it exists.
        unsafe { (at as *mut u64).write_volatile(word) }
    }

    fn path(&mut self, scratch_only: bool) -> u64 {
        if self.one_in(24) {
            return self.buffer();
        }
        let choice = self.random.u32(..8);
        let path: &[u8] = match choice {
            0..4 => self.pick(&SCRATCH),
            _ if scratch_only && self.root => self.pick(&SCRATCH),
            7 if !self.root => self.pick(&GUARDED),
            _ if self.root => self.pick(&READABLE),
            _ if self.random.bool() => self.pick(&READABLE),
            _ => self.pick(&GUARDED),
        };
        if self.one_in(64) {
            return self.long_path();
        }
        path.as_ptr() as u64
    }

    /// Longer than a path or a name may be.
    fn long_path(&mut self) -> u64 {
        let at = self.area + PAGE;
        for n in 0..PAGE / 8 + 8 {
            self.store(at + n * 8, u64::from_ne_bytes(*b"abcdefgh"));
        }
        let end = self.random.u64(30..PAGE / 8 + 8);
        self.store(at + end * 8, 0);
        at
    }

    fn fd(&mut self) -> u64 {
        match self.random.u32(..16) {
            0 => self.number(),
            1 => libc::AT_FDCWD as u64,
            2 => u64::MAX,
            _ => self.random.u64(..44),
        }
    }

    fn length(&mut self) -> u64 {
        match self.random.u32(..8) {
            0 => self.number(),
            1 => 0,
            2 => self.random.u64(..BUFFER * 2),
            _ => self.random.u64(..512),
        }
    }

    fn address(&mut self) -> u64 {
        let page = self.random.u64(..16) * PAGE;
        match self.random.u32(..8) {
            0 => self.bad_address() & !(PAGE - 1),
            1 => self.bad_address(),
            2 => 0,
            3..6 => self.pick(&self.learnt.clone()).wrapping_add(page),
            _ => self.area + PAGE + page,
        }
    }

    fn time(&mut self) -> u64 {
        let (seconds, rest) = match self.random.u32(..6) {
            0 => (self.number(), self.number()),
            1 => (0, 0),
            2 => (u64::MAX, 0),
            3 => (0, 1_000_000_000),
            _ => (0, self.random.u64(..2_000_000)),
        };
        let (again, last) = if self.random.bool() { (seconds, rest) } else { (0, 0) };
        self.words(&[seconds, rest, again, last])
    }

    fn vectors(&mut self) -> u64 {
        let mut words = [0; 16];
        for pair in words.chunks_exact_mut(2) {
            pair[0] = self.buffer();
            pair[1] = self.length();
        }
        self.words(&words)
    }

    /// A `sockaddr_un`, or something else.
    fn socket_address(&mut self) -> u64 {
        let family = if self.one_in(4) { self.random.u64(..48) } else { 1 };
        let name = self.pick(&[*b"s\0\0\0\0\0", *b"\0abstr", *b"d1/s\0\0", *b"new\0\0\0", *b"\0\0\0\0\0\0"]);
        let mut word = [0; 8];
        word[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        word[2..].copy_from_slice(&name);
        self.words(&[u64::from_ne_bytes(word), 0])
    }

    /// A `msghdr` with control data that passes a descriptor, or nonsense.
    fn message(&mut self) -> u64 {
        let control = if self.random.bool() {
            let fd = self.fd();
            let length = self.pick(&[20, 24, 16, 0, 1000, u64::MAX]);
            let kind = self.random.u64(..3);
            self.words(&[length, 1 | (kind << 32), fd])
        } else {
            self.buffer()
        };
        let (name, name_length) = if self.random.bool() { (self.socket_address(), 16) } else { (0, 0) };
        let vectors = self.vectors();
        let (count, control_length) = (self.random.u64(..9), self.pick(&[0, 24, 24, 24, 4096, u64::MAX]));
        self.words(&[name, name_length, vectors, count, control, control_length, 0])
    }

    fn ioctl(&mut self) -> u64 {
        match self.random.u32(..4) {
            // The terminal's, the sockets' and the files' old-style ones.
            0 => 0x5400 + self.random.u64(..0x70),
            1 => self.pick(&[0x541b, 0x8901, 0x8905, 0x5421, 0x5450, 0x5451, 0x1260, 0x8008_1272, 0x8004_5430, 0x4004_5431, 0x5441]),
            // Any type, number, size and direction: the ones of the schemes are among them.
            2 => (self.random.u64(..4) << 30) | (self.random.u64(..64) << 16) | self.random.u64(..0x1_0000),
            _ => self.number(),
        }
    }

    /// Itself, nobody, a group: never another process of the system.
    fn process(&mut self) -> u64 {
        match self.random.u32(..8) {
            0 => self.me.wrapping_add(1_000_000),
            1 => 0,
            2 => (i32::MAX - 5) as u64,
            _ => self.me,
        }
    }

    /// An argument of a kind of [`Call::kinds`].
    pub fn make(&mut self, kind: u8) -> u64 {
        match kind {
            b'f' => self.fd(),
            b'p' => self.path(false),
            b'P' => self.path(true),
            b'D' => if self.random.bool() { libc::AT_FDCWD as u64 } else { self.fd() },
            b'b' => self.buffer(),
            b'l' => self.length(),
            b'i' => if self.one_in(8) { self.number() } else { self.random.u64(..16) },
            b'o' => {
                let (one, other) = (self.random.u32(..24), self.random.u32(..24));
                match self.random.u32(..4) {
                    0 => 0,
                    1 => 1 << one,
                    2 => (1 << one) | (1 << other),
                    _ => self.number(),
                }
            }
            b'm' => if self.one_in(8) { self.number() } else { self.random.u64(..0o10000) },
            b'a' => self.address(),
            b's' => self.random.u64(..68),
            b'd' => self.process(),
            b't' => self.time(),
            b'v' => self.vectors(),
            b'S' => self.socket_address(),
            b'z' => self.pick(&[0, 2, 3, 8, 16, 110, 111, 128, u32::MAX as u64]),
            b'M' => self.message(),
            b'q' => self.ioctl(),
            b'c' => if self.one_in(4) { self.number() } else { self.random.u64(..12) },
            b'L' => {
                let length = self.length();
                self.words(&[length])
            }
            b'w' => {
                let words = [self.number(), self.number(), self.number(), self.number(), self.number(), self.number(), self.number(), self.number()];
                self.words(&words)
            }
            b'g' => {
                let strings = [c"true".as_ptr() as u64, c"x".as_ptr() as u64, if self.one_in(8) { self.buffer() } else { 0 }, 0];
                self.words(&strings)
            }
            b'W' => 8,
            b'0' => 0,
            _ => self.number(),
        }
    }

    /// Changes arguments with which a call would end the test on purpose, or take all of the machine.
    pub fn tame(&mut self, call: &Call, args: &mut [u64; 6]) {
        match call.number as i64 {
            // A child that shares this memory needs a stack of its own: one of zeros, on which it soon crashes.
            libc::SYS_clone => {
                args[0] &= !(libc::CLONE_VFORK as u64);
                if args[0] & libc::CLONE_VM as u64 != 0 {
                    args[1] = self.area + PAGE + BUFFER - 256;
                }
            }
            // Descriptors of the first three kinds lead nowhere, but what was opened before must stay.
            libc::SYS_close_range => args[1] = args[1].min(800),
            libc::SYS_mmap | libc::SYS_mremap if !self.one_in(16) => args[1] %= 8 << 20,
            // Ticks come from the same timer.
            libc::SYS_alarm => args[0] %= 2,
            // No devices: as root they would be real ones.
            libc::SYS_mknod | libc::SYS_mknodat if self.root => {
                let mode = if call.number as i64 == libc::SYS_mknod { &mut args[1] } else { &mut args[2] };
                let kinds = [0, libc::S_IFREG, libc::S_IFIFO, libc::S_IFSOCK].map(u64::from);
                *mode = (*mode & 0o7777) | kinds[self.random.usize(..kinds.len())];
            }
            _ => {}
        }
    }

    /// A call whose number and arguments mean nothing, or one in Redox's numbers. As root only numbers that no call has.
    pub fn senseless_call(&mut self, root: bool) -> (u64, [u64; 6]) {
        let number = match self.random.u32(..3) {
            0 => 0x1000_0000 | (self.random.u64(..) & 0x2fff_ffff),
            1 => 500 + self.random.u64(..4096),
            _ if root => 0x4000_0000 | self.random.u64(..),
            _ => self.number(),
        };
        // Redox's calls by path could harm as root: they get no pointers then.
        let args = std::array::from_fn(|_| if root { self.random.u64(..256) } else { self.number() });
        (number, args)
    }
}
