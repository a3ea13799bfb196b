//! Reads a record and lists its tests, the red ones first, and writes a page of it: `read-record JOURNAL [REPORT.html]`.

use std::path::Path;

use flowproof::RecordedRun;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let journal = arguments.next().ok_or("name a journal, such as reports/runs/<id>/journal.jsonl")?;
    let run = RecordedRun::read(&journal)?;
    println!("run {} on {}, started {}", run.id(), run.target(), run.started());
    for damage in run.damage() {
        println!("damaged: {damage}");
    }
    for test in run.tests() {
        let test = test?;
        println!("{:8} {} ({} attempts, {:.0?})", test.verdict.word(), test.name, test.attempts, test.duration);
        if test.is_red {
            println!("{}", test.explanation);
        }
    }
    println!("exit code {}: {}", run.exit_code(), run.conclusion());
    if let Some(report) = arguments.next() {
        run.write_report(Path::new(&report))?;
    }
    Ok(())
}
