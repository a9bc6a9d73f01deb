//! Prints what a request is understood to mean: `cargo run -p intent --example ask -- "free space"`, or requests on standard input.

use std::io::BufRead;

fn main() {
    let world = intent::LiveWorld::current();
    let context = intent::Context { risk: actions::RiskContext::current(), ..Default::default() };
    let args: Vec<String> = std::env::args().skip(1).collect();
    let lines: Box<dyn Iterator<Item = String>> =
        if args.is_empty() { Box::new(std::io::stdin().lock().lines().map_while(Result::ok)) } else { Box::new(std::iter::once(args.join(" "))) };
    for line in lines {
        if std::env::var_os("INTENT_DEBUG").is_some() {
            let r = intent::request::Request::new(&line, &world);
            println!("{:?}\n{:?}", r.entities, r.abstract_tokens());
            let model = intent::model::Model::shipped();
            let logits = model.logits(&intent::features::features(&r));
            let mut order: Vec<usize> = (0..logits.len()).collect();
            order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
            for c in order.iter().take(6) {
                println!("  {:6.2} {}", logits[*c], model.classes[*c]);
            }
        }
        match intent::ask(&line, &world, &context) {
            intent::Answer::Missing { intent, question, confidence, .. } => println!("{line}\n    {confidence:.2} {intent}: {question}"),
            intent::Answer::OutOfScope { confidence } => println!("{line}\n    {confidence:.2} out of scope"),
            answer => {
                println!("{line}");
                for r in answer.readings().iter().take(3) {
                    println!("    {:.2} {} [{}] {}", r.plan.confidence, r.intent, r.plan.risk(), r.plan.plan[0].action.text());
                }
            }
        }
    }
}
