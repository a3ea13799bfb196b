//! One ledger used by one process and by several: nothing is overspent, nothing is lost, nobody waits for ever.

pub(crate) mod kill;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;

fn tokens(tokens: u64) -> SpendingLimit {
    SpendingLimit { tokens: Some(tokens), ..SpendingLimit::default() }
}

fn expects(tokens: u64) -> Expected {
    Expected { tokens: Some(tokens), ..Expected::default() }
}

fn used(tokens: u64) -> AttemptUsage {
    AttemptUsage { tokens: Some(tokens), cost: Some(Costs::new()), ran: true, ..AttemptUsage::default() }
}

fn ask<'a>(expected: &'a Expected, of_run: &'a SpendingLimit) -> BudgetRequest<'a> {
    const NONE: SpendingLimit = SpendingLimit { tokens: None, cost: Costs::new(), time: None };
    static UNLIMITED: SpendingLimit = NONE;
    BudgetRequest { suite: 1, expected, of_run, of_suite: &UNLIMITED }
}

fn reserved(answer: ReservationAnswer) -> Reservation {
    match answer {
        ReservationAnswer::Reserved(reservation) => reservation,
        ReservationAnswer::Wait | ReservationAnswer::Refused(..) => panic!("{answer:?}"),
    }
}

fn spent(ledger: &Ledger) -> (u64, u64) {
    ledger.look(|book, _| (book.run().spent.tokens, book.run().reserved.tokens)).unwrap()
}

#[test]
fn the_first_runs_alone_and_the_next_expects_the_largest_so_far() {
    let ledger = Ledger::in_memory();
    let (nothing, all) = (Expected::default(), tokens(100));
    let first = reserved(ledger.reserve(&ask(&nothing, &all)).unwrap());
    assert_eq!(first.amount.tokens, 100, "nobody knows what it uses");
    assert_eq!(ledger.reserve(&ask(&nothing, &all)).unwrap(), ReservationAnswer::Wait);
    ledger.settle(&first, &used(30)).unwrap();
    let both = [(); 2].map(|()| reserved(ledger.reserve(&ask(&nothing, &all)).unwrap()));
    assert_eq!(both.each_ref().map(|one| one.amount.tokens), [30, 30]);
    assert_eq!(
        ledger.reserve(&ask(&nothing, &all)).unwrap(),
        ReservationAnswer::Wait,
        "10 are left, if they use as much"
    );
    ledger.settle(&both[0], &used(5)).unwrap();
    let last = reserved(ledger.reserve(&ask(&nothing, &all)).unwrap());
    ledger.settle(&both[1], &used(30)).unwrap();
    ledger.settle(&last, &used(30)).unwrap();
    assert!(matches!(
        ledger.reserve(&ask(&nothing, &all)).unwrap(),
        ReservationAnswer::Refused(BudgetOwner::Run, _)
    ));
    assert!(
        matches!(ledger.reserve(&ask(&expects(5), &all)).unwrap(), ReservationAnswer::Reserved(_)),
        "money is left"
    );
}

#[test]
fn what_nobody_knows_counts_as_it_was_set_aside_and_never_as_nothing() {
    let ledger = Ledger::in_memory();
    let all = tokens(100);
    let one = reserved(ledger.reserve(&ask(&expects(40), &all)).unwrap());
    ledger.settle(&one, &AttemptUsage { ran: true, ..AttemptUsage::default() }).unwrap();
    assert_eq!(spent(&ledger), (40, 0));
    let one = reserved(ledger.reserve(&ask(&expects(10), &all)).unwrap());
    let seen = Amount { tokens: 25, ..Amount::default() };
    ledger.settle(&one, &AttemptUsage { at_least: seen, ..AttemptUsage::default() }).unwrap();
    assert_eq!(spent(&ledger), (65, 0), "what was seen is more than was expected");
    assert_eq!(ledger.look(|book, _| book.run().unknown_tokens).unwrap(), 2);
    ledger.settle(&one, &used(25)).unwrap();
    assert_eq!(spent(&ledger), (65, 0), "nothing is settled twice");
}

#[test]
fn a_price_in_another_currency_is_not_known_and_none_below_nothing() {
    let ledger = Ledger::in_memory();
    let usd = Currency::of("USD").unwrap();
    let all = SpendingLimit { cost: [(usd, Decimal::ONE)].into(), ..SpendingLimit::default() };
    let expected = Expected { tokens: None, cost: [(usd, "0.1".parse().unwrap())].into() };
    let price = |ledger: &Ledger| ledger.look(|book, _| book.run().spent.in_currency(usd)).unwrap();
    let one = reserved(ledger.reserve(&ask(&expected, &all)).unwrap());
    ledger
        .settle(&one, &AttemptUsage { tokens: Some(5), cost: None, ran: true, ..AttemptUsage::default() })
        .unwrap();
    assert_eq!(price(&ledger), "0.1".parse().unwrap());
    let one = reserved(ledger.reserve(&ask(&expected, &all)).unwrap());
    let paid_back = AttemptUsage { cost: Some([(usd, "-5".parse().unwrap())].into()), ..used(5) };
    ledger.settle(&one, &paid_back).unwrap();
    assert_eq!(price(&ledger), "0.1".parse().unwrap(), "nobody is paid for a run");
}

#[test]
fn a_ledger_is_gone_on_with_and_what_was_open_counts_as_spent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/ledger");
    let all = tokens(100);
    {
        let ledger = Ledger::open(&path, LedgerSharing::Alone).unwrap();
        assert!(matches!(Ledger::open(&path, LedgerSharing::Alone), Err(LedgerError::InUse { .. })));
        let one = reserved(ledger.reserve(&ask(&expects(10), &all)).unwrap());
        ledger.settle(&one, &used(7)).unwrap();
        reserved(ledger.reserve(&ask(&expects(20), &all)).unwrap());
    }
    let ledger = Ledger::open(&path, LedgerSharing::Alone).unwrap();
    assert_eq!(spent(&ledger), (27, 0));
    let one = reserved(ledger.reserve(&ask(&expects(73), &all)).unwrap());
    ledger.settle(&one, &used(73)).unwrap();
    drop(ledger);
    assert_eq!(spent(&Ledger::open(&path, LedgerSharing::Alone).unwrap()), (100, 0));
}

#[test]
fn half_an_entry_is_cut_off_and_a_damaged_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let all = tokens(100);
    let ledger = Ledger::open(&path, LedgerSharing::Alone).unwrap();
    reserved(ledger.reserve(&ask(&expects(10), &all)).unwrap());
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    for torn in 0..record::LENGTH {
        fs::write(&path, [&whole[..], &whole[..torn]].concat()).unwrap();
        let ledger = Ledger::open(&path, LedgerSharing::Alone).unwrap();
        assert_eq!(spent(&ledger), (10, 0), "{torn} bytes");
    }
    let mut damaged = whole.clone();
    damaged[record::LENGTH + 20] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let error = Ledger::open(&path, LedgerSharing::Alone).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { entry: 1, .. }), "{error}");
    let shorter = Ledger::open(&folder.path().join("other"), LedgerSharing::Several).unwrap();
    fs::write(folder.path().join("other"), b"").unwrap();
    assert!(shorter.reserve(&ask(&expects(1), &all)).is_err(), "what was spent is not known any more");
}

#[test]
fn who_shares_a_ledger_sees_what_others_spend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let all = tokens(100);
    let [one, other] = [(); 2].map(|()| Ledger::open(&path, LedgerSharing::Several).unwrap());
    let mine = reserved(one.reserve(&ask(&expects(60), &all)).unwrap());
    assert_eq!(other.reserve(&ask(&expects(60), &all)).unwrap(), ReservationAnswer::Wait);
    one.settle(&mine, &used(30)).unwrap();
    let theirs = reserved(other.reserve(&ask(&expects(60), &all)).unwrap());
    assert_eq!(spent(&one), (30, 60));
    assert_eq!(one.reserve(&ask(&expects(60), &all)).unwrap(), ReservationAnswer::Wait);
    // Its lock is let go as if the process had been killed.
    drop(other);
    let answer = one.reserve(&ask(&expects(60), &all)).unwrap();
    assert!(matches!(answer, ReservationAnswer::Refused(..)), "{answer:?}");
    assert_eq!(spent(&one), (90, 0));
    drop(theirs);
}

#[test]
fn the_time_of_a_budget_goes_on_where_it_was_and_never_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let elapsed = |ledger: &Ledger| ledger.look(|_, elapsed_ms| elapsed_ms).unwrap();
    let record = |elapsed_ms, wall_ms| LedgerRecord {
        entry: LedgerEntry::Began,
        seat: 0,
        id: 0,
        suite: 0,
        elapsed_ms,
        wall_ms,
        amount: Amount::default(),
    };
    let far = 4_000_000_000_000;
    let entries = [
        record(0, far),
        LedgerRecord { entry: LedgerEntry::Reserved(record::Exclusivity::Others), ..record(5_000, far) },
    ];
    fs::write(&path, entries.iter().flat_map(LedgerRecord::encode).collect::<Vec<_>>()).unwrap();
    let ledger = Ledger::open(&path, LedgerSharing::Several).unwrap();
    assert!((5_000..65_000).contains(&elapsed(&ledger)), "the clock stepped back to before it began");
    drop(ledger);
    let entries = [record(0, 1_000), record(7_000, 9_000)];
    fs::write(&path, entries.iter().flat_map(LedgerRecord::encode).collect::<Vec<_>>()).unwrap();
    let resumed = Ledger::open(&path, LedgerSharing::Alone).unwrap();
    assert!((7_000..67_000).contains(&elapsed(&resumed)), "the years between two runs are no part of it");
    drop(resumed);
    let all = SpendingLimit { time: Some(Duration::from_millis(1)), ..SpendingLimit::default() };
    let joined = Ledger::open(&path, LedgerSharing::Several).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    assert!(matches!(
        joined.reserve(&ask(&Expected::default(), &all)).unwrap(),
        ReservationAnswer::Refused(..)
    ));
}

#[test]
fn many_threads_never_overspend_nor_leave_what_fits() {
    for seed in 0..20 {
        let ledger = Ledger::in_memory();
        let all = tokens(1_000);
        let (at_work, begun) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (ledger, all, at_work, begun) = (&ledger, &all, &at_work, &begun);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed * 100 + thread);
                    loop {
                        match ledger.reserve(&ask(&expects(random.u64(1..50)), all)).unwrap() {
                            ReservationAnswer::Reserved(one) => {
                                begun.fetch_add(1, Ordering::Relaxed);
                                let held = at_work.fetch_add(one.amount.tokens, Ordering::SeqCst);
                                assert!(held + one.amount.tokens <= 1_000);
                                std::thread::yield_now();
                                at_work.fetch_sub(one.amount.tokens, Ordering::SeqCst);
                                ledger.settle(&one, &used(random.u64(0..=one.amount.tokens))).unwrap();
                            }
                            ReservationAnswer::Wait => std::thread::yield_now(),
                            ReservationAnswer::Refused(_, shortage) => {
                                assert!(
                                    shortage.needed.is_some_and(|needed| needed > shortage.left)
                                        || shortage.left.is_zero()
                                );
                                return;
                            }
                        }
                    }
                });
            }
        });
        let (spent, reserved) = spent(&ledger);
        assert!(spent <= 1_000 && spent > 950 && reserved == 0, "{spent} {reserved}");
        assert!(begun.load(Ordering::Relaxed) >= 20);
    }
}

#[test]
fn what_another_record_tells_is_taken_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let usd = Currency(*b"USD");
    let past = |tokens, unknown| ImportedUsage {
        amount: Amount { tokens, cost: [(usd, Decimal::new(25, 2))].into() },
        unknown,
        largest: 100,
    };
    let elapsed = |ledger: &Ledger| ledger.look(|_, elapsed_ms| elapsed_ms).unwrap();
    let ledger = Ledger::open(&path, LedgerSharing::Alone).unwrap();
    ledger.carry(&[(1, past(300, 2)), (2, past(0, 0))], 90_000).unwrap();
    assert_eq!(spent(&ledger), (500, 0), "who nobody knows counts as the largest");
    assert!((90_000..120_000).contains(&elapsed(&ledger)), "the time that was gone is gone");
    let cost = ledger.look(|book, _| book.run().spent.in_currency(usd)).unwrap();
    assert_eq!(cost, Decimal::new(50, 2));
    drop(ledger);
    let again = Ledger::open(&path, LedgerSharing::Alone).unwrap();
    again.carry(&[(1, past(300, 2)), (2, past(0, 0))], 90_000).unwrap();
    assert_eq!(spent(&again), (500, 0));
    again.carry(&[(1, past(340, 2))], 90_000).unwrap();
    assert_eq!(spent(&again), (500, 0), "what was guessed is not added to what is known");
    let all = tokens(1_000);
    let nothing = Expected::default();
    let one = reserved(again.reserve(&ask(&nothing, &all)).unwrap());
    assert_eq!(one.amount.tokens, 100, "the largest attempt tells what the next one may use");
}
