//! The YAML library with our options: a text to a tree, within bounds of nesting and repetition.

use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Options};

use crate::yaml::node::Node;
use crate::yaml::problem::OF_MACHINE;

/// The deepest nesting of lists and mappings.
pub(super) const DEEPEST: usize = 128;

/// Stack of the reading thread: about 20 KiB a level in an unoptimised build.
const STACK: usize = 32 << 20;

/// The bytes of text that aliases and merge keys may repeat, however short the file is.
const FEWEST_BYTES: usize = 16 << 20;

/// Values that aliases and merge keys may repeat, however short the file is; one more for each byte of a longer file.
const FEWEST_REPLAYED: usize = 200_000;

/// The most values that they may repeat.
const MOST_REPLAYED: usize = 1_000_000;

/// What a document is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParsePass {
    /// Its values: merge keys are carried out, a text with the tag `!!binary` stays the Base64 that it is.
    Values,
    /// The same with such texts decoded.
    BinaryDecoded,
    /// Its keys, `<<` among them.
    MergeKeysAsWritten,
}

/// Builds the tree on a thread whose stack holds the deepest nesting allowed, whatever thread asks.
pub(super) fn deserialize(text: &str, pass: ParsePass) -> Result<Node, Error> {
    std::thread::scope(|scope| {
        let read = || serde_saphyr::from_str_with_options::<Node>(text, options(pass, text.len()));
        match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read) {
            Ok(reader) => {
                reader.join().unwrap_or_else(|_| Err(serde::de::Error::custom("the YAML library panicked")))
            }
            Err(error) => Err(serde::de::Error::custom(format!("{OF_MACHINE}: {error}"))),
        }
    })
}

fn options(pass: ParsePass, length: usize) -> Options {
    let max_total_replayed_events = length.clamp(FEWEST_REPLAYED, MOST_REPLAYED);
    let aliases = serde_saphyr::alias_limits! { max_total_replayed_events: max_total_replayed_events };
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 2,
            max_nodes: 10_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: length.saturating_mul(2).saturating_add(FEWEST_BYTES),
            max_aliases: 1_000_000,
            max_anchors: 1_000_000,
            max_merge_keys: 1_000_000,
            enforce_alias_anchor_ratio: false,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        alias_limits: aliases,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        ignore_binary_tag_for_string: pass != ParsePass::BinaryDecoded,
        merge_keys: match pass {
            ParsePass::Values | ParsePass::BinaryDecoded => MergeKeyPolicy::Merge,
            ParsePass::MergeKeysAsWritten => MergeKeyPolicy::AsOrdinary,
        },
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}
