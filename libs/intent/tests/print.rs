//! `EXAM_IN=requests.txt cargo test -p intent --test print -- --nocapture`: what each request gives, as lines of an exam.

mod common;

#[test]
fn print() {
    let Some(file) = std::env::var_os("EXAM_IN") else { return };
    for request in std::fs::read_to_string(file).unwrap().lines() {
        let o = common::outcome(request);
        println!("EXAM {:.2}\t{request}\t{}", o.confidence, o.first);
    }
}
