//! The contracts suite: many small cases on the system-call interface, each of which prints values and error names that must be the same
//! on every kernel that is Linux to programs.
//!
//! `abi-probe list` names the cases, `abi-probe run [GROUP | GROUP/CASE]...` runs them. Each case runs in a process of its own, in a directory of its
//! own, so that none sees what another left. Nothing printed depends on time, addresses, process numbers or descriptors in use.

mod cases;
mod harness;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((verb, [])) if verb == "list" => {
            for group in cases::GROUPS {
                for (name, _) in group.cases {
                    println!("{}/{name}", group.name);
                }
            }
            ExitCode::SUCCESS
        }
        // What a case runs as another program.
        Some((verb, [])) if verb == "ids" => {
            // SAFETY: plain calls.
            println!("{}/{}", unsafe { libc::getuid() }, unsafe { libc::geteuid() });
            ExitCode::SUCCESS
        }
        Some((verb, wanted)) if verb == "run" => harness::run(cases::GROUPS, wanted),
        _ => {
            eprintln!("usage: abi-probe list | run [GROUP | GROUP/CASE]...");
            ExitCode::from(2)
        }
    }
}
