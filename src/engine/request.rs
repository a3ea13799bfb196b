//! Renders a test's templates into the request of one attempt.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::base::bindings::AttemptNames;
use crate::base::files::{Fence, FileRefusal};
use crate::base::template::{Template, TemplateError, TemplateScope};
use crate::dify::transcript::{FileInput, FileVariable, HumanAnswer, UserScope, WorkflowRequest};
use crate::dify::wire::file::file_kind;
use crate::engine::current_run::CurrentRun;
use crate::engine::target::AppAccess;
use crate::plan::case::{AnswerTemplate, Case, FileSource, FileTemplate, TargetKind};
use crate::suite::grounds::check_upload;

/// Which attempt of a case.
#[derive(Debug, Clone, Copy)]
pub struct AttemptId {
    /// The repeat, from 0.
    pub repeat: u32,
    /// The attempt at that repeat, from 0.
    pub attempt: u32,
}

/// Why a request could not be made from its templates.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A template did not render.
    #[error("{what}: {source}")]
    Template {
        /// `inputs`, `user`, `files.invoice`, `vars`.
        what: String,
        /// The reason.
        #[source]
        source: TemplateError,
    },
    /// The inputs are not an object.
    #[error("`inputs` rendered to {0}, not to a mapping")]
    Inputs(&'static str),
    /// A file lies outside the suites folder.
    #[error("file `{0}` lies outside the suites folder: move it there, or pass --allow-outside")]
    Outside(PathBuf),
    /// The path names a folder, a pipe or the like.
    #[error("`{variable}`: `{written}` is no file")]
    NoFile {
        /// The key: `files.` and the variable.
        variable: String,
        /// The path as rendered.
        written: String,
    },
    /// A file is too large to be uploaded.
    #[error("file `{path}` is too large: {source}")]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The limit.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be read.
    #[error("file `{path}`: {source}")]
    File {
        /// The resolved path.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

/// The names that the templates of a case see in one attempt.
pub fn attempt_scope(run: &CurrentRun, case: &Case, id: AttemptId) -> Result<TemplateScope, RequestError> {
    scope_of_run(run, case, id, &run.id)
}

/// The names in an attempt of an earlier part of the run, which had an id of its own.
pub fn scope_of_run(
    run: &CurrentRun,
    case: &Case,
    id: AttemptId,
    run_id: &str,
) -> Result<TemplateScope, RequestError> {
    let row = case.row.as_deref();
    let names = AttemptNames { test: &case.test.name, run: run_id, repeat: id.repeat, row };
    let rendered = case.test.bindings.scope(&run.plan.templates, names);
    rendered.map_err(|source| RequestError::Template { what: "`vars`".to_owned(), source })
}

/// Renders the request of one attempt.
pub fn render_request(
    run: &CurrentRun,
    case: &Case,
    id: AttemptId,
    scope: &TemplateScope,
) -> Result<WorkflowRequest, RequestError> {
    let templates = RequestTemplates { run, case, scope };
    let user = templates.user()?;
    Ok(WorkflowRequest {
        inputs: templates.mapping(&case.test.inputs, "`inputs`")?,
        files: templates.files("files", &case.test.files)?,
        answers: templates.answers()?,
        user_scope: templates.user_scope(&user),
        user,
        mode: case.test.mode,
        workflow_id: AppAccess::of(&run.plan.target, &case.test.app).workflow_id.map(str::to_owned),
        cap: case.test.suite.budget.cap.clone(),
        mock_attempt: match &run.plan.target.kind {
            TargetKind::Mock(_) | TargetKind::Replay { .. } => {
                Some(format!("{}.{}.{}", case.ordinal, id.repeat, id.attempt))
            }
            TargetKind::Live { .. } => None,
        },
    })
}

/// The templates of a case, and the names that they see.
struct RequestTemplates<'a> {
    run: &'a CurrentRun,
    case: &'a Case,
    scope: &'a TemplateScope,
}

impl RequestTemplates<'_> {
    fn mapping(&self, template: &Template, what: &str) -> Result<Map<String, Value>, RequestError> {
        let rendered = self.run.plan.templates.render(template, self.scope);
        match rendered.map_err(|source| RequestError::Template { what: what.to_owned(), source })? {
            Value::Object(members) => Ok(members),
            Value::Null => Ok(Map::new()),
            Value::Array(_) => Err(RequestError::Inputs("a list")),
            Value::Bool(_) => Err(RequestError::Inputs("a boolean")),
            Value::Number(_) => Err(RequestError::Inputs("a number")),
            Value::String(_) => Err(RequestError::Inputs("text")),
        }
    }

    fn text(&self, template: &Template, what: impl FnOnce() -> String) -> Result<String, RequestError> {
        let rendered = self.run.plan.templates.render_text(template, self.scope);
        rendered.map_err(|source| RequestError::Template { what: what(), source })
    }

    /// The answers to the forms on which the workflow pauses.
    fn answers(&self) -> Result<Vec<HumanAnswer>, RequestError> {
        let answer = |answer: &AnswerTemplate| {
            Ok(HumanAnswer {
                node: self.text(&answer.node, || "`human_input` `node`".to_owned())?,
                action: self.text(&answer.action, || "`human_input` `action`".to_owned())?,
                inputs: self.mapping(&answer.inputs, "`human_input` `inputs`")?,
                files: self.files("human_input.files", &answer.files)?,
                place: answer.place.clone(),
            })
        };
        self.case.test.answers.iter().map(answer).collect()
    }

    /// The user that the test names, or one that no other attempt has.
    fn user(&self) -> Result<String, RequestError> {
        match &self.case.test.user {
            None => Ok(self.run.next_user()),
            Some(template) => self.text(template, || "`user`".to_owned()),
        }
    }

    /// A user that the test names identifies the repeat only if it contains the run and the repeat.
    fn user_scope(&self, rendered: &str) -> UserScope {
        let Some(template) = &self.case.test.user else { return UserScope::Attempt };
        let names = self.run.plan.templates.names(template);
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        if has("run.id") && has("repeat.index") && rendered.contains(&*self.run.id) {
            UserScope::Repeat
        } else {
            UserScope::Shared
        }
    }

    fn files(
        &self,
        key: &str,
        templates: &[(String, FileTemplate)],
    ) -> Result<Vec<(String, FileVariable)>, RequestError> {
        let mut files = Vec::with_capacity(templates.len());
        for (name, template) in templates {
            let key = format!("{key}.{name}");
            let variable = match template {
                FileTemplate::One(source) => FileVariable::One(self.file(&key, source)?),
                FileTemplate::Many(sources) => {
                    let items = sources.iter().map(|source| self.file(&key, source));
                    FileVariable::Many(items.collect::<Result<_, _>>()?)
                }
            };
            files.push((name.clone(), variable));
        }
        Ok(files)
    }

    fn file(&self, key: &str, source: &FileSource) -> Result<FileInput, RequestError> {
        match source {
            FileSource::Url { url, kind } => {
                let url = self.text(url, || format!("`{key}`"))?;
                let kind = kind.clone().unwrap_or_else(|| file_kind(url_path(&url)).to_owned());
                Ok(FileInput::Remote { url, kind })
            }
            FileSource::Path { path, base, fence, kind } => {
                let written = self.text(path, || format!("`{key}`"))?;
                let path = find_upload(&base.join(&written), fence, key, written)?;
                let kind = kind.clone().unwrap_or_else(|| file_kind(&path.to_string_lossy()).to_owned());
                Ok(FileInput::Upload { path, fence: fence.clone(), kind })
            }
        }
    }
}

/// An address without its query and fragment.
fn url_path(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// The real path of a file that can be uploaded; `key` and `written` name it in the suite.
fn find_upload(path: &Path, fence: &Fence, key: &str, written: String) -> Result<PathBuf, RequestError> {
    let real = fence.find(path).and_then(|real| check_upload(&real, fence).map(|()| real));
    real.map_err(|source| match FileRefusal::of(&source) {
        Some(FileRefusal::Outside(_)) => RequestError::Outside(path.to_owned()),
        Some(FileRefusal::Folder | FileRefusal::Irregular) => {
            RequestError::NoFile { variable: key.to_owned(), written }
        }
        Some(FileRefusal::TooLarge(_)) => RequestError::TooLarge { path: path.to_owned(), source },
        Some(FileRefusal::Dangling | FileRefusal::Link | FileRefusal::Unread) | None => {
            RequestError::File { path: path.to_owned(), source }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::sample::plan;

    #[test]
    fn the_kind_of_a_file_is_that_of_its_path_and_not_of_its_query() {
        for (url, path) in [
            ("https://x.y/a.png", "https://x.y/a.png"),
            ("https://x.y/a.png?name=b.pdf", "https://x.y/a.png"),
            ("https://x.y/a.png#b.pdf", "https://x.y/a.png"),
            ("https://x.y/a.png?b#c", "https://x.y/a.png"),
            ("", ""),
        ] {
            assert_eq!(url_path(url), path);
        }
        for (url, kind) in
            [("https://x.y/a.png?name=b.pdf", "image"), ("https://x.y/b.pdf?name=a.png", "document")]
        {
            let suite = format!(
                "tests: [{{ name: t, files: {{ f: {{ url: '{url}' }} }}, mock: {{ outputs: {{}} }}, assert: [{{ status: succeeded }}] }}]\n"
            );
            let run = CurrentRun::new(Arc::new(plan("", &suite)), Arc::from("run-1"));
            let (case, scope) = (&run.plan.cases[0], &TemplateScope::new());
            let templates = RequestTemplates { run: &run, case, scope };
            let file = templates.files("files", &case.test.files).unwrap().remove(0).1;
            let FileVariable::One(FileInput::Remote { kind: found, .. }) = file else { panic!("{file:?}") };
            assert_eq!(found, kind, "{url}");
        }
    }

    #[test]
    fn a_user_distinguishes_attempts_only_by_the_run_and_the_repeat() {
        let both = "u-{{ run.id }}-{{ repeat.index }}";
        for (user, rendered, expected) in [
            (None, "", UserScope::Attempt),
            (Some(both), "u-run-1-0", UserScope::Repeat),
            (Some(both), "u-0", UserScope::Shared),
            (Some("u-{{ run.id }}"), "u-run-1", UserScope::Shared),
            (Some("u-{{ repeat.index }}"), "u-run-1", UserScope::Shared),
            (Some("ann"), "ann", UserScope::Shared),
        ] {
            let key = user.map(|user| format!("user: '{user}', ")).unwrap_or_default();
            let suite = format!(
                "tests: [{{ name: t, {key}mock: {{ outputs: {{}} }}, assert: [{{ status: succeeded }}] }}]\n"
            );
            let run = CurrentRun::new(Arc::new(plan("", &suite)), Arc::from("run-1"));
            let (case, scope) = (&run.plan.cases[0], &TemplateScope::new());
            let found = RequestTemplates { run: &run, case, scope }.user_scope(rendered);
            assert_eq!(found, expected, "{user:?} {rendered}");
        }
    }
}
