//! Retrieval measured on pairs that were kept apart: by template, that is the same programs with the same options in the same order, whatever the arguments.

use actions::shell;
use intent::recall::{index::Index, recall};
use intent::world::FixedWorld;

/// Everything exists as a program, no file does.
fn world() -> FixedWorld {
    let commands = "find grep egrep sed awk xargs ls cat cp mv rm mkdir rmdir touch ln chmod chown sort uniq wc head tail cut tr tee paste join comm diff cmp tar gzip gunzip zcat bzip2 df du ps kill top free mount umount ping ip ifconfig ssh rsync \
        date echo printf cd pwd which file stat basename dirname readlink split seq shuf rev tac nl fold column md5sum sha1sum history alias set shopt read screen su sudo who w id groups dig host curl wget crontab watch sleep yes hostname uname uptime tree less more od mktemp env export \
        source pushd popd jobs bg fg disown nohup time type command bind unset test true false";
    FixedWorld { commands: commands.split_whitespace().map(str::to_owned).collect(), ..FixedWorld::default() }
}

/// The programs with their options.
fn template(command: &str) -> Option<Vec<String>> {
    let script = shell::parse(command).ok()?;
    let mut out = Vec::new();
    for i in &script.invocations {
        for (n, w) in i.words.iter().enumerate() {
            if n == 0 || w.text.starts_with('-') && w.text.len() > 1 && !w.text[1..].starts_with(|c: char| c.is_ascii_digit()) {
                out.push(w.text.clone());
            }
        }
        out.push("|".into());
    }
    Some(out)
}

#[test]
fn pairs_that_were_kept_apart_are_found_by_template() {
    let pairs: Vec<(&str, &str)> = include_str!("../data/nl2bash/test.tsv").lines().filter_map(|l| l.split_once('\t')).collect();
    let world = world();
    let every = if std::env::var_os("RECALL_FULL").is_some() { 1 } else { 4 };
    let (mut first, mut three, mut all) = (0, 0, 0);
    let mut bins = [(0_u32, 0_u32); 10];
    let mut took = std::time::Duration::ZERO;
    for (request, command) in pairs.iter().step_by(every) {
        let Some(expected) = template(command) else { continue };
        let begin = std::time::Instant::now();
        let found = recall(request, &world, 3);
        took += begin.elapsed();
        let right: Vec<bool> = found.iter().map(|f| template(&f.command).as_ref() == Some(&expected)).collect();
        all += 1;
        first += usize::from(right.first() == Some(&true));
        three += usize::from(right.contains(&true));
        if let Some(f) = found.first() {
            let bin = &mut bins[((f.score * 10.0) as usize).min(9)];
            bin.0 += 1;
            bin.1 += u32::from(right[0]);
        }
        if std::env::var_os("RECALL_SHOW").is_some() {
            println!("{}\t{request}\t{command}\t{}", right.first() == Some(&true), found.iter().map(|f| format!("{:.2} {}", f.score, f.command)).collect::<Vec<_>>().join(" ## "));
        }
    }
    println!("nl2bash, {all} pairs: by template first {:.3}, among three {:.3}; {:?} each", first as f64 / all as f64, three as f64 / all as f64, took / all as u32);
    for (i, (n, right)) in bins.iter().enumerate().filter(|(_, (n, _))| *n > 0) {
        println!("score {:.1}: {n} answers, right {:.2}", i as f64 / 10.0, f64::from(*right) / f64::from(*n));
    }
    assert!(first as f64 >= FLOOR * all as f64, "{first} of {all}");
}

/// Below what is reached, and above what a worse index would.
const FLOOR: f64 = 0.10;

#[test]
fn the_index_is_of_the_data_in_the_tree() {
    assert!(Index::shipped().is_of_this_data(), "run `cargo run --release -p intent --bin train -- --recall`");
}

#[test]
fn a_damaged_index_is_refused() {
    let good = include_bytes!("../model/recall.gir");
    for n in (0..good.len()).step_by(good.len() / 40) {
        // What is cut may miss words only.
        if let Some(index) = Index::read(&good[..n]) {
            index.nearest(&["find".into()], 3);
        }
    }
    let mut bad = good.to_vec();
    bad[0] = b'X';
    assert!(Index::read(bad.leak()).is_none());
}
