//! Looks through a template's syntax, branches that are never taken included, for what can only fail, and for the variables of
//! the environment that it reads.
//!
//! The engine itself finds an unknown filter only when it comes to it. Its syntax tree is open to us by a feature that makes no
//! promise of staying as it is, so `Cargo.toml` pins the engine to one minor version.

use std::ops::Range;

use minijinja::Environment;
use minijinja::machinery::ast::{Call, CallArg, Expr, Macro, Stmt};
use minijinja::machinery::{Span, parse};

use super::calls::{fault_of_call, fault_of_filter, fault_of_test};
use super::errors::{NO_OTHER, TemplateError, describe};

/// A variable of the environment that a template reads by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvName {
    /// Its name.
    pub name: String,
    /// Whether the template copes without it.
    pub guard: Guard,
    /// The bytes of the text where it is read.
    pub span: Range<usize>,
}

/// Whether a template copes with a name that has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It does not.
    None,
    /// It has a `default`, or is asked whether it is `defined`.
    Default,
}

/// What is seen in a template.
#[derive(Debug)]
pub(super) struct Inspected {
    /// The variables of the environment that it reads, in the order written.
    pub(super) env: Vec<EnvName>,
    /// What it does with its values.
    pub(super) usage: Usage,
}

/// What a template does with its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// It writes them, or is one of them.
    Passes,
    /// It calculates, compares, chooses or repeats.
    Computes,
}

/// Looks through a template; the first thing in it that can only fail is an error.
pub(super) fn inspect(environment: &Environment<'_>, source: &str) -> Result<Inspected, Box<TemplateError>> {
    let parsed = parse(source, "template", environment.syntax().clone());
    let tree = parsed.map_err(|error| Box::new(describe(&error)))?;
    let mut inspection = Inspection { environment, env: Vec::new(), fault: None };
    inspection.statement(&tree);
    match inspection.fault {
        Some(fault) => Err(Box::new(fault)),
        None => Ok(Inspected { env: inspection.env, usage: usage(&tree) }),
    }
}

fn usage(statement: &Stmt<'_>) -> Usage {
    let passes = match statement {
        Stmt::Template(template) => template.children.iter().all(|child| usage(child) == Usage::Passes),
        Stmt::EmitRaw(_) => true,
        Stmt::EmitExpr(emit) => passes(&emit.expr),
        _ => false,
    };
    if passes { Usage::Passes } else { Usage::Computes }
}

/// True for a name, and for one that only `default` or a conversion is applied to.
fn passes(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Var(_) | Expr::Const(_) => true,
        Expr::GetAttr(attribute) => passes(&attribute.expr),
        Expr::GetItem(item) => passes(&item.expr) && matches!(item.subscript_expr, Expr::Const(_)),
        Expr::Filter(filter) => {
            matches!(filter.name, "default" | "d" | "float") && filter.expr.as_ref().is_some_and(passes)
        }
        _ => false,
    }
}

/// The bytes that a span of the engine covers.
fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

struct Inspection<'e> {
    environment: &'e Environment<'e>,
    env: Vec<EnvName>,
    fault: Option<TemplateError>,
}

impl Inspection<'_> {
    fn fail(&mut self, span: Span, message: String) {
        self.fault.get_or_insert(TemplateError { message, span: Some(bytes(span)) });
    }

    fn statements(&mut self, statements: &[Stmt<'_>]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr, Guard::None),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(block) => {
                self.all([&block.target, &block.iter]);
                self.all(&block.filter_expr);
                self.statements(&block.body);
                self.statements(&block.else_body);
            }
            Stmt::IfCond(condition) => {
                self.all([&condition.expr]);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::WithBlock(block) => {
                block.assignments.iter().for_each(|(target, value)| self.all([target, value]));
                self.statements(&block.body);
            }
            Stmt::Set(set) => self.all([&set.target, &set.expr]),
            Stmt::SetBlock(block) => {
                self.all([&block.target]);
                self.all(&block.filter);
                self.statements(&block.body);
            }
            Stmt::AutoEscape(block) => {
                self.all([&block.enabled]);
                self.statements(&block.body);
            }
            Stmt::FilterBlock(block) => {
                self.all([&block.filter]);
                self.statements(&block.body);
            }
            Stmt::Block(block) => self.statements(&block.body),
            Stmt::Import(import) => self.no_other_template(import.span()),
            Stmt::FromImport(import) => self.no_other_template(import.span()),
            Stmt::Extends(extends) => self.no_other_template(extends.span()),
            Stmt::Include(include) => self.no_other_template(include.span()),
            Stmt::Macro(declared) => self.declared(declared),
            Stmt::CallBlock(block) => {
                self.call(&block.call, block.call_expr_span);
                self.declared(&block.macro_decl);
            }
            Stmt::Do(call) => self.call(&call.call, call.span()),
        }
    }

    fn no_other_template(&mut self, span: Span) {
        self.fail(span, NO_OTHER.to_owned());
    }

    fn declared(&mut self, declared: &Macro<'_>) {
        self.all(&declared.args);
        self.all(&declared.defaults);
        self.statements(&declared.body);
    }

    fn all<'x>(&mut self, expressions: impl IntoIterator<Item = &'x Expr<'x>>) {
        expressions.into_iter().for_each(|expression| self.expression(expression, Guard::None));
    }

    fn expression(&mut self, expression: &Expr<'_>, guard: Guard) {
        match expression {
            Expr::Var(name) if name.id == "env" => {
                let message =
                    "the environment cannot be listed: name one of its variables, e.g. `env.REGION`";
                self.fail(name.span(), message.to_owned());
            }
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.all([&slice.expr]);
                self.all(slice.start.iter().chain(&slice.stop).chain(&slice.step));
            }
            Expr::UnaryOp(operation) => self.all([&operation.expr]),
            Expr::BinOp(operation) => self.all([&operation.left, &operation.right]),
            Expr::Compare(comparison) => {
                self.all([&comparison.expr]);
                self.all(comparison.ops.iter().map(|operation| &operation.expr));
            }
            Expr::IfExpr(choice) => {
                self.all([&choice.test_expr, &choice.true_expr]);
                self.all(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                let own = if matches!(filter.name, "default" | "d") { Guard::Default } else { Guard::None };
                filter.expr.iter().for_each(|inner| self.expression(inner, own));
                self.arguments(&filter.args, own);
                if let Some(message) = fault_of_filter(self.environment, filter) {
                    self.fail(filter.span(), message);
                }
            }
            Expr::Test(test) => {
                let asks = matches!(test.name, "defined" | "undefined");
                self.expression(&test.expr, if asks { Guard::Default } else { Guard::None });
                self.arguments(&test.args, Guard::None);
                if let Some(message) = fault_of_test(self.environment, test) {
                    self.fail(test.span(), message);
                }
            }
            Expr::GetAttr(attribute) if is_env(&attribute.expr) => {
                let name = attribute.name.to_owned();
                self.env.push(EnvName { name, guard, span: bytes(attribute.span()) });
            }
            Expr::GetAttr(attribute) => self.expression(&attribute.expr, guard),
            Expr::GetItem(item) if is_env(&item.expr) => self.item_of_env(&item.subscript_expr, guard),
            Expr::GetItem(item) => {
                self.expression(&item.expr, guard);
                self.all([&item.subscript_expr]);
            }
            Expr::Call(call) => self.call(call, call.span()),
            Expr::List(list) => self.all(&list.items),
            Expr::Tuple(tuple) => self.all(&tuple.items),
            Expr::Map(map) => self.all(map.keys.iter().chain(&map.values)),
        }
    }

    /// `env['NAME']`: its name is written out, or nobody could say which variables a suite reads.
    fn item_of_env(&mut self, subscript: &Expr<'_>, guard: Guard) {
        let name = match subscript {
            Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
            _ => None,
        };
        match name {
            Some(name) => self.env.push(EnvName { name, guard, span: bytes(subscript.span()) }),
            None => self.fail(
                subscript.span(),
                "the name of a variable of the environment must be written out, e.g. `env.REGION`".to_owned(),
            ),
        }
    }

    fn call(&mut self, call: &Call<'_>, span: Span) {
        self.all([&call.expr]);
        self.arguments(&call.args, Guard::None);
        if let Some(message) = fault_of_call(call) {
            self.fail(span, message);
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], guard: Guard) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.expression(value, guard),
            }
        }
    }
}

fn is_env(expression: &Expr<'_>) -> bool {
    matches!(expression, Expr::Var(name) if name.id == "env")
}
