//! How often the next command is the one that is suggested: `cargo run --release -p gcs --example next_command -- FILE...`.
//!
//! A file holds the history of one user, one token a line; `**SOF**` and `**EOF**` bracket a session, `<n>` stands for n arguments. Everything is
//! learnt online: each is predicted before it is learnt.

#[path = "../src/suggest/predictor.rs"]
mod predictor;

use std::time::Instant;

use predictor::Predictor;

#[derive(Default)]
struct Score {
    all: u32,
    first: u32,
    three: u32,
    sure: u32,
    sure_right: u32,
}

impl Score {
    fn of(&self) -> String {
        let part = |n: u32, of: u32| f64::from(n) / f64::from(of.max(1));
        format!("{:.3} first, {:.3} among three of {}; shown {:.3} of them, right then {:.3}", part(self.first, self.all), part(self.three, self.all), self.all, part(self.sure, self.all), part(self.sure_right, self.sure))
    }

    fn add(&mut self, p: &Predictor, real: &str) {
        let found = p.predict(None, 3, |_| true);
        self.all += 1;
        let first = found.first().is_some_and(|f| &*f.0 == real);
        self.first += u32::from(first);
        self.three += u32::from(found.iter().any(|f| &*f.0 == real));
        if found.first().is_some_and(|f| f.1 >= 0.3) {
            self.sure += 1;
            self.sure_right += u32::from(first);
        }
    }
}

/// Whether a token goes on with the command before it: an argument, an option, an operator.
fn goes_on(token: &str, before: &str) -> bool {
    token.starts_with(['<', '-', '|', '>', '&', ';', '+']) || matches!(before, "|" | ">" | ">>" | "&&" | ";" | "<")
}

fn main() {
    let (mut tokens, mut lines) = (Score::default(), Score::default());
    let start = Instant::now();
    for file in std::env::args().skip(1) {
        let text = match std::fs::read_to_string(&file) {
            Ok(t) => t,
            Err(e) => {
                eprintln!("{file}: {e}");
                std::process::exit(1);
            }
        };
        let (mut by_token, mut by_line) = (Predictor::default(), Predictor::default());
        let (mut one_tokens, mut one_lines) = (Score::default(), Score::default());
        let mut line = String::new();
        let mut before = "";
        for token in text.lines().chain(["**EOF**"]) {
            if token != "**SOF**" && token != "**EOF**" {
                one_tokens.add(&by_token, token);
                tokens.add(&by_token, token);
            }
            by_token.learn(token, None);
            let marker = token == "**SOF**" || token == "**EOF**";
            if !line.is_empty() && !marker && goes_on(token, before) {
                line.push(' ');
                line.push_str(token);
            } else {
                if !line.is_empty() {
                    one_lines.add(&by_line, &line);
                    lines.add(&by_line, &line);
                    by_line.learn(&line, None);
                }
                line = if marker { String::new() } else { token.to_owned() };
            }
            before = token;
        }
        println!("{file}\n  tokens: {}\n  lines:  {}", one_tokens.of(), one_lines.of());
    }
    println!("all\n  tokens: {}\n  lines:  {}", tokens.of(), lines.of());
    let steps = f64::from(tokens.all + lines.all);
    println!("{:.1} us a step, predicting and learning", start.elapsed().as_secs_f64() * 1e6 / steps.max(1.0));
}
