//! Adds to fingerprints what the files hold that tests upload, so that a test whose file has changed is another test.
//!
//! Only the files of selected tests are looked into. A path that holds `run.id` or `repeat.index` names no file yet: what it
//! will hold is in no fingerprint.

use crate::base::bindings::AttemptNames;
use crate::base::digest::Digest;
use crate::base::template::{Template, TemplateScope, Templates};
use crate::plan::case::{Case, FileSource, FileTemplate};
use crate::plan::print::with_files;
use crate::suite::contents::Contents;

/// Adds what the files of a case hold; one without files keeps its fingerprint.
pub(super) fn add_contents(case: &mut Case, templates: &Templates, contents: &mut Contents) {
    let forms = case.test.answers.iter().flat_map(|answer| &answer.files);
    let sources = case.test.files.iter().chain(forms).flat_map(|(_, file)| match file {
        FileTemplate::One(source) => std::slice::from_ref(source),
        FileTemplate::Many(sources) => sources,
    });
    let uploads = sources.filter_map(|source| match source {
        FileSource::Path { path, base, fence, .. } => Some((path, base, fence)),
        FileSource::Url { .. } => None,
    });
    let held: Vec<Option<Digest>> = uploads
        .map(|(path, base, fence)| contents.of(&base.join(rendered(path, case, templates)?), fence))
        .collect();
    if !held.is_empty() {
        case.print = with_files(case.print, &held);
    }
}

/// The path as it will be, if known before a run.
fn rendered(path: &Template, case: &Case, templates: &Templates) -> Option<String> {
    let scope = match path {
        Template::Literal(_) => TemplateScope::new(),
        Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_) => {
            let names = AttemptNames { test: &case.test.name, run: "", repeat: 0, row: case.row.as_deref() };
            case.test.bindings.scope(templates, names).ok()?
        }
    };
    templates.render_text(path, &scope).ok()
}
