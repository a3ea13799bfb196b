//! Parts of a value that are not known although there is something: what Dify cut short, and keys given twice.

use serde_json::Value;

use crate::base::effort::Effort;
use crate::base::json_path::{JsonPath, PathStep, show_place};
use crate::dify::transcript::{Flaw, FlawKind};

use super::shown::cut;

/// A part of a value that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Where it is.
    pub(super) place: Vec<PathStep>,
    /// Why it is not known.
    pub(super) why: UnknownReason,
}

/// Why a part of a value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UnknownReason {
    /// Dify cut it short.
    Cut,
    /// Its key is given twice.
    Repeated,
    /// It is a number whose exponent is beyond all reckoning, which is this.
    Rounded(String),
}

impl Doubt {
    /// What is wrong with a part of an answer, as seen from the document it is in.
    pub(super) fn of(flaw: &Flaw) -> Self {
        let why = match &flaw.kind {
            FlawKind::Repeated => UnknownReason::Repeated,
            FlawKind::Rounded(token) => UnknownReason::Rounded(token.clone()),
        };
        Self { place: flaw.place.clone(), why }
    }

    /// What Dify cut short at a place.
    pub(super) fn cut(place: &[PathStep]) -> Self {
        Self { place: place.to_vec(), why: UnknownReason::Cut }
    }

    /// The same below a place.
    pub(super) fn below(self, before: &[PathStep]) -> Self {
        Self { place: before.iter().cloned().chain(self.place).collect(), ..self }
    }

    /// The same as seen from a place, if it concerns what is there.
    pub(super) fn seen_from(&self, place: &[PathStep]) -> Option<Self> {
        if place.starts_with(&self.place) {
            return Some(Self { place: Vec::new(), why: self.why.clone() });
        }
        let rest = self.place.strip_prefix(place)?;
        Some(Self { place: rest.to_vec(), why: self.why.clone() })
    }

    /// Why nothing is known of it, in a sentence.
    pub(super) fn message(&self) -> String {
        let place = show_place(&self.place);
        match &self.why {
            UnknownReason::Cut => format!("Dify cut `{place}` short: what it left out is not known"),
            UnknownReason::Repeated => {
                format!("`{place}` is given twice: which of its values counts is not known")
            }
            UnknownReason::Rounded(token) => {
                format!("`{place}` is the number {}, whose exponent has more than 18 digits", cut(token))
            }
        }
    }
}

/// The doubt that a path reads, be it only on its way or in a filter; `None` where it reads nothing doubtful.
pub(super) fn doubt_read_by<'d>(path: &JsonPath, whole: &Value, doubts: &'d [Doubt]) -> Option<&'d Doubt> {
    if doubts.is_empty() {
        return None;
    }
    let Some(segments) = segments(path.as_str()) else { return doubts.first() };
    let mut here: Vec<Vec<PathStep>> = vec![Vec::new()];
    let mut so_far = String::from("$");
    for segment in segments {
        let reads = |doubt: &&Doubt| here.iter().any(|place| segment.reads(place, doubt));
        if let Some(read) = doubts.iter().find(reads) {
            return Some(read);
        }
        so_far.push_str(segment.text);
        let Ok(prefix) = JsonPath::parse(&so_far) else { return doubts.first() };
        let Ok(found) = prefix.find_places(whole, &Effort::default()) else { return doubts.first() };
        here = found;
    }
    doubts.iter().find(|doubt| here.iter().any(|place| doubt.seen_from(place).is_some()))
}

/// One step of a path.
#[derive(Debug, Clone, Copy)]
struct PathSegment<'p> {
    text: &'p str,
    is_descendant: bool,
}

impl PathSegment<'_> {
    /// True where taking this step from a place depends on the doubtful part.
    fn reads(&self, place: &[PathStep], doubt: &Doubt) -> bool {
        let Some(below) = doubt.seen_from(place) else { return false };
        match below.place.split_first() {
            // The place is in the doubtful part, or is it.
            None => true,
            Some(_) if self.is_descendant => true,
            Some((_, rest)) if self.text.contains('?') => self.filter_reads(rest),
            Some(_) => false,
        }
    }

    /// True unless no query of a filter can lead to the doubtful part below the items it looks at.
    fn filter_reads(&self, rest: &[PathStep]) -> bool {
        let names = rest.iter().filter_map(|step| match step {
            PathStep::Name(name) => Some(name.as_str()),
            PathStep::Index(_) => None,
        });
        let is_named = match names.clone().next_back() {
            Some(last) => self.text.contains(last),
            None => true,
        };
        // What compares whole items, or looks at all that is in them, reads everything.
        let text: String = self.text.chars().filter(|c| !c.is_whitespace()).collect();
        let follows = |at: usize| text[at + 1..].chars().next();
        let is_bare = text.match_indices('@').any(|(at, _)| !matches!(follows(at), Some('.' | '[')));
        let ends_above = names.rev().skip(1).any(|name| {
            text.match_indices(name)
                .any(|(at, _)| !matches!(text[at + name.len()..].chars().next(), Some('.' | '[')))
        });
        is_named || is_bare || ends_above || ["..", "*", "$", "\\"].iter().any(|sign| text.contains(sign))
    }
}

/// The steps of a path behind its `$`; `None` where it cannot be taken apart.
fn segments(path: &str) -> Option<Vec<PathSegment<'_>>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut segments = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(segments);
        }
        let is_descendant = rest.starts_with("..");
        let head = if is_descendant { 2 } else { usize::from(rest.starts_with('.')) };
        let length = match rest[head..].chars().next()? {
            '[' => head + bracket(&rest[head..])?,
            _ if head == 0 => return None,
            _ => head + rest[head..].find(['.', '[', ' ', '\t', '\n', '\r']).unwrap_or(rest.len() - head),
        };
        let (text, after) = rest.split_at_checked(length).filter(|(text, _)| text.len() > head)?;
        segments.push(PathSegment { text, is_descendant });
        rest = after;
    }
}

/// The length of a bracket with all that is in it.
fn bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dify::transcript::AnswerField;

    fn reads(path: &str) -> bool {
        let whole = json!([
            { "event": "workflow_started", "data": { "id": "r" } },
            { "event": "node_finished", "data": { "title": "A", "outputs_truncated": true, "outputs": { "s": "a..." }, "status": "ok" } },
            { "event": "node_finished", "data": { "title": "B", "outputs_truncated": false, "outputs": { "s": "b" } } },
        ]);
        let doubts: Vec<Doubt> = (0..3)
            .flat_map(|at| {
                let cut = AnswerField::truncated_in(&whole[at]["data"]);
                cut.map(|field| Doubt::cut(&field.place_in_event()).below(&[PathStep::Index(at)]))
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(doubts.len(), 1);
        doubt_read_by(&JsonPath::parse(path).unwrap(), &whole, &doubts).is_some()
    }

    #[test]
    fn whatever_leads_to_a_cut_part_reads_it() {
        for path in [
            "$",
            "$[1]",
            "$[*]",
            "$[1].data",
            "$[1].data.outputs",
            "$[1].data.outputs.zz",
            "$[1]['data']['outputs'].s",
            "$[?@.event=='node_finished'].data.outputs.s",
            "$[?@.data.outputs.s=='x'].data.status",
            "$[?@.data.outputs].data.status",
            "$..s",
            "$..status",
            "$[1].data[?@=='a...']",
            "$[?@.data == $[1].data].event",
            "$[?length(@)>1].event",
            "$[?@.data].event",
        ] {
            assert!(reads(path), "{path}");
        }
    }

    #[test]
    fn what_leads_elsewhere_reads_none() {
        for path in [
            "$[0]",
            "$[2].data.outputs.s",
            "$[1].data.status",
            "$[1].data.outputs_truncated",
            "$[?@.event=='node_finished'].data.status",
            "$[?@.data.title=='B'].data.outputs.s",
            "$[*].event",
            "$[7].data.outputs",
        ] {
            assert!(!reads(path), "{path}");
        }
    }

    #[test]
    fn a_bracket_ends_where_its_texts_do_not_go_on() {
        for text in ["[1]", "['a]']", r#"["a]"]"#, r"['a\']b']", r"['a\\']", "[?@['a'] == ']']"] {
            assert_eq!(bracket(&format!("{text}.x['y']")), Some(text.len()), "{text}");
        }
        assert_eq!((bracket("['a]"), bracket("[[1]")), (None, None));
    }

    #[test]
    fn a_doubt_is_seen_from_above_and_from_within() {
        let doubt = Doubt {
            place: vec![PathStep::Name("a".into()), PathStep::Name("b".into())],
            why: UnknownReason::Repeated,
        };
        let from = |names: &[&str]| {
            let place: Vec<PathStep> = names.iter().map(|name| PathStep::Name((*name).to_owned())).collect();
            doubt.seen_from(&place).map(|doubt| doubt.place.len())
        };
        assert_eq!(
            [from(&[]), from(&["a"]), from(&["a", "b"]), from(&["a", "b", "c"])],
            [Some(2), Some(1), Some(0), Some(0)]
        );
        assert_eq!(from(&["b"]), None);
    }
}
