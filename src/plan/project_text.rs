//! Texts of the project file: compiled, and rendered with the environment alone.

use crate::base::template::{Template, TemplateError, TemplateScope, Templates};
use crate::plan::choices::Choices;
use crate::suite::project::ProjectSpec;
use crate::yaml::names::KnownNames;
use crate::yaml::node::Node;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

/// What reading the project file needs: the arena, the choices, and where problems go.
pub struct ProjectTools<'a> {
    /// The arena for its templates.
    pub templates: &'a mut Templates,
    /// The choices of the command line.
    pub choices: &'a Choices,
    /// Takes what is wrong in the file.
    pub problems: &'a mut Vec<Problem>,
}

impl<'a> ProjectTools<'a> {
    /// The same, lent once more.
    pub fn again(&mut self) -> ProjectTools<'_> {
        let Self { templates, choices, problems } = self;
        ProjectTools { templates, choices, problems }
    }

    /// The same for a project that there is.
    pub fn of(self, project: &'a ProjectSpec) -> Setting<'a> {
        let Self { templates, choices, problems } = self;
        Setting { project, templates, choices, problems }
    }
}

/// What preparing a target needs besides its spec.
pub struct Setting<'a> {
    /// The project file it is in.
    pub project: &'a ProjectSpec,
    /// The arena for its templates.
    pub templates: &'a mut Templates,
    /// The choices of the command line.
    pub choices: &'a Choices,
    /// Takes what is wrong in the file.
    pub problems: &'a mut Vec<Problem>,
}

/// The names that a project file's templates may use: only `env.*`.
pub fn env_only() -> KnownNames {
    KnownNames::default()
}

/// Compiles and checks a node's text; `None` where it has problems.
pub fn compile_node(node: &Node, setting: &mut Setting<'_>) -> Option<Template> {
    let before = setting.problems.len();
    let mut reader = Reader { source: setting.project.source.clone(), problems: setting.problems };
    let template = reader.template(node, setting.templates, &env_only());
    for name in setting.templates.names(&template) {
        let root = name.split('.').next().unwrap_or_default();
        if matches!(root, "test" | "run" | "repeat") {
            reader.problem(node.mark, format!("`{name}` is not known in the project file, only `env.*`"));
        }
    }
    (reader.problems.len() == before).then_some(template)
}

/// A node's text with the environment; `None` where its template has problems.
pub(super) fn render(
    node: &Node,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Result<Option<String>, TemplateError> {
    match compile_node(node, setting) {
        Some(template) => setting.templates.render_text(&template, scope).map(Some),
        None => Ok(None),
    }
}
