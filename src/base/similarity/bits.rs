//! Two sequences compared 64 rows at a time: the work is their lengths multiplied, over 64, and nothing of it depends on a clock.

use std::collections::HashMap;
use std::hash::Hash;

/// Two sequences by numbers: equal elements have equal ones.
pub(super) struct NumberedSequences {
    one: Vec<u32>,
    other: Vec<u32>,
    /// How many different elements there are.
    kinds: usize,
}

impl NumberedSequences {
    /// Numbers the elements in the order in which they come.
    pub(super) fn new<T: Eq + Hash + Copy>(one: &[T], other: &[T]) -> Self {
        let mut numbers: HashMap<T, u32> = HashMap::new();
        let mut number = |element: &T| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(*element).or_insert(next)
        };
        let one = one.iter().map(&mut number).collect();
        let other = other.iter().map(&mut number).collect();
        Self { one, other, kinds: numbers.len() }
    }

    /// The length of the longest common subsequence.
    ///
    /// H. Hyyrö, "Bit-parallel LCS-length computation revisited", AWOCA 2004. A zero bit of `rows` is a step of the length.
    pub(super) fn longest_common(&self) -> usize {
        let mut masks = vec![0_u64; self.kinds];
        let mut carries = vec![0_u8; self.other.len()];
        let mut common = 0;
        for block in self.one.chunks(64) {
            mark(&mut masks, block);
            let mut rows = u64::MAX;
            for (element, carry) in self.other.iter().zip(&mut carries) {
                let mask = masks[*element as usize];
                let (sum, first) = rows.overflowing_add(rows & mask);
                let (sum, second) = sum.overflowing_add(u64::from(*carry));
                *carry = u8::from(first | second);
                rows = sum | (rows & !mask);
            }
            common += rows.count_zeros() as usize;
            clear(&mut masks, block);
        }
        common
    }

    /// The least number of insertions, deletions and replacements that make the one of the other.
    ///
    /// G. Myers, "A fast bit-vector algorithm for approximate string matching", J. ACM 46, 1999; in the form for whole texts of
    /// H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic J. Computing 10, 2003.
    pub(super) fn edits(&self) -> usize {
        let mut masks = vec![0_u64; self.kinds];
        // How much the distance grows from each column to the next, in the row above the block.
        let mut steps = vec![1_i8; self.other.len()];
        for block in self.one.chunks(64) {
            mark(&mut masks, block);
            let last = 1_u64 << (block.len() - 1);
            let (mut more, mut less) = (u64::MAX, 0_u64);
            for (element, step) in self.other.iter().zip(&mut steps) {
                let (up, down) = (u64::from(*step > 0), u64::from(*step < 0));
                let mask = masks[*element as usize];
                let vertical = mask | less;
                let mask = mask | down;
                let horizontal = ((mask & more).wrapping_add(more) ^ more) | mask;
                let grows = less | !(horizontal | more);
                let shrinks = more & horizontal;
                *step = i8::from(grows & last != 0) - i8::from(shrinks & last != 0);
                let (grows, shrinks) = (grows << 1 | up, shrinks << 1 | down);
                more = shrinks | !(vertical | grows);
                less = grows & vertical;
            }
            clear(&mut masks, block);
        }
        let all: i64 = steps.into_iter().map(i64::from).sum();
        usize::try_from(self.one.len() as i64 + all).unwrap_or(0)
    }
}

fn mark(masks: &mut [u64], block: &[u32]) {
    for (row, element) in block.iter().enumerate() {
        masks[*element as usize] |= 1 << row;
    }
}

fn clear(masks: &mut [u64], block: &[u32]) {
    block.iter().for_each(|element| masks[*element as usize] = 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both lengths by the tables of the textbook.
    fn plainly(one: &[u8], other: &[u8]) -> (usize, usize) {
        let mut common = vec![vec![0; other.len() + 1]; one.len() + 1];
        let mut edits = vec![(0..=other.len()).collect::<Vec<_>>(); one.len() + 1];
        for row in 1..=one.len() {
            edits[row][0] = row;
            for column in 1..=other.len() {
                let same = one[row - 1] == other[column - 1];
                common[row][column] = match same {
                    true => common[row - 1][column - 1] + 1,
                    false => common[row - 1][column].max(common[row][column - 1]),
                };
                let replaced = edits[row - 1][column - 1] + usize::from(!same);
                edits[row][column] = replaced.min(edits[row - 1][column] + 1).min(edits[row][column - 1] + 1);
            }
        }
        (common[one.len()][other.len()], edits[one.len()][other.len()])
    }

    #[test]
    fn agrees_with_the_tables_over_several_blocks() {
        let mut random = fastrand::Rng::with_seed(4);
        for round in 0..300 {
            let letters = [2, 4, 26][round % 3];
            let mut text = |most: usize| -> Vec<u8> {
                (0..random.usize(..=most)).map(|_| random.u8(..letters)).collect()
            };
            let (one, other) = (text(200), text(200));
            let numbered = NumberedSequences::new(&one, &other);
            let (common, edits) = plainly(&one, &other);
            assert_eq!(numbered.longest_common(), common, "{one:?} {other:?}");
            assert_eq!(numbered.edits(), edits, "{one:?} {other:?}");
        }
        for length in [63, 64, 65, 127, 128, 129] {
            let (one, other) = (vec![1; length], vec![2; length]);
            assert_eq!(NumberedSequences::new(&one, &one).edits(), 0);
            assert_eq!(NumberedSequences::new(&one, &one).longest_common(), length);
            assert_eq!(NumberedSequences::new(&one, &other).edits(), length);
            assert_eq!(NumberedSequences::new(&one, &[]).edits(), length);
        }
    }
}
