# rustc and cargo, offline: a crate with a library, a binary, tests, and another crate beside it.
# soak
# time: 900
export HOME=$PWD CARGO_HOME=$PWD/.cargo CARGO_NET_OFFLINE=true
cargo new -q --vcs none --lib sums && cargo new -q --vcs none app && cd app
echo 'sums = { path = "../sums" }' >>Cargo.toml
cat > ../sums/src/lib.rs <<'R'
//! Sums.
use std::{sync::mpsc, thread};
/// The sum of squares below `n`, by threads.
pub fn squares(n: u64) -> u64 {
    let (sender, receiver) = mpsc::channel();
    for part in 0..4 {
        let sender = sender.clone();
        thread::spawn(move || sender.send((part..n).step_by(4).map(|i| i * i).sum::<u64>()));
    }
    drop(sender);
    receiver.iter().sum()
}
#[cfg(test)]
mod tests {
    #[test]
    fn adds() { assert_eq!(super::squares(1000), 332_833_500); }
    #[test]
    #[should_panic]
    fn fails() { assert_eq!(super::squares(2), 0); }
}
R
cat > src/main.rs <<'R'
use std::{collections::BTreeMap, env, fs, io::{self, Read}, process::Command};
fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut count = BTreeMap::new();
    for word in text.split_whitespace() { *count.entry(word).or_insert(0) += 1; }
    fs::write("out", format!("{count:?}\n"))?;
    let output = Command::new("cat").arg("out").output()?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    println!("{} {:?} {:?}", sums::squares(100), env::args().nth(1), fs::read("nothing").map_err(|e| e.kind()));
    std::process::exit(3)
}
R
echo 'a b a c' | cargo run -q -- argument; echo "status $?"
cargo test -q --manifest-path ../sums/Cargo.toml 2>&1 | grep -E 'test result' | sed 's/;.*//'
echo 'fn main() { let x: u8 = 300; nothing(); }' >bad.rs; rustc bad.rs 2>&1 | grep -c '^error'; rustc -O --print cfg | grep -E 'target_(os|arch)'
