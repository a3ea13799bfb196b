//! Processes that share a ledger and are killed at any moment: what they had set aside is never lost, and never overspent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::record::{Entry, LENGTH};
use super::*;

const LIMIT: u64 = 1_000_000;
const PROCESSES: u64 = 4;
const ROUNDS: u64 = 25;

fn allowance() -> Allowance {
    Allowance { tokens: Some(LIMIT), ..Allowance::default() }
}

/// One process of the crowd: what it does stands on its standard input, what it did on its output.
#[test]
#[ignore = "is started by the test below"]
fn one_of_the_crowd() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let Some((seed, path)) = line.trim().split_once(' ') else { return };
    let mut random = fastrand::Rng::with_seed(seed.parse().unwrap());
    let ledger = Ledger::open(Path::new(path), Sharing::Several).unwrap();
    let seat = ledger.inner.lock().unwrap().number();
    let mut say = std::io::stdout();
    let (of_run, of_suite) = (allowance(), Allowance::default());
    for _ in 0..100_000 {
        let expected = Expected { tokens: Some(random.u64(1..200)), ..Expected::default() };
        let ask = Ask { suite: random.u64(0..3), expected: &expected, of_run: &of_run, of_suite: &of_suite };
        let Answer::Reserved(one) = ledger.reserve(&ask).unwrap() else { continue };
        writeln!(say, "\nreserved {seat} {} {}", one.id, one.amount.tokens).unwrap();
        if random.u8(..) < 200 {
            let tokens = random.u64(0..=one.amount.tokens);
            let used = Used { tokens: Some(tokens), cost: Some(Costs::new()), ran: true, ..Used::default() };
            ledger.settle(&one, &used).unwrap();
            writeln!(say, "\nsettled {seat} {} {tokens}", one.id).unwrap();
        }
    }
}

fn start(path: &Path, seed: u64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::crowd::one_of_the_crowd", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{seed} {}", path.display()).unwrap();
    child
}

/// What a process said before it was killed: how much it had set aside and settled, by number.
type Said = HashMap<(u64, u64), (Option<u64>, Option<u64>)>;

fn kill_later(mut child: Child, delay: Duration) -> Said {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    // The delay begins with its first reservation.
    while !first.starts_with("reserved") {
        first.clear();
        assert!(output.read_line(&mut first).unwrap() > 0, "it ended before it set anything aside");
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    let rest = std::iter::once(first).chain(output.lines().map_while(Result::ok).map(|line| line + "\n"));
    let mut said = Said::new();
    for line in rest.filter(|line| line.ends_with('\n')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [word @ ("reserved" | "settled"), seat, id, tokens] = words[..] else { continue };
        // The last line may be torn.
        let (Ok(seat), Ok(id), Ok(tokens)) = (seat.parse(), id.parse(), tokens.parse()) else { continue };
        let entry = said.entry((seat, id)).or_default();
        if word == "reserved" {
            entry.0 = Some(tokens);
        } else {
            entry.1 = Some(tokens);
        }
    }
    child.wait().unwrap();
    said
}

#[test]
fn a_hundred_processes_killed_at_any_moment_lose_and_overspend_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let mut random = fastrand::Rng::with_seed(7);
    let mut said = Said::new();
    for round in 0..ROUNDS {
        let children: Vec<Child> = (0..PROCESSES).map(|one| start(&path, round * PROCESSES + one)).collect();
        let threads: Vec<_> = children
            .into_iter()
            .map(|child| {
                let delay = Duration::from_micros(random.u64(0..8_000));
                std::thread::spawn(move || kill_later(child, delay))
            })
            .collect();
        threads.into_iter().for_each(|thread| said.extend(thread.join().unwrap()));
    }
    let killed = said.keys().map(|(seat, _)| *seat).collect::<std::collections::HashSet<_>>().len();
    assert_eq!(killed as u64, ROUNDS * PROCESSES, "each set something aside before it was killed");
    let ledger = Ledger::open(&path, Sharing::Several).unwrap();
    bury_all(&ledger);
    let all = entries(&path);
    let (mut open, mut spent) = (HashMap::new(), HashMap::new());
    for record in &all {
        let key = (record.seat, record.id);
        match record.entry {
            Entry::Began => {}
            Entry::Reserved(_) => drop(open.insert(key, record.amount.tokens)),
            Entry::Settled(_) if open.remove(&key).is_some() => drop(spent.insert(key, record.amount.tokens)),
            Entry::Settled(_) => panic!("{key:?} is settled twice"),
        }
        let sum = open.values().sum::<u64>() + spent.values().sum::<u64>();
        assert!(sum <= LIMIT, "{sum} tokens are set aside or spent");
    }
    assert!(open.is_empty(), "the dead have nothing set aside any more: {}", open.len());
    for (key, (reserved, settled)) in &said {
        let counted = spent.get(key).unwrap_or_else(|| panic!("the reservation {key:?} was lost"));
        let expected = settled.or(*reserved).unwrap();
        let is_known = settled.is_some() || *counted == expected || counted <= &expected;
        assert!(is_known && settled.is_none_or(|tokens| *counted == tokens), "{key:?}: {counted}, {expected} were told");
    }
    let unsettled = said.values().filter(|(_, settled)| settled.is_none()).count();
    assert!(unsettled > 0, "some were killed with something set aside");
    assert_eq!(ledger.look(|book, _| book.run().spent.tokens).unwrap(), spent.values().sum::<u64>());
}

/// Asks for more than there is, until nobody is taken for alive any more.
fn bury_all(ledger: &Ledger) {
    let (of_run, of_suite) = (allowance(), Allowance::default());
    let expected = Expected { tokens: Some(LIMIT), ..Expected::default() };
    for _ in 0..1_000 {
        let ask = Ask { suite: 1, expected: &expected, of_run: &of_run, of_suite: &of_suite };
        match ledger.reserve(&ask).unwrap() {
            Answer::Refused(..) if ledger.look(|book, _| book.seats().is_empty()).unwrap() => return,
            Answer::Wait | Answer::Refused(..) => {
                // It does not fit whatever the others do: one that may fit waits for them.
                let little = Expected { tokens: None, ..Expected::default() };
                let ask = Ask { suite: 1, expected: &little, of_run: &of_run, of_suite: &of_suite };
                if let Answer::Reserved(one) = ledger.reserve(&ask).unwrap() {
                    ledger.settle(&one, &Used { tokens: Some(0), cost: Some(Costs::new()), ..Used::default() }).unwrap();
                    return;
                }
            }
            Answer::Reserved(_) => panic!("something was spent"),
        }
    }
    panic!("the dead are taken for alive");
}

fn entries(path: &Path) -> Vec<Record> {
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(LENGTH).map(|entry| Record::decode(entry.try_into().unwrap()).unwrap()).collect()
}
