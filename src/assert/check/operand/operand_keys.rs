//! The keys of operands that are mappings.

use super::bound::BOUND_KEYS;
use super::predicate_kind::Word;

/// The keys that an operand written as a mapping may have, where they are fixed.
pub(in crate::assert::check) fn operand_keys(word: Word) -> Option<&'static [&'static str]> {
    match word {
        Word::Approx => Some(&["value", "abs", "rel"]),
        Word::Similar => Some(&["to", "min", "method", "judge"]),
        Word::LlmRubric => Some(&["judge", "rubric", "min"]),
        Word::Length => Some(&BOUND_KEYS),
        Word::Equals
        | Word::OneOf
        | Word::Contains
        | Word::ContainsAny
        | Word::ContainsAll
        | Word::Includes => None,
        Word::StartsWith | Word::EndsWith | Word::Regex | Word::Gt | Word::Gte | Word::Lt | Word::Lte => None,
        Word::Between | Word::Empty | Word::Type | Word::Format | Word::Schema => None,
    }
}
