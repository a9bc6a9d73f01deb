//! Random numbers: ChaCha20 (crate `chacha20`), reseeded from the CPU and from timing.

use chacha20::cipher::{KeyIvInit, StreamCipher};

use crate::sync::SpinLock;

struct Pool {
    key: [u8; 32],
    counter: u64,
}

static POOL: SpinLock<Pool> = SpinLock::new(Pool { key: [0; 32], counter: 0 });

/// Mixes unpredictable bytes into the pool (interrupt times, what programs write to /dev/urandom).
pub fn add_entropy(bytes: &[u8]) {
    let mut pool = POOL.lock();
    for (i, byte) in bytes.iter().enumerate() {
        pool.key[i % 32] ^= byte.rotate_left((i / 32) as u32);
    }
    stir(&mut pool, &mut []);
}

/// Seeds the pool at boot: the CPU's generator where there is one, its counters and the clock otherwise.
pub fn init() {
    let mut seed = [0u8; 64];
    for chunk in seed.chunks_mut(8) {
        // Timing jitter of a few hundred memory accesses where the CPU has no generator.
        let mut word = frame::cpu::rdrand().unwrap_or(0) ^ frame::time::rtc_unix_seconds().rotate_left(32);
        for _ in 0..64 {
            word = word.rotate_left(7) ^ frame::cpu::rdtsc();
        }
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    add_entropy(&seed);
}

/// Produces output, then replaces the key, so that earlier output cannot be recovered from it.
fn stir(pool: &mut Pool, out: &mut [u8]) {
    pool.counter += 1;
    let mut nonce = [0u8; 12];
    nonce[..8].copy_from_slice(&(pool.counter ^ frame::cpu::rdtsc().rotate_left(20)).to_le_bytes());
    let mut cipher = chacha20::ChaCha20::new(&pool.key.into(), &nonce.into());
    let mut key = [0u8; 32];
    cipher.apply_keystream(&mut key);
    out.fill(0);
    cipher.apply_keystream(out);
    pool.key = key;
}

/// Fills `out` with random bytes.
pub fn fill(out: &mut [u8]) {
    for chunk in out.chunks_mut(4096) {
        stir(&mut POOL.lock(), chunk);
    }
}

/// A random number.
pub fn u64() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
