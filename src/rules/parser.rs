//! The `Parser` that the parsers of rules, replies and programs share. It collects errors and warnings, so that those of a
//! file are reported all at once.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::fields::Hint;
use super::leaf_text::text_of;
use super::problem::{Finding, Problem, Warning};
use super::run::RunKey;
use super::template::Template;
use crate::xml::Element;

/// The facts about a rule that are needed to parse its replies.
#[derive(Clone, Copy)]
pub(super) struct ParseContext {
    /// Number of stars in all conditions of the rule.
    pub(super) stars: usize,
    /// Whether the rule matches no event.
    pub(super) excludes_events: bool,
    /// Whether a program printed the reply. If so, braces are literal, and texts and lists may be too long, because
    /// they are truncated when the reply is sent.
    pub(super) is_printed: bool,
    /// Whether the reply has WeChat's own form, `<xml>…</xml>`. If so, unknown elements are ignored, as WeChat does.
    pub(super) is_wechat_form: bool,
}

/// The number of errors after which no more are collected, and of warnings.
pub(super) const PROBLEMS_MAX: usize = 100;

/// Collects errors and warnings. After an error, parsing functions may return any value, because the result is used only
/// if there is no error.
#[derive(Default)]
pub(super) struct Parser {
    /// Errors and warnings with their offsets, in ascending order of the offsets.
    findings: Vec<(usize, Finding)>,
    /// The number of errors in `findings`.
    errors: usize,
    /// Whether a template has the number of a star.
    uses_captures: bool,
    /// The number of `<run>` elements parsed so far for each command, by a hash of its words.
    runs: HashMap<u64, u32>,
}

impl Parser {
    /// Adds an error at this byte offset of the text.
    pub(super) fn report(&mut self, offset: usize, problem: Problem) {
        if self.is_full() {
            return;
        }
        self.errors += 1;
        self.insert(offset, Finding::Error(problem));
    }

    /// Adds a warning at this byte offset of the text.
    pub(super) fn warn(&mut self, offset: usize, warning: Warning) {
        if !self.has_all_warnings() {
            self.insert(offset, Finding::Warning(warning));
        }
    }

    fn insert(&mut self, offset: usize, finding: Finding) {
        let index = self.findings.partition_point(|(earlier, _)| *earlier <= offset);
        self.findings.insert(index, (offset, finding));
    }

    /// Whether no more errors are collected. Then the rest of the file need not be parsed.
    pub(super) const fn is_full(&self) -> bool {
        self.errors >= PROBLEMS_MAX
    }

    /// Whether no more warnings are collected.
    pub(super) const fn has_all_warnings(&self) -> bool {
        self.findings.len() - self.errors >= PROBLEMS_MAX
    }

    pub(super) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// All errors and warnings with their offsets, in ascending order of the offsets.
    pub(super) fn into_findings(self) -> Vec<(usize, Finding)> {
        self.findings
    }

    /// Whether a template has the number of a star since the last call.
    pub(super) fn take_uses_captures(&mut self) -> bool {
        std::mem::take(&mut self.uses_captures)
    }

    /// Returns the key of the next `<run>` element, which has these words.
    pub(super) fn identify_run(&mut self, words: &[Template]) -> RunKey {
        // Without random keys, so that the key is equal in each version of the file.
        let hasher = BuildHasherDefault::<DefaultHasher>::new();
        let words = hasher.hash_one(words);
        let number = self.runs.entry(words).or_default();
        *number += 1;
        RunKey(hasher.hash_one((words, *number)))
    }

    /// Returns the value, or reports the problem and returns `None`.
    pub(super) fn accept<T>(&mut self, offset: usize, value: Result<T, Problem>) -> Option<T> {
        value.map_err(|problem| self.report(offset, problem)).ok()
    }

    /// Reports text in an element that must contain only elements.
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
        if self.is_full() {
            return;
        }
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
        if self.is_full() {
            return;
        }
        let problem = Problem::UnknownElement {
            name: child.name().to_owned(),
            parent: parent.name().to_owned(),
            hint: Hint::new(child.name(), known),
        };
        self.report(child.offset(), problem);
    }

    /// Parses the text of a leaf; `None` after a problem.
    pub(super) fn parse_leaf(
        &mut self,
        leaf: Element<'_>,
        context: ParseContext,
    ) -> Option<Template> {
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
        self.parse_template(&text, context.stars, &|placeholder| leaf.offset_of(placeholder))
    }

    /// Parses a template; `None` after a problem. `offset_of` returns the offset of a placeholder in the file.
    pub(super) fn parse_template(
        &mut self,
        text: &str,
        stars: usize,
        offset_of: &dyn Fn(&str) -> usize,
    ) -> Option<Template> {
        let errors_before = self.errors;
        let template = Template::parse(text, stars, &mut |placeholder, finding| {
            let offset = offset_of(placeholder);
            match finding {
                Finding::Error(problem) => self.report(offset, problem),
                Finding::Warning(warning) => self.warn(offset, warning),
            }
            !self.is_full()
        });
        self.uses_captures |= template.uses_captures();
        (self.errors == errors_before).then_some(template)
    }
}
