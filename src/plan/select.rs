//! Which tests run: filters, tags, `only`, a sample, and the order.

use crate::plan::choices::Choices;
use crate::record::event::RunOptions;

/// True when the options want a test of this name and these tags.
pub fn is_wanted<'t>(options: &RunOptions, name: &str, tags: impl Iterator<Item = &'t str> + Clone) -> bool {
    let matches =
        |filter: &String| if options.exact { name == filter } else { name.contains(filter.as_str()) };
    let tagged = |wanted: &[String]| tags.clone().any(|tag| wanted.iter().any(|wanted| wanted == tag));
    (options.filters.is_empty() || options.filters.iter().any(matches))
        && (options.tags.is_empty() || tagged(&options.tags))
        && !tagged(&options.skip_tags)
}

/// Draws the sample and the order; what is left out is dropped. The same seed gives the same draw.
pub fn arrange<T>(items: Vec<T>, choices: &Choices) -> Vec<T> {
    let mut items = items;
    if let Some(wanted) = choices.options.sample.filter(|wanted| *wanted < items.len()) {
        let mut random = fastrand::Rng::with_seed(choices.seed);
        let mut drawn = random.choose_multiple(0..items.len(), wanted);
        drawn.sort_unstable();
        let mut drawn = drawn.into_iter().peekable();
        let numbered = items.into_iter().enumerate();
        items = numbered.filter_map(|(index, item)| drawn.next_if_eq(&index).map(|_| item)).collect();
    }
    if choices.options.shuffle.is_some() {
        fastrand::Rng::with_seed(choices.seed).shuffle(&mut items);
    }
    items
}
