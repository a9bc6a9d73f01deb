# rustc: one file with threads and collections, compiled and run.
# time: 300
cat > a.rs <<'R'
use std::{collections::HashMap, thread};
fn main() {
    let parts: Vec<_> = (0..4u64).map(|n| thread::spawn(move || (0..=n).product::<u64>() + n)).collect();
    let sum: u64 = parts.into_iter().map(|part| part.join().unwrap()).sum();
    let map: HashMap<_, _> = "hello".chars().map(|c| (c, c.is_alphabetic())).collect();
    println!("{sum} {} {:?}", map.len(), std::env::args().nth(1));
}
R
rustc a.rs && ./a argument; cargo --version | cut -d' ' -f1
