//! Renders a test's templates into the request of one attempt.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::base::bindings::AttemptNames;
use crate::base::files::{Fence, FileRefusal};
use crate::base::template::{Template, TemplateError, TemplateScope};
use crate::dify::transcript::{FileInput, FileVariable, HumanAnswer, UserScope, WorkflowRequest};
use crate::dify::wire::file::file_kind;
use crate::engine::Engine;
use crate::plan::case::{AnswerTemplate, Case, FileSource, FileTemplate, TargetKind};
use crate::suite::grounds::check_upload;

/// Which attempt of which case.
#[derive(Debug, Clone, Copy)]
pub struct AttemptId {
    /// The repeat, from 0.
    pub repeat: u32,
    /// The try of that repeat, from 0.
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
    /// What is named is a folder, a pipe or the like.
    #[error("`{variable}`: `{written}` is no file")]
    NoFile {
        /// Its key: `files.` and the variable.
        variable: String,
        /// The path as it was rendered.
        written: String,
    },
    /// A file is larger than what is uploaded.
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
        /// The path, as it was resolved.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

impl Engine {
    /// The names a case's templates see in one attempt.
    pub(super) fn scope(&self, case: &Case, id: AttemptId) -> Result<TemplateScope, RequestError> {
        self.scope_of_run(case, id, &self.run_id)
    }

    /// The names in an attempt of an earlier part of the run, which had an id of its own.
    pub(super) fn scope_of_run(
        &self,
        case: &Case,
        id: AttemptId,
        run: &str,
    ) -> Result<TemplateScope, RequestError> {
        let names = AttemptNames { test: &case.test.name, run, repeat: id.repeat, row: case.row.as_deref() };
        let rendered = case.test.bindings.scope(&self.plan.templates, names);
        rendered.map_err(|source| RequestError::Template { what: "`vars`".to_owned(), source })
    }

    /// The request of one attempt.
    pub(super) fn request(
        &self,
        case: &Case,
        id: AttemptId,
        scope: &TemplateScope,
    ) -> Result<WorkflowRequest, RequestError> {
        let (_, pinned) = super::app_of(&self.plan.target, &case.test.app);
        let user = self.user(case, scope)?;
        Ok(WorkflowRequest {
            inputs: self.inputs(case, scope)?,
            files: self.files("files", &case.test.files, scope)?,
            answers: self.answers(case, scope)?,
            user_scope: self.user_scope(case, &user),
            user,
            mode: case.test.mode,
            workflow_id: pinned.map(str::to_owned),
            cap: case.test.suite.budget.cap.clone(),
            mock_attempt: match &self.plan.target.kind {
                TargetKind::Mock(_) | TargetKind::Replay { .. } => {
                    Some(format!("{}.{}.{}", case.ordinal, id.repeat, id.attempt))
                }
                TargetKind::Live { .. } => None,
            },
        })
    }

    fn inputs(&self, case: &Case, scope: &TemplateScope) -> Result<Map<String, Value>, RequestError> {
        self.members(&case.test.inputs, scope, "`inputs`")
    }

    fn members(
        &self,
        template: &Template,
        scope: &TemplateScope,
        what: &str,
    ) -> Result<Map<String, Value>, RequestError> {
        match self.render(template, scope, what)? {
            Value::Object(inputs) => Ok(inputs),
            Value::Null => Ok(Map::new()),
            Value::Array(_) => Err(RequestError::Inputs("a list")),
            Value::Bool(_) => Err(RequestError::Inputs("a boolean")),
            Value::Number(_) => Err(RequestError::Inputs("a number")),
            Value::String(_) => Err(RequestError::Inputs("text")),
        }
    }

    /// The answers to the forms of its pauses.
    fn answers(&self, case: &Case, scope: &TemplateScope) -> Result<Vec<HumanAnswer>, RequestError> {
        let answer = |answer: &AnswerTemplate| {
            let text = |template, key: &str| {
                let rendered = self.plan.templates.render_text(template, scope);
                let what = format!("`human_input` {key}");
                rendered.map_err(|source| RequestError::Template { what, source })
            };
            Ok(HumanAnswer {
                node: text(&answer.node, "`node`")?,
                action: text(&answer.action, "`action`")?,
                inputs: self.members(&answer.inputs, scope, "`human_input` `inputs`")?,
                files: self.files("human_input.files", &answer.files, scope)?,
                place: answer.place.clone(),
            })
        };
        case.test.answers.iter().map(answer).collect()
    }

    /// The test's own user, else one that no other attempt has.
    fn user(&self, case: &Case, scope: &TemplateScope) -> Result<String, RequestError> {
        match &case.test.user {
            None => Ok(format!("flowproof-{}-{}", self.run_id, self.next_number())),
            Some(template) => {
                let rendered = self.plan.templates.render_text(template, scope);
                rendered.map_err(|source| RequestError::Template { what: "`user`".to_owned(), source })
            }
        }
    }

    /// An own user tells a repeat from others only if it names the run and the repeat.
    fn user_scope(&self, case: &Case, rendered: &str) -> UserScope {
        let Some(template) = &case.test.user else { return UserScope::Attempt };
        let names = self.plan.templates.names(template);
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        if has("run.id") && has("repeat.index") && rendered.contains(&*self.run_id) {
            UserScope::Repeat
        } else {
            UserScope::Shared
        }
    }

    fn files(
        &self,
        key: &str,
        templates: &[(String, FileTemplate)],
        scope: &TemplateScope,
    ) -> Result<Vec<(String, FileVariable)>, RequestError> {
        let mut files = Vec::with_capacity(templates.len());
        for (name, template) in templates {
            let what = format!("{key}.{name}");
            let variable = match template {
                FileTemplate::One(source) => FileVariable::One(self.file(&what, source, scope)?),
                FileTemplate::Many(sources) => {
                    let items = sources.iter().map(|source| self.file(&what, source, scope));
                    FileVariable::Many(items.collect::<Result<_, _>>()?)
                }
            };
            files.push((name.clone(), variable));
        }
        Ok(files)
    }

    fn file(
        &self,
        what: &str,
        source: &FileSource,
        scope: &TemplateScope,
    ) -> Result<FileInput, RequestError> {
        let text = |template| {
            let rendered = self.plan.templates.render_text(template, scope);
            rendered.map_err(|source| RequestError::Template { what: format!("`{what}`"), source })
        };
        match source {
            FileSource::Url { url, kind } => {
                let url = text(url)?;
                let kind = kind.clone().unwrap_or_else(|| file_kind(url_path(&url)).to_owned());
                Ok(FileInput::Remote { url, kind })
            }
            FileSource::Path { path, base, fence, kind } => {
                let written = text(path)?;
                let path = upload(&base.join(&written), fence, (what, written))?;
                let kind = kind.clone().unwrap_or_else(|| file_kind(&path.to_string_lossy()).to_owned());
                Ok(FileInput::Upload { path, fence: fence.clone(), kind })
            }
        }
    }

    fn render(&self, template: &Template, scope: &TemplateScope, what: &str) -> Result<Value, RequestError> {
        let rendered = self.plan.templates.render(template, scope);
        rendered.map_err(|source| RequestError::Template { what: what.to_owned(), source })
    }
}

/// An address without its query and fragment.
fn url_path(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// The real path of a file that can be uploaded; `named` is its key and the path as it was rendered.
fn upload(path: &Path, fence: &Fence, named: (&str, String)) -> Result<PathBuf, RequestError> {
    let real = fence.find(path).and_then(|real| check_upload(&real, fence).map(|()| real));
    real.map_err(|source| match FileRefusal::of(&source) {
        Some(FileRefusal::Outside(_)) => RequestError::Outside(path.to_owned()),
        Some(FileRefusal::Folder | FileRefusal::Irregular) => {
            RequestError::NoFile { variable: named.0.to_owned(), written: named.1 }
        }
        Some(FileRefusal::TooLarge(_)) => RequestError::TooLarge { path: path.to_owned(), source },
        Some(FileRefusal::Dangling | FileRefusal::Link | FileRefusal::Unread) | None => {
            RequestError::File { path: path.to_owned(), source }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sample::{plan, with_engine};

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
            let file = with_engine(plan("", &suite), async |engine| {
                let test = &engine.plan.cases[0].test;
                engine.files("files", &test.files, &TemplateScope::new()).unwrap().remove(0).1
            });
            let FileVariable::One(FileInput::Remote { kind: found, .. }) = file else { panic!("{file:?}") };
            assert_eq!(found, kind, "{url}");
        }
    }

    #[test]
    fn a_user_tells_attempts_apart_only_by_the_run_and_the_repeat() {
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
            let found = with_engine(plan("", &suite), async |engine| {
                engine.user_scope(&engine.plan.cases[0], rendered)
            });
            assert_eq!(found, expected, "{user:?} {rendered}");
        }
    }
}
