//! Templates of mails: an administrator's words, in which a person's name, extension and codes are filled in.
//!
//! Decides what a template may hold: text, values, conditions, loops and a few filters. Nothing that computes, defines,
//! includes or calls, and nothing that switches escaping off: so a template can neither hang the server, nor fill its
//! memory, nor let a name become markup. A template is saved only if it renders for everybody it may meet.

use super::flat::flat;
use super::welcome::Welcome;
use super::{MOST_BYTES, MailContent, one_line};
use minijinja::machinery::{ast, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use std::borrow::Cow;
use std::io;

/// The template of one kind of mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailTemplate {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Why a template is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read, or something it names is not there.
    #[error("{why}")]
    Faulty {
        /// Which of the three it is: subject, text or html.
        part: &'static str,
        /// What and in which line.
        why: String,
    },
    /// It holds what templates may not.
    #[error("line {line}: {what}")]
    NotAllowed {
        /// Which of the three it is.
        part: &'static str,
        /// The line.
        line: usize,
        /// What, and what there is instead.
        what: &'static str,
    },
    /// It, or what comes of it, is too long, or the work is too much.
    #[error("what comes of it is longer than {MOST_BYTES} bytes")]
    TooLong {
        /// Which of the three it is.
        part: &'static str,
    },
}

impl TemplateError {
    /// Which of the three is at fault.
    pub const fn part(&self) -> &'static str {
        match self {
            Self::Faulty { part, .. } | Self::NotAllowed { part, .. } | Self::TooLong { part } => part,
        }
    }
}

const MOST_TEMPLATE_BYTES: usize = 64 * 1024;
/// Instructions of one rendering: a hundred times what the built-in templates take.
const FUEL: u64 = 100_000;
const FILTERS: [&str; 6] = ["default", "upper", "lower", "length", "first", "last"];
const TESTS: [&str; 2] = ["defined", "undefined"];

const SUBJECT: &str = "subject";
const TEXT: &str = "text";
const HTML: &str = "html";

impl MailTemplate {
    /// Whether it may be saved: each part is allowed, and renders for somebody with everything and somebody with nothing.
    ///
    /// # Errors
    /// Every part at fault.
    pub fn check(&self) -> Result<(), Vec<TemplateError>> {
        let mut errors = Vec::new();
        for (part, source) in [(SUBJECT, &self.subject), (TEXT, &self.text), (HTML, &self.html)] {
            let checked = allowed(part, source).and_then(|()| self.tried(part));
            errors.extend(checked.err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The mail for somebody.
    ///
    /// # Errors
    /// The first part at fault.
    pub fn render(&self, of: &Welcome) -> Result<MailContent, TemplateError> {
        let subject = one_line(&rendered(SUBJECT, &self.subject, &of.for_subject())?);
        if subject.is_empty() {
            return Err(TemplateError::Faulty { part: SUBJECT, why: "it is empty".to_owned() });
        }
        let text = rendered(TEXT, &self.text, of)?;
        let html = rendered(HTML, &self.html, of)?;
        let html = Some(html).filter(|html| !html.trim().is_empty());
        if text.trim().is_empty() {
            return Err(TemplateError::Faulty { part: TEXT, why: "it is empty".to_owned() });
        }
        Ok(MailContent { subject, text, html })
    }

    fn tried(&self, part: &'static str) -> Result<(), TemplateError> {
        for somebody in [Welcome::sample(), Welcome::bare_sample()] {
            match self.render(&somebody) {
                Err(error) if error.part() == part => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn rendered(part: &'static str, source: &str, of: &impl Serialize) -> Result<String, TemplateError> {
    allowed(part, source)?;
    let faulty = |error: minijinja::Error| TemplateError::Faulty { part, why: words(&error) };
    let mut environment = environment();
    environment.set_auto_escape_callback(|name| if name == HTML { AutoEscape::Html } else { AutoEscape::None });
    environment.add_template(part, source).map_err(faulty)?;
    let template = environment.get_template(part).map_err(faulty)?;
    let mut out = Limited::default();
    let done = template.render_captured_to(minijinja::value::Serde(of), &mut out).map(drop);
    match done {
        Err(_) if out.is_full => Err(TemplateError::TooLong { part }),
        Err(error) => Err(faulty(error)),
        Ok(()) => String::from_utf8(out.bytes).map_err(|_| TemplateError::TooLong { part }),
    }
}

/// What a template has at hand, and no more.
fn environment<'source>() -> Environment<'source> {
    use minijinja::{filters, tests};
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(syntax());
    environment.add_filter("default", filters::default);
    environment.add_filter("upper", |text: Cow<'_, str>| of_a_line(&text).map(str::to_uppercase));
    environment.add_filter("lower", |text: Cow<'_, str>| of_a_line(&text).map(str::to_lowercase));
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment
}

/// A line that holds nothing but a condition or a loop leaves no empty line.
fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true);
    // Only delimiters can be at fault, and these are the usual ones.
    builder.build().unwrap_or_default()
}

/// Fuel counts what is done and not how much of it, so what is done at once is bounded.
fn of_a_line(text: &str) -> Result<&str, minijinja::Error> {
    if text.len() <= MOST_LINE_BYTES {
        return Ok(text);
    }
    Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, "upper and lower take 1,000 characters at most"))
}

const MOST_LINE_BYTES: usize = 1_000;

/// The library's words without the name of the part, which stands beside them.
fn words(error: &minijinja::Error) -> String {
    let line = error.line().map_or(String::new(), |line| format!("line {line}: "));
    let detail = error.detail().map_or(String::new(), |detail| format!(" ({detail})"));
    format!("{line}{}{detail}", error.kind())
}

/// Takes so many bytes and no more.
#[derive(Default)]
struct Limited {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > MOST_BYTES {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn allowed(part: &'static str, source: &str) -> Result<(), TemplateError> {
    if source.len() > MOST_TEMPLATE_BYTES {
        return Err(TemplateError::TooLong { part });
    }
    let faulty = |error: minijinja::Error| TemplateError::Faulty { part, why: words(&error) };
    flat(source).map_err(|why| TemplateError::Faulty { part, why: why.to_owned() })?;
    let tree = parse(source, part, syntax()).map_err(faulty)?;
    let not = |(what, line): NotAllowed| TemplateError::NotAllowed { part, line, what };
    statement(&tree).map_err(not)
}

/// What is not allowed, and in which line.
type NotAllowed = (&'static str, usize);

const ONLY_THESE: &str = "this is not for templates of mails; there are {{ values }}, {% if %} and {% for %}";
const NO_COMPUTING: &str =
    "templates of mails do not compute; there are names, comparisons, `and`, `or`, `not` and `in`";
const FILTERS_ARE: &str = "there is no such filter; there are default, upper, lower, length, first and last";
const TESTS_ARE: &str = "there is no such test; there are `is defined` and `is undefined`";

fn statements(all: &[ast::Stmt<'_>]) -> Result<(), NotAllowed> {
    all.iter().try_for_each(statement)
}

fn statement(one: &ast::Stmt<'_>) -> Result<(), NotAllowed> {
    match one {
        ast::Stmt::Template(template) => statements(&template.children),
        ast::Stmt::EmitRaw(_) => Ok(()),
        ast::Stmt::EmitExpr(emit) => expression(&emit.expr),
        ast::Stmt::ForLoop(each) if !each.recursive => {
            expression(&each.target)?;
            expression(&each.iter)?;
            each.filter_expr.as_ref().map_or(Ok(()), expression)?;
            statements(&each.body)?;
            statements(&each.else_body)
        }
        ast::Stmt::IfCond(either) => {
            expression(&either.expr)?;
            statements(&either.true_body)?;
            statements(&either.false_body)
        }
        other => Err((ONLY_THESE, line_of(other))),
    }
}

fn line_of(one: &ast::Stmt<'_>) -> usize {
    let line = match one {
        ast::Stmt::ForLoop(it) => it.span().start_line,
        ast::Stmt::WithBlock(it) => it.span().start_line,
        ast::Stmt::Set(it) => it.span().start_line,
        ast::Stmt::SetBlock(it) => it.span().start_line,
        ast::Stmt::AutoEscape(it) => it.span().start_line,
        ast::Stmt::FilterBlock(it) => it.span().start_line,
        ast::Stmt::Do(it) => it.span().start_line,
        _ => 1,
    };
    usize::from(line)
}

fn expression(one: &ast::Expr<'_>) -> Result<(), NotAllowed> {
    use ast::{BinOpKind as Op, Expr, UnaryOpKind};
    let at = |what| Err((what, usize::from(one.span().start_line)));
    match one {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::GetAttr(of) => expression(&of.expr),
        Expr::GetItem(of) => expression(&of.expr).and_then(|()| expression(&of.subscript_expr)),
        Expr::UnaryOp(of) if matches!(of.op, UnaryOpKind::Not) => expression(&of.expr),
        Expr::BinOp(of) => match of.op {
            Op::Eq | Op::Ne | Op::Lt | Op::Lte | Op::Gt | Op::Gte | Op::ScAnd | Op::ScOr | Op::In => {
                expression(&of.left)?;
                expression(&of.right)
            }
            _ => at(NO_COMPUTING),
        },
        Expr::Compare(of) => {
            expression(&of.expr)?;
            of.ops.iter().try_for_each(|with| expression(&with.expr))
        }
        Expr::IfExpr(of) => {
            expression(&of.test_expr)?;
            expression(&of.true_expr)?;
            of.false_expr.as_ref().map_or(Ok(()), expression)
        }
        Expr::Filter(of) if FILTERS.contains(&of.name) => {
            of.expr.as_ref().map_or(Ok(()), expression)?;
            of.args.iter().try_for_each(argument)
        }
        Expr::Filter(_) => at(FILTERS_ARE),
        Expr::Test(of) if TESTS.contains(&of.name) => expression(&of.expr),
        Expr::Test(_) => at(TESTS_ARE),
        _ => at(NO_COMPUTING),
    }
}

fn argument(one: &ast::CallArg<'_>) -> Result<(), NotAllowed> {
    match one {
        ast::CallArg::Pos(value) => expression(value),
        _ => Err((NO_COMPUTING, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> MailTemplate {
        MailTemplate { subject: "Hello".to_owned(), text: text.to_owned(), html: "<p>{{ user.name }}</p>".to_owned() }
    }

    fn refused(text: &str) -> String {
        template(text).check().unwrap_err().into_iter().map(|error| error.to_string()).collect()
    }

    #[test]
    fn values_conditions_loops_and_a_few_filters_are_taken() {
        for text in [
            "{{ user.name | upper }} {% if devices %}{% for d in devices %}{{ loop.index }} {{ d.code }}{% else %}none{% endfor %}{% endif %}",
            "{{ user.lines | length }} {{ 'none' if not active else active[0].model }} {% if site == 'Vienna' %}{% endif %}x",
            "{{ nothing | default('x') }} {% if nothing is defined %}{% endif %}",
        ] {
            template(text).check().unwrap();
        }
    }

    #[test]
    fn what_computes_defines_includes_calls_or_unescapes_is_refused_with_its_line() {
        for text in [
            "{{ 'x' * 1000000000 }}",
            "{{ user.name ~ user.name }}",
            "x\n{% set a = 'x' %}",
            "{% with a = 'x' %}{{ a }}{% endwith %}",
            "{% autoescape false %}{{ user.name }}{% endautoescape %}",
            "{{ user.name | safe }}",
            "{{ user.name.upper() }}",
            "{{ range(10) }}",
            "{{ '%1000000000d' | format(1) }}",
            "{% filter upper %}x{% endfilter %}",
            "{% include 'x' %}",
            "{% macro x() %}{% endmacro %}",
            "{{ devices[0:1] }}",
            "{{ -1 }}",
            "{% for d in devices recursive %}{% endfor %}x",
            "{{ devices | map(attribute='code') }}",
            "{% do x %}",
        ] {
            assert!(!refused(text).is_empty(), "{text}");
        }
        assert!(refused("x\n{% set a = 'x' %}").starts_with("line 2: "), "{}", refused("x\n{% set a = 'x' %}"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert!(refused("{{ user.nickname }}").contains("undefined"), "{}", refused("{{ user.nickname }}"));
        assert!(refused("{% if %}").starts_with("line 1: "));
        assert!(refused("   ").contains("empty"));
        // Who has no device has no first one.
        assert!(!refused("{{ devices[0].code }}").is_empty());
    }

    #[test]
    fn a_template_that_never_ends_or_grows_is_stopped() {
        let mut text = String::new();
        for _ in 0..40 {
            text.push_str("{% for a in user.lines %}");
        }
        text.push_str(&"x".repeat(2000));
        for _ in 0..40 {
            text.push_str("{% endfor %}");
        }
        assert!(!refused(&text).is_empty());
        assert!(!refused(&"x".repeat(MOST_TEMPLATE_BYTES + 1)).is_empty());
    }

    #[test]
    fn a_name_never_becomes_markup_and_a_subject_holds_no_code() {
        let mut somebody = Welcome::sample();
        somebody.user.name = "<script>alert(1)</script>\r\nBcc: x".to_owned();
        let mut template = template("{{ user.name }}");
        template.subject = "For {{ user.name }}".to_owned();

        let mail = template.render(&somebody).unwrap();

        assert!(!mail.html.unwrap().contains("<script>"));
        assert_eq!(mail.subject, "For <script>alert(1)</script> Bcc: x");
        template.subject = "{{ devices[0].code }}".to_owned();
        assert_eq!(template.check().unwrap_err()[0].part(), "subject");
    }
}
