//! The variables of flowproof itself: those of options, which have a row there, and those that no flag of a run fills.

#[cfg(test)]
use crate::app::options::table::OPTIONS;

/// The variable that limits what files may read of the environment.
pub const ENV_NAMES: &str = "FLOWPROOF_ENV_NAMES";
/// The variable that names the ledger of a budget.
pub const LEDGER: &str = "FLOWPROOF_LEDGER";
/// The variable that says how many shards there are.
pub const SHARD_TOTAL: &str = "FLOWPROOF_SHARD_TOTAL";

/// A variable that no option of a run has.
pub struct OtherVariable {
    /// Its name.
    pub name: &'static str,
    /// The global flag that says the same, without its dashes.
    pub flag: Option<&'static str>,
    /// What it means, in a few words.
    pub help: &'static str,
}

/// The variables that no option of a run has.
pub const OTHER_VARIABLES: [OtherVariable; 3] = [
    OtherVariable {
        name: ENV_NAMES,
        flag: Some("env-names"),
        help: "the only variables that the project file and suites may read",
    },
    OtherVariable {
        name: LEDGER,
        flag: None,
        help: "the file of a budget that several processes on one machine share",
    },
    OtherVariable {
        name: SHARD_TOTAL,
        flag: None,
        help: "how many shards there are, for `--shard auto` in a Kubernetes Indexed Job",
    },
];

/// The names of all variables of flowproof.
#[cfg(test)]
pub fn variable_names() -> impl Iterator<Item = &'static str> {
    let of_options = OPTIONS.iter().filter_map(|row| row.variable);
    of_options.chain(OTHER_VARIABLES.iter().map(|variable| variable.name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names of flowproof's variables in a text.
    fn named(text: &str) -> BTreeSet<String> {
        let name = regex::Regex::new(r"\bFLOWPROOF_[A-Z_]*[A-Z]\b").unwrap();
        name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
    }

    #[test]
    fn each_variable_that_is_read_is_documented_and_no_other() {
        let known: BTreeSet<String> = variable_names().map(str::to_owned).collect();
        assert_eq!(known.len(), variable_names().count(), "a variable is there twice");
        let page = include_str!("../../../docs/cli.md");
        let section = page.split("\n## Environment\n").nth(1).unwrap();
        assert_eq!(named(section), known);
        assert!(named(page).is_subset(&known), "{:?}", named(page));
    }

    #[test]
    fn no_other_variable_is_read() {
        let known: BTreeSet<String> = variable_names().map(str::to_owned).collect();
        let sources = [
            include_str!("mod.rs"),
            include_str!("shard.rs"),
            include_str!("build.rs"),
            include_str!("letters.rs"),
        ];
        for source in sources {
            assert!(named(source).is_subset(&known), "{:?}", named(source));
        }
    }
}
