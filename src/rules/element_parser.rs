//! What the parsers of rules, replies and programs share: problems are collected, so that one run reports all of them.

use super::fields::Hint;
use super::leaf_text::text_of;
use super::problem::Problem;
use super::template::Template;
use crate::xml::Element;

/// What the replies of a rule depend on.
#[derive(Clone, Copy)]
pub(super) struct ParseContext {
    /// Stars in the conditions of the rule.
    pub(super) stars: usize,
    /// Whether no event matches the rule.
    pub(super) excludes_events: bool,
    /// Whether a program printed the reply: then braces are literal, and what is too long is cut when it is sent.
    pub(super) is_printed: bool,
}

/// Collects problems. After one, a parser returns any value: the result is used only if there is no problem.
#[derive(Default)]
pub(super) struct Parser {
    problems: Vec<(usize, Problem)>,
}

impl Parser {
    /// Adds a problem at a byte of the text.
    pub(super) fn report(&mut self, offset: usize, problem: Problem) {
        let index = self.problems.partition_point(|(other, _)| *other <= offset);
        self.problems.insert(index, (offset, problem));
    }

    /// All problems with their offsets, in the order of the text.
    pub(super) fn into_problems(self) -> Vec<(usize, Problem)> {
        self.problems
    }

    /// The value, or `None` after reporting why there is none.
    pub(super) fn accept<T>(&mut self, offset: usize, value: Result<T, Problem>) -> Option<T> {
        value.map_err(|problem| self.report(offset, problem)).ok()
    }

    /// Reports text between the children.
    pub(super) fn refuse_text(&mut self, element: Element<'_>) {
        if let Some(offset) = element.text_offset() {
            let element = element.name().to_owned();
            self.report(offset, Problem::UnexpectedText { element });
        }
    }

    pub(super) fn refuse_attributes(&mut self, element: Element<'_>) {
        for (name, _, offset) in element.attributes() {
            self.report_attribute(element, name, offset, &[]);
        }
    }

    pub(super) fn report_attribute(
        &mut self,
        element: Element<'_>,
        name: &str,
        offset: usize,
        known: &[&'static str],
    ) {
        let problem = Problem::UnknownAttribute {
            name: name.to_owned(),
            element: element.name().to_owned(),
            hint: Hint::new(name, known),
        };
        self.report(offset, problem);
    }

    pub(super) fn report_child(
        &mut self,
        parent: Element<'_>,
        child: Element<'_>,
        known: &[&'static str],
    ) {
        let problem = Problem::UnknownElement {
            name: child.name().to_owned(),
            parent: parent.name().to_owned(),
            hint: Hint::new(child.name(), known),
        };
        self.report(child.offset(), problem);
    }

    /// Parses the text of a leaf; `None` after a problem.
    pub(super) fn leaf(&mut self, leaf: Element<'_>, context: ParseContext) -> Option<Template> {
        if let Some(child) = leaf.children().next() {
            let problem = Problem::ElementInText {
                name: child.name().to_owned(),
                parent: leaf.name().to_owned(),
            };
            self.report(child.offset(), problem);
            return None;
        }
        let text = text_of(leaf);
        if context.is_printed {
            return Some(Template::literal(text));
        }
        self.template(&text, context.stars, &|placeholder| leaf.offset_of(placeholder))
    }

    /// Parses a template; `None` after a problem. `offset_of` finds a placeholder.
    pub(super) fn template(
        &mut self,
        text: &str,
        stars: usize,
        offset_of: &dyn Fn(&str) -> usize,
    ) -> Option<Template> {
        let count = self.problems.len();
        let template = Template::parse(text, stars, &mut |placeholder, problem| {
            self.report(offset_of(placeholder), problem);
        });
        (self.problems.len() == count).then_some(template)
    }
}
