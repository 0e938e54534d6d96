//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};
use std::io;

use crate::rules::Rules;
use crate::rules::problem::EarlierRule;
use crate::text::executable::Fault;
use crate::xml::Document;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "rules", collect);
}

fn collect(samples: &mut Samples) {
    let path = Path::new("rules.xml");
    let closed = |closed: &str, is_folder| {
        RulesError::Unreadable(ReadError::NoPermission {
            user_id: Some(999),
            closed: closed.into(),
            is_folder,
        })
    };
    let invalid = |count| {
        let diagnostic =
            || Diagnostic { line: 3, column: 7, finding: Finding::Error(Problem::NoRules) };
        RulesError::Invalid((0..count).map(|_| diagnostic()).collect())
    };
    let unreadable = [
        RulesError::Unreadable(ReadError::System(io::Error::from_raw_os_error(2))),
        closed("/home/bot", true),
        closed("/opt/bot", true),
        closed("/opt/bot/rules.xml", false),
    ];
    for error in unreadable.iter().chain(&[invalid(1), invalid(2), invalid(PROBLEMS_MAX + 1)]) {
        samples.add("RulesError", &[&error.summary(path)]);
    }
    samples.add("RulesError::lines_up_to", &[&invalid(5).lines_up_to(1, path).join("\n")]);
    let warning =
        Diagnostic { line: 3, column: 7, finding: Finding::Warning(Warning::EscapedLineEnd) };
    samples.add("Diagnostic", &[&warning.line_of(path)]);
    let closed =
        |closed: &str, is_folder| ClosedToOthers { closed: closed.into(), mode: 0o700, is_folder };
    samples
        .add("ClosedToOthers", &[&closed("/opt/bot", true), &closed("/opt/bot/rules.xml", false)]);
    add_warnings(samples);
    add_problems(samples);
    let (similar, allowed) = (Hint::DidYouMean("Content"), Hint::Allowed(vec!["Title", "Url"]));
    samples.add("Hint", &[&similar, &allowed, &Hint::NoneAllowed]);
    let rules = b"<rules><on Content='a' time='09:00-18:00'><text>a</text><success/></on></rules>";
    let rules = Rules::parse(rules).expect("valid rules");
    samples.add("Rule", &[&rules.all()[0].summary()]);
    let file = || path.display();
    let events = [
        ReloadEvent::Reloaded { file: file(), rules: 1 },
        ReloadEvent::Reloaded { file: file(), rules: 2 },
        ReloadEvent::Failed { file: file() },
        ReloadEvent::Detached { file: file() },
    ];
    samples.add_notes("ReloadEvent", &events.map(|event| event.note()));
}

fn add_warnings(samples: &mut Samples) {
    use Warning::*;
    let name = || "Contnt".to_owned();
    let unreachable = |by| Unreachable { line: 3, by };
    samples.add(
        "Warning",
        &[
            &UnknownField { name: name() },
            &UnknownPlaceholder { placeholder: "{Contnt}".to_owned() },
            &unreachable(EarlierRule::Same),
            &unreachable(EarlierRule::All),
            &unreachable(EarlierRule::AllEvents),
            &unreachable(EarlierRule::AllTexts),
            &unreachable(EarlierRule::Other),
            &AnswersQuietEvents { events: vec!["unsubscribe"] },
            &AnswersQuietEvents { events: vec!["unsubscribe", "LOCATION", "VIEW"] },
            &OrdinaryCharacter { found: '？', meant: '?' },
            &Regex { part: "^.+$".to_owned() },
            &UnknownEvent { name: "Click".to_owned(), similar: Some("CLICK") },
            &UnknownEvent { name: name(), similar: None },
            &NotAnEvent { name: "text".to_owned() },
            &UnknownMessageType { name: "txt".to_owned(), similar: Some("text") },
            &UnknownMessageType { name: name(), similar: None },
            &NotAMessageType { name: "CLICK".to_owned() },
            &Placeholder { value: "MEDIA_ID".to_owned() },
            &EscapedLineEnd,
            &LateWithoutPickup,
            &ShellWord { word: "|".to_owned() },
            &Program(Fault::Missing { file: "/opt/bot/reply".into() }),
            &TooMany,
        ],
    );
}

fn add_problems(samples: &mut Samples) {
    use Problem::*;
    let hint = || Hint::DidYouMean("Content");
    let name = || "a".to_owned();
    let value = || "8\"".to_owned();
    let star = |stars| NoSuchStar { placeholder: "{7}".to_owned(), stars };
    let text = |element: &str| UnexpectedText { element: element.to_owned() };
    let in_text = |name: &str| ElementInText { name: name.to_owned(), parent: "text".to_owned() };
    let error = Document::parse_file("<rules>\n<on></rules>").expect_err("on has no end tag");
    samples.add(
        "Problem",
        &[
            &NotUtf8,
            &Utf16,
            &NotWellFormed(error),
            &Printed(XmlError::Open),
            &Printed(XmlError::Markup),
            &NoRules,
            &UnexpectedRoot { name: "on".to_owned() },
            &UnexpectedRoot { name: name() },
            &UtcOffset { value: value() },
            &Time { value: name() },
            &EmptyTimeRange { value: "09:00-09:00".to_owned() },
            &Weekday { value: "0".to_owned() },
            &UnknownElement {
                name: name(),
                parent: "on".to_owned(),
                hint: Hint::Allowed(vec!["text", "run"]),
            },
            &UnknownAttribute {
                name: name(),
                element: "rules".to_owned(),
                hint: Hint::NoneAllowed,
            },
            &UnknownField { name: "Contnt".to_owned(), hint: hint() },
            &UnknownMsgType { msg_type: name() },
            &UnknownReply { name: "txt".to_owned(), hint: Hint::DidYouMean("text") },
            &FinalBackslash,
            &EmptyAlternative,
            &UnknownPlaceholder { placeholder: "{Contnt}".to_owned(), hint: hint() },
            &UnclosedPlaceholder { name: "Content".to_owned() },
            &star(0),
            &star(1),
            &star(2),
            &text("rules"),
            &text("success"),
            &text("on"),
            &text("news"),
            &in_text("br"),
            &in_text("b"),
            &RepeatedElement { name: "Title", parent: "item".to_owned() },
            &MissingElement { name: "MediaId", parent: "image".to_owned() },
            &EmptyElement { name: "MediaId" },
            &NoReply,
            &EmptyText,
            &TextTooLong { bytes: 3000 },
            &NoArticle,
            &TooManyArticles { count: 9 },
            &TooManyArticlesToMessage { count: 9 },
            &NoProgram,
            &PlaceholderInProgram,
            &QuotedWord,
            &TextAfterArg,
            &Timeout { value: value() },
            &Limit { value: value() },
            &LimitedWithoutLimit,
            &TooMany,
            &EmptyPickup,
        ],
    );
}
