//! Threads, locks, channels.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, mpsc};
use std::thread;
use std::time::Duration;

pub fn threads() {
    let total: u64 = (0..32u64).map(|n| thread::spawn(move || (0..10_000).fold(n, |a, b| a.wrapping_mul(31) + b) & 0xffff)).map(|it| it.join().unwrap()).sum();
    println!("32 threads: {total}");
    let handle = thread::Builder::new().name("named".into()).stack_size(128 << 10).spawn(|| thread::current().name().map(str::to_owned));
    println!("name: {:?}", handle.unwrap().join().unwrap());
    let mut data = vec![1, 2, 3, 4, 5, 6, 7, 8];
    let sum = thread::scope(|scope| {
        let halves: Vec<_> = data.chunks_mut(2).map(|part| scope.spawn(move || { part.iter_mut().for_each(|n| *n *= 10); part.iter().sum::<i32>() })).collect();
        halves.into_iter().map(|half| half.join().unwrap()).sum::<i32>()
    });
    println!("scoped: {sum} {data:?}");
    println!("panicking thread: {}", thread::spawn(|| std::panic::resume_unwind(Box::new(7))).join().unwrap_err().downcast_ref::<i32>().unwrap());
    let deep = thread::Builder::new().stack_size(16 << 20).spawn(|| {
        fn down(n: u64) -> u64 { let pad = std::hint::black_box([n; 64]); if n == 0 { 0 } else { down(n - 1) + pad[3] / n } }
        down(10_000)
    });
    println!("deep stack: {}", deep.unwrap().join().unwrap());
    println!("cpus: {}", thread::available_parallelism().is_ok());
}

pub fn locks() {
    let counter = Arc::new(Mutex::new(0u64));
    let barrier = Arc::new(Barrier::new(8));
    let leaders = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..8).map(|_| {
        let (counter, barrier, leaders) = (Arc::clone(&counter), Arc::clone(&barrier), Arc::clone(&leaders));
        thread::spawn(move || {
            for _ in 0..5_000 {
                *counter.lock().unwrap() += 1;
            }
            for _ in 0..20 {
                leaders.fetch_add(usize::from(barrier.wait().is_leader()), Ordering::Relaxed);
            }
        })
    }).collect();
    threads.into_iter().for_each(|it| it.join().unwrap());
    println!("mutex: {}, barrier leaders: {}", *counter.lock().unwrap(), leaders.load(Ordering::Relaxed));

    let turn = Arc::new((Mutex::new(0), Condvar::new()));
    let players: Vec<_> = (0..2).map(|me| {
        let turn = Arc::clone(&turn);
        thread::spawn(move || {
            for _ in 0..1_000 {
                let mut now = turn.1.wait_while(turn.0.lock().unwrap(), |now| *now % 2 != me).unwrap();
                *now += 1;
                turn.1.notify_all();
            }
        })
    }).collect();
    players.into_iter().for_each(|it| it.join().unwrap());
    println!("condvar: {} turns", turn.0.lock().unwrap());
    let (guard, waited) = turn.1.wait_timeout(turn.0.lock().unwrap(), Duration::from_millis(20)).unwrap();
    println!("condvar time-out: {} {}", waited.timed_out(), *guard);
    drop(guard);

    let map = Arc::new(RwLock::new(BTreeMap::new()));
    thread::scope(|scope| {
        for n in 0..4 {
            let map = &map;
            scope.spawn(move || for i in 0..200 { map.write().unwrap().insert(n * 1_000 + i, i); let _ = map.read().unwrap().len(); });
        }
    });
    println!("rwlock: {} entries, last {:?}", map.read().unwrap().len(), map.read().unwrap().last_key_value());

    static LAZY: LazyLock<String> = LazyLock::new(|| "made once".into());
    static CELL: OnceLock<u32> = OnceLock::new();
    static ONCE: Once = Once::new();
    static TIMES: AtomicU64 = AtomicU64::new(0);
    thread::scope(|scope| for _ in 0..8 { scope.spawn(|| { ONCE.call_once(|| { TIMES.fetch_add(1, Ordering::Relaxed); }); CELL.get_or_init(|| 5); LAZY.len() }); });
    println!("once: {} {:?} {}", TIMES.load(Ordering::Relaxed), CELL.get(), *LAZY);

    let poisoned = Arc::new(Mutex::new(1));
    let holder = Arc::clone(&poisoned);
    let _ = thread::spawn(move || { let _guard = holder.lock(); std::panic::resume_unwind(Box::new(())) }).join();
    println!("poisoned: {} {}", poisoned.is_poisoned(), poisoned.lock().unwrap_or_else(|it| it.into_inner()));
}

pub fn channels() {
    let (sender, receiver) = mpsc::channel();
    for n in 0..4u32 {
        let sender = sender.clone();
        thread::spawn(move || for i in 0..500 { sender.send(n * 500 + i).unwrap(); });
    }
    drop(sender);
    let mut all: Vec<u32> = receiver.iter().collect();
    all.sort_unstable();
    println!("mpsc: {} messages, in order {}", all.len(), all.iter().copied().eq(0..2_000));
    let (sender, receiver) = mpsc::sync_channel(0);
    let partner = thread::spawn(move || receiver.iter().take(100).sum::<u32>());
    (0..100).for_each(|n| sender.send(n).unwrap());
    println!("rendezvous: {}, then {:?}", partner.join().unwrap(), sender.send(1).is_err());
    let (sender, receiver) = mpsc::sync_channel(1);
    println!("try_send: {:?} {:?}", sender.try_send(1), sender.try_send(2));
    println!("recv_timeout: {:?} {:?}", receiver.recv_timeout(Duration::from_secs(5)), receiver.recv_timeout(Duration::from_millis(10)));
}

pub fn locals() {
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(1) };
        static TEXT: RefCell<String> = RefCell::new("initial".into());
    }
    static DROPPED: AtomicU64 = AtomicU64::new(0);
    struct Noted;
    impl Drop for Noted { fn drop(&mut self) { DROPPED.fetch_add(1, Ordering::SeqCst); } }
    thread_local!(static NOTED: Noted = const { Noted });
    NUMBER.set(10);
    TEXT.with_borrow_mut(|text| text.push_str(" of main"));
    for n in 0..3 {
        let seen = thread::spawn(move || { NOTED.with(|_| ()); NUMBER.set(NUMBER.get() + n); TEXT.with_borrow_mut(|text| { text.push('!'); (NUMBER.get(), text.clone()) }) }).join();
        println!("thread {n}: {:?}", seen.unwrap());
    }
    println!("main: {} {:?}, {} destructors", NUMBER.get(), TEXT.with_borrow(String::clone), DROPPED.load(Ordering::SeqCst));
}

pub fn parking() {
    let parked = thread::spawn(|| { for _ in 0..3 { thread::park(); } "woken" });
    while !parked.is_finished() {
        parked.thread().unpark();
        thread::sleep(Duration::from_millis(1));
    }
    println!("park: {}", parked.join().unwrap());
    thread::park_timeout(Duration::from_millis(5));
    thread::yield_now();
    println!("park_timeout and yield: back");
}
