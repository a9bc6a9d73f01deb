//! Uses of tokio, whose output is the same on every kernel that is Linux to programs.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::fs;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixDatagram, UnixListener, UnixStream, unix::pipe};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Barrier, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

fn main() -> io::Result<()> {
    let scratch = format!("/tmp/tokio-probe-{}", std::process::id());
    std::fs::create_dir_all(&scratch)?;
    std::env::set_current_dir(&scratch)?;
    for workers in [1, 2, 4] {
        println!("== {workers} workers");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        runtime.block_on(everything())?;
        runtime.shutdown_timeout(Duration::from_secs(10));
    }
    println!("== one thread");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(everything())?;
    std::env::set_current_dir("/")?;
    std::fs::remove_dir_all(&scratch)?;
    println!("== end");
    Ok(())
}

async fn everything() -> io::Result<()> {
    timers().await;
    channels().await;
    sync().await;
    files().await?;
    processes().await?;
    sockets().await?;
    signals().await?;
    blocking().await
}

async fn timers() {
    let begun = Instant::now();
    let order = Arc::new(Mutex::new(Vec::new()));
    let sleepers: JoinSet<()> = [90, 30, 60, 0]
        .map(|ms| {
            let order = Arc::clone(&order);
            async move {
                sleep(Duration::from_millis(ms * 3)).await;
                order.lock().await.push(ms);
            }
        })
        .into_iter()
        .collect();
    sleepers.join_all().await;
    // A host that stalls lets several be due at once, in no order.
    order.lock().await.sort_unstable();
    println!("sleeps: {:?}, not too short: {}", order.lock().await, begun.elapsed() >= Duration::from_millis(270));
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for _ in 0..4 {
        ticks.tick().await;
    }
    println!("interval: 4 ticks");
    println!("time-out: {}", timeout(Duration::from_millis(10), std::future::pending::<()>()).await.is_err());
    let chosen = tokio::select! {
        () = sleep(Duration::from_secs(100)) => "slow",
        () = sleep(Duration::from_millis(5)) => "fast",
    };
    println!("select: {chosen}");
    let many: JoinSet<u32> = (0..1_000u32).map(|n| async move { sleep(Duration::from_millis(u64::from(n % 7))).await; n }).collect();
    println!("1000 timers: {}", many.join_all().await.iter().sum::<u32>());
    let aborted = tokio::spawn(std::future::pending::<()>());
    aborted.abort();
    println!("aborted: {}", aborted.await.is_err_and(|error| error.is_cancelled()));
}

async fn channels() {
    let (sender, mut receiver) = mpsc::channel(4);
    for n in 0..10u64 {
        let sender = sender.clone();
        tokio::spawn(async move {
            for i in 0..100 {
                let _ = sender.send(n * 100 + i).await;
            }
        });
    }
    drop(sender);
    let (mut count, mut sum) = (0, 0);
    while let Some(value) = receiver.recv().await {
        (count, sum) = (count + 1, sum + value);
    }
    println!("mpsc: {count} {sum}");
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(async { sender.send("once") });
    println!("oneshot: {:?}", receiver.await);
    let (sender, mut first) = broadcast::channel(8);
    let mut second = sender.subscribe();
    (0..3).for_each(|n| drop(sender.send(n)));
    drop(sender);
    println!("broadcast: {:?} {:?} {:?}", first.recv().await, second.recv().await, first.recv().await);
    let (sender, mut receiver) = watch::channel(0);
    let watcher = tokio::spawn(async move { receiver.wait_for(|n| *n == 5).await.map(|n| *n).is_ok() });
    for n in 1..=5 {
        sender.send_replace(n);
        tokio::task::yield_now().await;
    }
    println!("watch: {:?}", watcher.await.ok());
}

async fn sync() {
    let (total, barrier, permits) = (Arc::new(RwLock::new(0)), Arc::new(Barrier::new(16)), Arc::new(Semaphore::new(3)));
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let tasks: JoinSet<bool> = (0..16)
        .map(|_| {
            let (total, barrier, permits, running, most) = (Arc::clone(&total), Arc::clone(&barrier), Arc::clone(&permits), Arc::clone(&running), Arc::clone(&most));
            async move {
                let leader = barrier.wait().await.is_leader();
                let _permit = permits.acquire().await;
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                *total.write().await += 1;
                sleep(Duration::from_millis(1)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                leader
            }
        })
        .collect();
    let leaders = tasks.join_all().await.into_iter().filter(|leader| *leader).count();
    println!("sync: {} {leaders} leader, at most 3 at once: {}", *total.read().await, most.load(Ordering::SeqCst) <= 3);
    let notify = Arc::new(Notify::new());
    let waiter = Arc::clone(&notify);
    let waiting = tokio::spawn(async move { waiter.notified().await });
    notify.notify_one();
    println!("notify: {}", waiting.await.is_ok());
}

async fn files() -> io::Result<()> {
    fs::create_dir_all("dir/sub").await?;
    let writers: JoinSet<io::Result<()>> = (0..20).map(|n| async move { fs::write(format!("dir/{n}"), vec![b'x'; n * 1_000]).await }).collect();
    writers.join_all().await.into_iter().collect::<io::Result<Vec<()>>>()?;
    let mut entries = fs::read_dir("dir").await?;
    let (mut files, mut bytes) = (0, 0);
    while let Some(entry) = entries.next_entry().await? {
        if entry.file_type().await?.is_file() {
            (files, bytes) = (files + 1, bytes + entry.metadata().await?.len());
        }
    }
    println!("files: {files} with {bytes} bytes");
    let mut file = fs::File::options().read(true).write(true).create(true).truncate(true).open("dir/file").await?;
    file.write_all(b"one\ntwo\nthree\n").await?;
    file.sync_all().await?;
    file.seek(io::SeekFrom::Start(4)).await?;
    let mut lines = BufReader::new(file).lines();
    println!("lines: {:?} {:?} {:?}", lines.next_line().await?, lines.next_line().await?, lines.next_line().await?);
    println!("missing: {:?}", fs::read("dir/none").await.map_err(|error| error.kind()));
    fs::rename("dir/file", "dir/sub/file").await?;
    println!("copied: {}", fs::copy("dir/sub/file", "dir/copy").await?);
    fs::remove_dir_all("dir").await
}

async fn processes() -> io::Result<()> {
    let output = Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).output().await?;
    println!("process: {:?} {:?} {:?}", output.status.code(), String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut child = Command::new("tr").args(["a-z", "A-Z"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut input, mut output) = (child.stdin.take().ok_or(io::ErrorKind::Other)?, child.stdout.take().ok_or(io::ErrorKind::Other)?);
    let feeding = tokio::spawn(async move { for n in 0..2_000 { input.write_all(format!("line {n}\n").as_bytes()).await?; } io::Result::Ok(()) });
    let mut text = String::new();
    output.read_to_string(&mut text).await?;
    println!("through tr: {} bytes, last {:?}, {:?} {:?}", text.len(), text.lines().last(), feeding.await.is_ok(), child.wait().await?.code());
    let children: JoinSet<Option<i32>> = (0..12u8)
        .map(|n| async move { Command::new("sh").arg("-c").arg(format!("sleep 0.0{}; exit {n}", n % 3)).status().await.ok()?.code() })
        .collect();
    println!("12 at once: {:?}", children.join_all().await.into_iter().flatten().sum::<i32>());
    let mut sleeper = Command::new("sleep").arg("1000").kill_on_drop(true).spawn()?;
    println!("still there: {}", timeout(Duration::from_millis(20), sleeper.wait()).await.is_err());
    sleeper.kill().await?;
    println!("killed: {}", sleeper.wait().await?);
    println!("no such: {:?}", Command::new("/no/such").spawn().map_err(|error| std::io::Error::from(error).kind()).err());
    Ok(())
}

async fn sockets() -> io::Result<()> {
    let _ = std::fs::remove_file("socket");
    let listener = UnixListener::bind("socket")?;
    let server = tokio::spawn(async move {
        for _ in 0..20 {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
        io::Result::Ok(())
    });
    let clients: JoinSet<io::Result<usize>> = (0..20usize)
        .map(|n| async move {
            let (mut reader, mut writer) = UnixStream::connect("socket").await?.into_split();
            let sending = tokio::spawn(async move { writer.write_all(&vec![n as u8; 100_000 + n]).await?; writer.shutdown().await });
            let mut back = Vec::new();
            reader.read_to_end(&mut back).await?;
            sending.await??;
            Ok(back.iter().filter(|byte| **byte == n as u8).count())
        })
        .collect();
    println!("echoed: {}", clients.join_all().await.into_iter().sum::<io::Result<usize>>()?);
    println!("server: {:?}", server.await?.is_ok());
    let (left, right) = UnixDatagram::pair()?;
    let receiving = tokio::spawn(async move { let mut buffer = [0; 16]; let mut lengths = Vec::new(); for _ in 0..5 { lengths.push(right.recv(&mut buffer).await?); } io::Result::Ok(lengths) });
    for n in 1..=5 {
        left.send(&vec![0; n * 4]).await?;
    }
    println!("datagrams: {:?}", receiving.await??);
    let (mut sender, mut receiver) = pipe::pipe()?;
    let writing = tokio::spawn(async move { sender.write_all(&vec![7; 300_000]).await });
    let mut all = Vec::new();
    receiver.read_to_end(&mut all).await?;
    println!("pipe: {} {}", all.len(), writing.await?.is_ok());
    let _ = std::fs::remove_file("fifo");
    println!("mkfifo: {:?}", Command::new("mkfifo").arg("fifo").status().await?.code());
    let mut reader = pipe::OpenOptions::new().open_receiver("fifo")?;
    let mut writer = pipe::OpenOptions::new().open_sender("fifo")?;
    writer.write_all(b"by name").await?;
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).await?;
    println!("fifo: {text:?}");
    Ok(())
}

async fn signals() -> io::Result<()> {
    let (mut user, mut hangup) = (signal(SignalKind::user_defined1())?, signal(SignalKind::hangup())?);
    for name in ["USR1", "HUP", "USR1"] {
        Command::new("sh").args(["-c", &format!("kill -{name} $PPID")]).status().await?;
        let caught = tokio::select! {
            _ = user.recv() => "USR1",
            _ = hangup.recv() => "HUP",
            () = sleep(Duration::from_secs(30)) => "nothing",
        };
        println!("signal {name}: {caught}");
    }
    Ok(())
}

async fn blocking() -> io::Result<()> {
    let workers: JoinSet<u64> = (0..8u64)
        .map(|n| async move { tokio::task::spawn_blocking(move || { std::thread::sleep(Duration::from_millis(5)); (0..100_000).fold(n, |a, b| a ^ b) }).await.unwrap_or_default() })
        .collect();
    println!("spawn_blocking: {}", workers.join_all().await.iter().sum::<u64>());
    let panicked = tokio::spawn(async { std::panic::resume_unwind(Box::new("reason")) }).await.map(|()| 0);
    println!("panicked task: {}", panicked.is_err_and(|error| error.is_panic()));
    Ok(())
}
