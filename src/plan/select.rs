//! Which tests run: filters, tags, `only`, a sample, and the order.

use crate::plan::choices::{Choices, FilterMatching, RunOrder, TestSelection};

impl TestSelection {
    /// True when a test of this name and these tags is wanted.
    pub fn takes<'t>(&self, name: &str, tags: impl Iterator<Item = &'t str> + Clone) -> bool {
        let matches = |filter: &String| match self.matching {
            FilterMatching::Substring => name.contains(filter.as_str()),
            FilterMatching::Exact => name == filter,
        };
        let tagged = |wanted: &[String]| tags.clone().any(|tag| wanted.iter().any(|wanted| wanted == tag));
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && (self.tags.is_empty() || tagged(&self.tags))
            && !tagged(&self.skip_tags)
    }
}

/// Draws the sample and the order; what is left out is dropped. The same seed gives the same draw.
pub fn arrange<T>(items: Vec<T>, choices: &Choices) -> Vec<T> {
    let mut items = items;
    if let Some(wanted) = choices.selection.sample.filter(|wanted| *wanted < items.len()) {
        let mut random = fastrand::Rng::with_seed(choices.seed);
        let mut drawn = random.choose_multiple(0..items.len(), wanted);
        drawn.sort_unstable();
        let mut drawn = drawn.into_iter().peekable();
        let numbered = items.into_iter().enumerate();
        items = numbered.filter_map(|(index, item)| drawn.next_if_eq(&index).map(|_| item)).collect();
    }
    match choices.selection.order {
        RunOrder::Written => {}
        RunOrder::Shuffled => fastrand::Rng::with_seed(choices.seed).shuffle(&mut items),
    }
    items
}
