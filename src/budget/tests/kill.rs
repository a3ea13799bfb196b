//! Processes that share a ledger and are killed at any moment: what they had set aside is never lost, and never overspent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::budget::record::{LENGTH, LedgerEntry};
use crate::budget::*;

const PROCESSES: u64 = 4;

/// One process of the crowd: what it does is on its standard input, what it did on its output.
#[test]
#[ignore = "is started by the test below"]
fn one_of_the_crowd() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let [seed, limit, path] = line.trim().splitn(3, ' ').collect::<Vec<_>>()[..] else { return };
    let mut random = fastrand::Rng::with_seed(seed.parse().unwrap());
    let ledger = Ledger::open(Path::new(path), LedgerSharing::Several).unwrap();
    let seat = ledger.inner.lock().unwrap().number();
    let mut say = std::io::stdout();
    let of_run = SpendingLimit { tokens: Some(limit.parse().unwrap()), ..SpendingLimit::default() };
    let of_suite = SpendingLimit::default();
    for _ in 0..100_000 {
        let expected = Expected { tokens: Some(random.u64(1..200)), ..Expected::default() };
        let ask = BudgetRequest {
            suite: random.u64(0..3),
            expected: &expected,
            of_run: &of_run,
            of_suite: &of_suite,
        };
        let one = match ledger.reserve(&ask).unwrap() {
            ReservationAnswer::Reserved(one) => one,
            ReservationAnswer::Wait => continue,
            ReservationAnswer::Refused(..) => break,
        };
        writeln!(say, "\nreserved {seat} {} {}", one.id, one.amount.tokens).unwrap();
        if random.u8(..) < 200 {
            let tokens = random.u64(0..=one.amount.tokens);
            let used = AttemptUsage {
                tokens: Some(tokens),
                cost: Some(Costs::new()),
                ran: true,
                ..AttemptUsage::default()
            };
            ledger.settle(&one, &used).unwrap();
            writeln!(say, "\nsettled {seat} {} {tokens}", one.id).unwrap();
        }
    }
}

fn start(path: &Path, seed: u64, limit: u64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "budget::tests::kill::one_of_the_crowd", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{seed} {limit} {}", path.display()).unwrap();
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
        if output.read_line(&mut first).unwrap() == 0 {
            // Nothing was left for it.
            child.wait().unwrap();
            return Said::new();
        }
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

/// Lets processes draw on one ledger and kills each of them; what they said of themselves.
fn crowd(path: &Path, rounds: u64, limit: u64) -> Said {
    let mut random = fastrand::Rng::with_seed(limit);
    let mut said = Said::new();
    for round in 0..rounds {
        let children: Vec<Child> =
            (0..PROCESSES).map(|one| start(path, round * PROCESSES + one, limit)).collect();
        let threads: Vec<_> = children
            .into_iter()
            .map(|child| {
                let delay = Duration::from_micros(random.u64(0..8_000));
                std::thread::spawn(move || kill_later(child, delay))
            })
            .collect();
        threads.into_iter().for_each(|thread| said.extend(thread.join().unwrap()));
    }
    said
}

/// Folds the ledger entry by entry; what each reservation was settled at in the end.
fn audit(path: &Path, limit: u64) -> HashMap<(u64, u64), u64> {
    let (mut open, mut spent) = (HashMap::new(), HashMap::new());
    let (mut aside, mut sum) = (0, 0);
    for record in entries(path) {
        let (key, tokens) = ((record.seat, record.id), record.amount.tokens);
        match record.entry {
            LedgerEntry::Began => {}
            LedgerEntry::Reserved(_) => {
                aside += tokens;
                assert_eq!(open.insert(key, tokens), None);
            }
            LedgerEntry::Settled(_) => {
                aside -= open.remove(&key).unwrap_or_else(|| panic!("{key:?} is settled twice"));
                sum += tokens;
                spent.insert(key, tokens);
            }
        }
        assert!(aside + sum <= limit, "{aside} tokens are set aside and {sum} spent");
    }
    assert!(open.is_empty(), "{} reservations of the dead are still open", open.len());
    spent
}

/// What a process said it had set aside or settled counts as it said.
fn none_is_lost(said: &Said, spent: &HashMap<(u64, u64), u64>) {
    for (key, (reserved, settled)) in said {
        let counted = *spent.get(key).unwrap_or_else(|| panic!("the reservation {key:?} was lost"));
        match (reserved, settled) {
            (_, Some(settled)) => assert_eq!(counted, *settled, "{key:?}"),
            // It may have been settled, and killed before it said so.
            (Some(reserved), None) => assert!(counted <= *reserved, "{key:?}"),
            (None, None) => panic!("{key:?} said nothing"),
        }
    }
}

#[test]
fn a_hundred_processes_killed_at_any_moment_lose_and_overspend_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let limit = 1 << 40;
    let said = crowd(&path, 25, limit);
    let killed: std::collections::HashSet<u64> = said.keys().map(|(seat, _)| *seat).collect();
    assert_eq!(killed.len(), 100, "each had set something aside before it was killed");
    let ledger = Ledger::open(&path, LedgerSharing::Several).unwrap();
    let spent = audit(&path, limit);
    none_is_lost(&said, &spent);
    let unsettled = said.values().filter(|(_, settled)| settled.is_none()).count();
    assert!(unsettled > 100, "some were killed with something set aside");
    assert_eq!(ledger.look(|book, _| book.run().spent.tokens).unwrap(), spent.values().sum::<u64>());
    let seats = std::fs::read_dir(seats_of(&path)).unwrap().count();
    assert!(
        seats < 50,
        "{seats} of 101: the seats of the dead are cleared away with what they had set aside"
    );
}

#[test]
fn killed_processes_use_up_a_budget_and_never_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let limit = 20_000;
    let said = crowd(&path, 6, limit);
    let ledger = Ledger::open(&path, LedgerSharing::Several).unwrap();
    let spent = audit(&path, limit);
    none_is_lost(&said, &spent);
    let sum = spent.values().sum::<u64>();
    assert!((limit - 200..=limit).contains(&sum), "{sum}: what is left is less than an attempt may use");
    assert_eq!(ledger.look(|book, _| book.run().spent.tokens).unwrap(), sum);
}

fn entries(path: &Path) -> Vec<LedgerRecord> {
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(LENGTH).map(|entry| LedgerRecord::decode(entry.try_into().unwrap()).unwrap()).collect()
}
