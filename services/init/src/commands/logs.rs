//! `gci logs`.

use crate::journal::reader::{Follower, all};
use crate::journal::{PRIORITIES, Record};
use anyhow::bail;
use clap::Args;
use std::collections::VecDeque;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// What of the journal is shown.
#[derive(Args)]
pub struct Options {
    /// Only what these units say; `kernel` is the kernel, `gci` process 1.
    #[arg(short, long = "unit", value_name = "UNIT")]
    unit: Vec<String>,
    /// Only this priority and what is worse: emerg, alert, crit, err, warning, notice, info, debug, or 0 to 7.
    #[arg(short, long, value_name = "PRIORITY")]
    priority: Option<String>,
    /// Only the last records.
    #[arg(short = 'n', long, value_name = "COUNT")]
    lines: Option<usize>,
    /// Only what was said since this start of the system.
    #[arg(short, long)]
    boot: bool,
    /// Goes on as records come.
    #[arg(short, long)]
    follow: bool,
}

/// How often to look for new records.
const PERIOD: Duration = Duration::from_millis(200);

/// Days since 1970 as a date (proleptic Gregorian; Howard Hinnant's algorithm `civil_from_days`).
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn line(record: &Record) -> String {
    let (seconds, micros) = (record.time_us / 1_000_000, record.time_us % 1_000_000);
    let (year, month, day) = date((seconds / 86400) as i64);
    let time = format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:03}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, micros / 1000);
    // What a program says must not move the cursor of whoever reads it.
    let text: String = record.message.chars().map(|it| if it.is_control() && it != '\t' { '\u{fffd}' } else { it }).collect();
    match record.priority {
        0..=4 => format!("{time} {} {}: {text}", record.unit, PRIORITIES[record.priority as usize]),
        _ => format!("{time} {}: {text}", record.unit),
    }
}

/// Prints records.
pub fn logs(folder: &Path, options: &Options, json: bool) -> anyhow::Result<ExitCode> {
    let priority = match &options.priority {
        None => 7,
        Some(text) => match PRIORITIES.iter().position(|name| name == text).or_else(|| text.parse().ok().filter(|number| *number < 8)) {
            Some(number) => number as u8,
            None => bail!("{text:?} is no priority; there are {}", PRIORITIES.join(", ")),
        },
    };
    if let Err(error) = std::fs::read_dir(folder) {
        bail!("there is no journal in {}: {error}", folder.display());
    }
    let units: Vec<String> = options.unit.iter().map(|unit| gci_units::UnitName::new(unit).map_or_else(|_| unit.clone(), |name| name.to_string())).collect();
    let boot = if options.boot { all(folder).last().map(|record| record.boot) } else { None };
    let is_shown = |record: &Record| {
        record.priority <= priority && (units.is_empty() || units.contains(&record.unit)) && boot.as_ref().is_none_or(|boot| *boot == record.boot)
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let print = |out: &mut dyn Write, record: &Record| -> std::io::Result<()> {
        if json { writeln!(out, "{}", serde_json::to_string(record)?) } else { writeln!(out, "{}", line(record)) }
    };
    // From before the end of what is there: nothing must be lost between them.
    let mut follower = options.follow.then(|| Follower::new(folder));
    let result = (|| -> std::io::Result<()> {
        let records = all(folder).filter(is_shown);
        match options.lines {
            Some(count) => {
                let mut last = VecDeque::new();
                for record in records {
                    last.push_back(record);
                    if last.len() > count {
                        last.pop_front();
                    }
                }
                last.iter().try_for_each(|record| print(&mut out, record))?;
            }
            None => records.into_iter().try_for_each(|record| print(&mut out, &record))?,
        }
        Ok(())
    })();
    // Whoever read them has had enough.
    let enough = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    };
    enough(result)?;
    while let Some(follower) = &mut follower {
        let result = follower.take().iter().filter(|record| is_shown(record)).try_for_each(|record| print(&mut out, record)).and_then(|()| out.flush());
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other?,
        }
        std::thread::sleep(PERIOD);
    }
    enough(out.flush())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_783), (2026, 11, 26));
        let record = Record { time_us: 1_001_000, boot: String::new(), unit: "u".into(), priority: 3, message: "a\x1b[2J".into() };
        assert_eq!(line(&record), "1970-01-01 00:00:01.001 u err: a\u{fffd}[2J");
    }
}
