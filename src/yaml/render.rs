//! Problems as text for people, in rustc's look.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::base::origin::Place;
use crate::base::visible::{LineEnds, LookAlikes, visible};
use crate::yaml::problem::Problem;

/// How many problems are shown whole.
const MOST_SHOWN: usize = 50;

/// The fewest columns that source lines are cut to; on a narrower screen they wrap.
const NARROWEST: usize = 60;

/// Whether problems are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemStyle {
    /// With ANSI colours, for a screen of this many columns; `None` in a pipe.
    Color(Option<usize>),
    /// As bare text.
    Plain,
}

/// Writes problems one below the other, the first 50 whole, and their number where there are several.
pub fn render(problems: &[Problem], style: ProblemStyle) -> String {
    let renderer = match style {
        ProblemStyle::Color(Some(columns)) => Renderer::styled().term_width(columns.max(NARROWEST)),
        ProblemStyle::Color(None) => Renderer::styled(),
        ProblemStyle::Plain => Renderer::plain(),
    };
    let mut text = String::new();
    for problem in problems.iter().take(MOST_SHOWN) {
        let _ = writeln!(text, "{}\n", render_one(problem, &renderer));
    }
    if problems.len() > MOST_SHOWN {
        let _ = writeln!(text, "{} problems, the first {MOST_SHOWN} are shown", problems.len());
    } else if problems.len() > 1 {
        let _ = writeln!(text, "{} problems", problems.len());
    }
    text
}

fn render_one(problem: &Problem, renderer: &Renderer) -> String {
    // What the help offers may look like what is wrong.
    let alike = LookAlikes::within(&format!("{} {}", problem.message, problem.help.as_deref().unwrap_or("")));
    let message = alike.show(&problem.message, LineEnds::One);
    let lines: Vec<RenderedPlace> = std::iter::once(RenderedPlace::new(&problem.place, "")).collect();
    let others: Vec<RenderedPlace> =
        problem.others.iter().map(|(place, label)| RenderedPlace::new(place, label)).collect();
    let help = problem.help.as_deref().map(|help| alike.show(help, LineEnds::One));
    let mut group = Group::with_title(Level::ERROR.primary_title(message));
    for shown in &lines {
        group = add(group, shown, AnnotationKind::Primary);
    }
    for shown in &others {
        group = add(group, shown, AnnotationKind::Context);
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

fn add<'a>(group: Group<'a>, shown: &'a RenderedPlace, kind: AnnotationKind) -> Group<'a> {
    match &shown.span {
        Some(span) => {
            let annotation = kind.span(span.clone()).label(shown.label.as_str());
            let snippet =
                Snippet::source(shown.line.as_str()).path(shown.path.as_str()).line_start(shown.number);
            group.element(snippet.annotation(annotation))
        }
        None => group.element(annotate_snippets::Origin::path(shown.path.as_str())),
    }
}

/// A place made ready for the renderer.
struct RenderedPlace {
    path: String,
    number: usize,
    line: String,
    span: Option<std::ops::Range<usize>>,
    label: String,
}

impl RenderedPlace {
    /// Finds the caret's bytes on the line; a column beyond what is kept of the line is only named.
    fn new(place: &Place, label: &str) -> Self {
        let written: String = place.excerpt.replace('\t', " ");
        let column = place.column.saturating_sub(1) as usize;
        let count = written.chars().count();
        let byte = |at: usize| written.char_indices().nth(at).map_or(written.len(), |(byte, _)| byte);
        // Names are longer than what they name, so the mark is found by what is shown before it.
        let shown =
            |from: usize, to: usize| visible(&written[byte(from)..byte(to)], LineEnds::One).into_owned();
        let end = column.saturating_add(place.width.max(1) as usize);
        let (before, marked, behind) = (shown(0, column), shown(column, end), shown(end, count));
        let span = (place.line > 0 && column <= count).then(|| before.len()..before.len() + marked.len());
        let path = if span.is_some() { place.file.to_string() } else { place.to_string() };
        let [path, label] = [&path, label].map(|text| visible(text, LineEnds::One).into_owned());
        Self { path, number: place.line as usize, line: format!("{before}{marked}{behind}"), span, label }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::yaml::node::{FilePosition, SourceText};

    fn problem(text: &str, (line, column, width): (u32, u32, u32)) -> Problem {
        let place =
            SourceText::new("suites/a.yaml", text.to_owned()).place(FilePosition { line, column, width });
        Problem::new(place, "unknown key `asert` in a test")
    }

    #[test]
    fn a_problem_looks_as_rustc_would_show_it() {
        let problem =
            problem("tests:\n  - name: a\n    asert: []\n", (3, 5, 5)).help("did you mean `assert`?");
        let expected = "\
error: unknown key `asert` in a test
 --> suites/a.yaml:3:5
  |
3 |     asert: []
  |     ^^^^^
  |
  = help: did you mean `assert`?

";
        assert_eq!(render(&[problem], ProblemStyle::Plain), expected);
    }

    #[test]
    fn on_a_screen_the_source_line_is_cut_around_the_mark() {
        let line = format!("  - {{ name: {}, asert: 1 }}\n", "long ".repeat(40));
        let column = u32::try_from(line.find("asert").unwrap()).unwrap() + 1;
        for columns in [0, 20, 60, 80, 1_000] {
            let found = [problem(&line, (1, column, 5))];
            let shown =
                anstream::adapter::strip_str(&render(&found, ProblemStyle::Color(Some(columns)))).to_string();
            let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns.max(NARROWEST) || columns > 200, "{columns}: {shown}");
            let (above, below) = shown.split_once("^^^^^").unwrap();
            let indent = above.lines().last().unwrap().chars().count();
            let source = above.lines().rev().nth(1).unwrap();
            assert_eq!(
                source.chars().skip(indent).take(5).collect::<String>(),
                "asert",
                "{columns}: {shown}{below}"
            );
        }
    }

    #[test]
    fn both_places_of_a_duplicate_are_shown() {
        let source = SourceText::new("a.yaml", "name: x\nname: y\n".to_owned());
        let place = |line| source.place(FilePosition { line, column: 1, width: 4 });
        let text = render(
            &[Problem::new(place(2), "given twice").other(place(1), "first given here")],
            ProblemStyle::Plain,
        );
        assert!(
            text.contains("2 | name: y") && text.contains("1 | name: x") && text.contains("first given here"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_named_and_the_mark_stays_in_its_place() {
        let line = "  - { nam\u{200b}e: x, asert: 1 }\n";
        let column = u32::try_from(line.chars().take_while(|c| *c != 's').count()).unwrap();
        let text = render(&[problem(line, (1, column, 5))], ProblemStyle::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[3].contains("nam\\u{200b}e"), "{text}");
        assert_eq!(lines[3].find("asert"), lines[4].find("^^^^^"), "{text}");
        let place = Place::file("a.yaml");
        let alike = Problem::new(place, "unknown key `n\u{430}me`").help("did you mean `name`?");
        assert!(render(&[alike], ProblemStyle::Plain).contains("unknown key `n\\u{430}me`"));
    }

    #[test]
    fn whole_files_long_lines_and_control_characters_are_shown_safely() {
        let text = render(
            &[Problem::new(Place::file("a\u{1b}[31m.yaml"), "cannot\u{7} be read")],
            ProblemStyle::Plain,
        );
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}') && text.contains("a\\u{1b}[31m.yaml"),
            "{text}"
        );
        let far = problem(&"é".repeat(10_000), (1, 9_000, 3));
        assert!(render(&[far], ProblemStyle::Plain).contains("suites/a.yaml:1:9000"));
        let end = Problem::new(
            Place { file: Arc::from("a"), line: 1, column: 4, width: 9, excerpt: Arc::from("abc") },
            "unexpected end",
        );
        assert!(render(&[end], ProblemStyle::Plain).contains("a:1:4"));
    }

    #[test]
    fn ten_thousand_problems_are_counted_and_fifty_shown() {
        let problems: Vec<Problem> = (0..10_000).map(|_| problem("a: 1\n", (1, 1, 1))).collect();
        let text = render(&problems, ProblemStyle::Plain);
        assert_eq!(text.matches("error: ").count(), 50);
        assert!(text.ends_with("10000 problems, the first 50 are shown\n"));
        assert!(render(&problems[..1], ProblemStyle::Color(None)).contains('\u{1b}'));
    }
}
