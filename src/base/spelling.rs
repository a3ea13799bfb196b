//! What a misspelled word was probably meant to be.

/// The candidate nearest to `word`, if one is near enough to be a slip of the finger.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit || (word.len() >= 3 && candidate.starts_with(word))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ``did you mean `x`?``, where a candidate is near enough.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment), of the first 64 characters.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let beginning = |text: &'_ str| text.char_indices().nth(64).map_or(text.len(), |(end, _)| end);
    strsim::osa_distance(&a[..beginning(a)], &b[..beginning(b)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_only() {
        assert_eq!(nearest("asert", ["assert", "inputs"]), Some("assert"));
        assert_eq!(nearest("inptus", ["assert", "inputs"]), Some("inputs"));
        assert_eq!(nearest("zebra", ["assert", "inputs"]), None);
    }

    #[test]
    fn a_swap_is_one_slip_and_only_beginnings_are_compared() {
        assert_eq!(["abcd", "acbd", "abc", "xyz"].map(|word| edit_distance(word, "abcd")), [0, 1, 1, 4]);
        assert_eq!(edit_distance(&format!("{}x", "é".repeat(64)), &"é".repeat(64)), 0);
        assert_eq!(did_you_mean("asert", ["assert"]).as_deref(), Some("did you mean `assert`?"));
    }
}
