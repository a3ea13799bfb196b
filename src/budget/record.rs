//! One entry of a ledger, and its 256 bytes on disk; pure.
//!
//! Every entry has the same length and ends with a checksum: where one ends is known without reading it, and half an entry
//! that a killed process left cannot be taken for a whole one.

use rust_decimal::Decimal;

use crate::budget::amount::{Amount, Currency, MOST_CURRENCIES};

/// Bytes of an entry.
pub const LENGTH: usize = 256;
/// Prices that an entry has room for: those of the run's budget and of a suite's.
const PRICES: usize = 2 * MOST_CURRENCIES;
/// How an entry begins: the file's kind and version.
const MAGIC: [u8; 4] = *b"FPL1";
/// Where the checksum begins.
const BODY: usize = LENGTH - 8;
/// Where prices begin, each of 3 bytes and 16.
const COSTS: usize = 64;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerEntry {
    /// The time of the budgets begins to run, or goes on after a stop.
    Began,
    /// An amount is set aside for an attempt.
    Reserved(Exclusivity),
    /// What the attempt used; it is no longer set aside.
    Settled(KnownParts),
}

/// Whether others may be at work beside an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusivity {
    /// They may.
    Others,
    /// Nobody knows what it uses: it runs alone.
    Alone,
}

/// Which parts of a settled amount Dify reported; the others are the reserved ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownParts {
    /// The tokens.
    pub tokens: bool,
    /// The prices.
    pub cost: bool,
    /// True where it ran, so that the next one may be expected to use as much.
    pub ran: bool,
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRecord {
    /// What it says.
    pub entry: LedgerEntry,
    /// The process that wrote it.
    pub seat: u64,
    /// Which reservation of that process.
    pub id: u64,
    /// The suite, by a hash of its name.
    pub suite: u64,
    /// Milliseconds of the budgets' time, as its writer knew them.
    pub elapsed_ms: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// How much.
    pub amount: Amount,
}

impl LedgerRecord {
    /// Its bytes; prices beyond those it has room for cannot be: no two budgets name this many.
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&MAGIC);
        let (kind, flags) = match self.entry {
            LedgerEntry::Began => (1, 0),
            LedgerEntry::Reserved(Exclusivity::Others) => (2, 0),
            LedgerEntry::Reserved(Exclusivity::Alone) => (2, 1),
            LedgerEntry::Settled(KnownParts { tokens, cost, ran }) => {
                (3, u8::from(tokens) | u8::from(cost) << 1 | u8::from(ran) << 2)
            }
        };
        (bytes[4], bytes[5]) = (kind, flags);
        let numbers = [self.seat, self.id, self.suite, self.elapsed_ms, self.wall_ms, self.amount.tokens];
        for (place, number) in bytes[8..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        for (place, (currency, price)) in
            bytes[COSTS..BODY].chunks_exact_mut(19).zip(&self.amount.cost).take(PRICES)
        {
            place[..3].copy_from_slice(&currency.0);
            place[3..].copy_from_slice(&price.serialize());
        }
        let sum = checksum(&bytes[..BODY]);
        bytes[BODY..].copy_from_slice(&sum);
        bytes
    }

    /// Reads an entry; `None` where these bytes are none.
    pub fn decode(bytes: &[u8; LENGTH]) -> Option<Self> {
        if bytes[..4] != MAGIC || bytes[BODY..] != checksum(&bytes[..BODY]) {
            return None;
        }
        let flag = |bit: u8| bytes[5] & (1 << bit) != 0;
        let entry = match bytes[4] {
            1 => LedgerEntry::Began,
            2 if flag(0) => LedgerEntry::Reserved(Exclusivity::Alone),
            2 => LedgerEntry::Reserved(Exclusivity::Others),
            3 => LedgerEntry::Settled(KnownParts { tokens: flag(0), cost: flag(1), ran: flag(2) }),
            _ => return None,
        };
        let number = |place: usize| {
            let start = 8 + 8 * place;
            bytes[start..start + 8].try_into().map(u64::from_le_bytes).ok()
        };
        let mut amount = Amount { tokens: number(5)?, ..Amount::default() };
        for place in bytes[COSTS..BODY].chunks_exact(19).take(PRICES).filter(|place| place[0] != 0) {
            let currency = Currency(place[..3].try_into().ok()?);
            amount.cost.insert(currency, Decimal::deserialize(place[3..].try_into().ok()?));
        }
        let (seat, id, suite) = (number(0)?, number(1)?, number(2)?);
        Some(Self { entry, seat, id, suite, elapsed_ms: number(3)?, wall_ms: number(4)?, amount })
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries() -> impl Strategy<Value = LedgerEntry> {
        prop_oneof![
            Just(LedgerEntry::Began),
            Just(LedgerEntry::Reserved(Exclusivity::Others)),
            Just(LedgerEntry::Reserved(Exclusivity::Alone)),
            any::<[bool; 3]>().prop_map(|[tokens, cost, ran]| LedgerEntry::Settled(KnownParts {
                tokens,
                cost,
                ran
            })),
        ]
    }

    fn records() -> impl Strategy<Value = LedgerRecord> {
        let letters = proptest::array::uniform3(b'A'..=b'Z');
        let prices = proptest::collection::btree_map(
            letters.prop_map(Currency),
            (any::<u64>(), 0_u32..20)
                .prop_map(|(number, scale)| Decimal::from_i128_with_scale(i128::from(number), scale)),
            0..=PRICES,
        );
        (entries(), any::<[u64; 6]>(), prices).prop_map(|(entry, numbers, cost)| {
            let [seat, id, suite, elapsed_ms, wall_ms, tokens] = numbers;
            LedgerRecord { entry, seat, id, suite, elapsed_ms, wall_ms, amount: Amount { tokens, cost } }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(record in records()) {
            prop_assert_eq!(LedgerRecord::decode(&record.encode()), Some(record));
        }

        #[test]
        fn one_changed_byte_is_seen(record in records(), place in 0..LENGTH, change in 1_u8..) {
            let mut bytes = record.encode();
            bytes[place] ^= change;
            prop_assert_eq!(LedgerRecord::decode(&bytes), None);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), LENGTH)) {
            prop_assert_eq!(LedgerRecord::decode(&bytes.try_into().unwrap()), None);
        }
    }
}
