//! Cuts a text that is too long: at the end of a line, of a sentence or of a character, and never inside an element such as
//! `<a href="…">…</a>`, because WeChat would show its tags as text.

use std::ops::Range;

/// Marks the end of a text that was cut.
const ELLIPSIS: &str = "…";

/// Characters that end a sentence.
const SENTENCE_ENDS: [char; 6] = ['。', '．', '！', '？', '；', '…'];

/// Characters that end a sentence if white space follows. They are in numbers and URLs too.
const ASCII_SENTENCE_ENDS: [char; 3] = ['.', '!', '?'];

/// Characters that may follow the end of a sentence and belong to it.
const CLOSERS: [char; 10] = ['”', '’', '」', '』', '）', ')', '】', '》', '"', '\''];

/// An element in a text, or a tag without an end tag.
struct Element<'t> {
    range: Range<usize>,
    /// The offset after the start tag.
    content: usize,
    /// The end tag; empty if there is none.
    end_tag: &'t str,
}

/// Cuts a text to at most `max` bytes, including the ellipsis at its end. The text must be longer.
///
/// The text is cut at the last line end, or at the last end of a sentence if the last line is long, or between two
/// characters if the last sentence is long too.
pub(super) fn cut_with_ellipsis(text: &str, max: usize) -> String {
    let part_max = max - ELLIPSIS.len();
    let elements = find_elements(text, part_max);
    let cut = elements.iter().find(|element| element.range.contains(&part_max));
    let ((part, is_line), end_tag) = match cut {
        None => (cut_between(text, 0..part_max, &elements), ""),
        Some(Element { range, .. }) if !text[..range.start].trim().is_empty() => {
            (cut_between(text, 0..range.start, &elements), "")
        }
        // Only this element is in the part, so it must be cut itself. It then needs its end tag after the part.
        Some(Element { content, end_tag, .. }) => {
            let end = text.floor_char_boundary(part_max.saturating_sub(end_tag.len()));
            if end <= *content || end_tag.is_empty() {
                return ELLIPSIS.to_owned();
            }
            (cut_between(text, *content..end, &[]), *end_tag)
        }
    };
    let bytes = part.len() + end_tag.len() + ELLIPSIS.len();
    let line_end = if is_line && bytes < max { "\n" } else { "" };
    format!("{part}{end_tag}{line_end}{ELLIPSIS}")
}

/// Cuts a text at the best place in a range, but not inside an element. Returns the first part, and whether it ends at
/// the end of a line.
fn cut_between<'t>(
    text: &'t str,
    range: Range<usize>,
    elements: &[Element<'_>],
) -> (&'t str, bool) {
    let Range { start, end } = range;
    let is_inside = |place: usize| {
        elements.iter().any(|Element { range, .. }| range.start < place && place < range.end)
    };
    let end = text.floor_char_boundary(end);
    let places = |share: usize| {
        let min = start + (end - start) / 4 * share;
        let places = (min..=end).rev().filter(|place| text.is_char_boundary(*place));
        places.filter(|place| *place > start && !is_inside(*place))
    };
    let line = places(3).find(|place| text[*place..].starts_with('\n'));
    let sentence = || places(2).find(|place| ends_sentence(&text[..*place], &text[*place..]));
    let character = || places(2).find(|place| !is_joined(&text[..*place], &text[*place..]));
    let place = line.or_else(sentence).or_else(character).unwrap_or(end);
    (text[..place].trim_end(), line.is_some())
}

/// The elements that begin in the first `max` bytes of a text. Elements inside others are not listed.
fn find_elements(text: &str, max: usize) -> Vec<Element<'_>> {
    let mut elements = Vec::new();
    let mut from = 0;
    while let Some(start) =
        text[from..].find('<').map(|offset| from + offset).filter(|start| *start < max)
    {
        from = start + 1;
        if let Some(element) = Element::parse(text, start) {
            from = element.range.end;
            elements.push(element);
        }
    }
    elements
}

impl<'t> Element<'t> {
    /// Parses the element that begins at this `<`; `None` if this is no start tag.
    fn parse(text: &'t str, start: usize) -> Option<Self> {
        let after = &text[start + 1..];
        let name_length = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = &after[..name_length];
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        let mut quote = None;
        let tag_end = after.find(|character: char| {
            match quote {
                Some(open) if character == open => quote = None,
                None if matches!(character, '"' | '\'') => quote = Some(character),
                _ => {}
            }
            character == '>' && quote.is_none()
        });
        // A quote without an end is part of the text.
        let tag_end = start + 2 + tag_end.or_else(|| after.find('>'))?;
        let is_empty = text[..tag_end].ends_with("/>");
        let end_tag = if is_empty { None } else { find_end_tag(&text[tag_end..], name) };
        let end_tag =
            end_tag.map_or(tag_end..tag_end, |Range { start, end }| start + tag_end..end + tag_end);
        Some(Self { range: start..end_tag.end, content: tag_end, end_tag: &text[end_tag] })
    }
}

/// The first end tag with this name.
fn find_end_tag(text: &str, name: &str) -> Option<Range<usize>> {
    text.match_indices("</").find_map(|(start, tag)| {
        let after = &text[start + tag.len()..];
        let is_named = after.get(..name.len())?.eq_ignore_ascii_case(name);
        let rest = after[name.len()..].trim_start();
        let end = text.len() - rest.strip_prefix('>').filter(|_| is_named)?.len();
        Some(start..end)
    })
}

/// Whether a sentence ends between two parts of a text.
fn ends_sentence(before: &str, after: &str) -> bool {
    if after.starts_with(SENTENCE_ENDS) || after.starts_with(CLOSERS) {
        return false;
    }
    let sentence = before.trim_end_matches(CLOSERS);
    sentence.ends_with(SENTENCE_ENDS)
        || (sentence.ends_with(ASCII_SENTENCE_ENDS) && after.starts_with(char::is_whitespace))
}

/// Whether the two characters at a place are shown as one, such as the characters of an emoji. Covers accents, variation
/// selectors, emoji that are joined or have a skin tone, keycaps, and flags, which are two letters each.
fn is_joined(before: &str, after: &str) -> bool {
    const JOINER: char = '\u{200D}';
    let is_flag_letter = |character: &char| ('\u{1F1E6}'..='\u{1F1FF}').contains(character);
    let joins = |character: char| {
        matches!(
            character,
            JOINER
                | '\u{300}'..='\u{36F}'
                | '\u{20D0}'..='\u{20FF}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{1F3FB}'..='\u{1F3FF}'
                | '\u{E0020}'..='\u{E007F}'
        )
    };
    let is_second_letter = || before.chars().rev().take_while(is_flag_letter).count() % 2 == 1;
    after.starts_with(joins)
        || before.ends_with(JOINER)
        || (after.chars().next().is_some_and(|next| is_flag_letter(&next)) && is_second_letter())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 120;

    #[track_caller]
    fn assert_cut(text: &str, expected: &str) {
        let cut = cut_with_ellipsis(text, MAX);
        assert!(cut.len() <= MAX, "{} bytes", cut.len());
        assert_eq!(cut, expected);
    }

    #[test]
    fn cuts_at_a_line_a_sentence_or_a_character() {
        let line = "一二三四五六七八九\n";
        assert_cut(&line.repeat(9), &format!("{}…", line.repeat(4)));
        // The last line is too long to be left out.
        let sentence = "一二三四五六七八。";
        assert_cut(
            &format!("题目\n{}", sentence.repeat(9)),
            &format!("题目\n{}…", sentence.repeat(4)),
        );
        assert_cut(&format!("题目。{}", "字".repeat(99)), &format!("题目。{}…", "字".repeat(36)));
        assert_cut(&"字".repeat(99), &format!("{}…", "字".repeat(39)));
        assert_cut(&"a".repeat(999), &format!("{}…", "a".repeat(117)));
        // Ends of sentences with quotes, and points that end no sentence.
        let quoted = "他说：“一二三四五六七八？！”";
        assert_cut(&quoted.repeat(4), &format!("{}…", quoted.repeat(2)));
        let english = "It costs 3.14 at example.com/a?b=c! ";
        assert_cut(&english.repeat(9), &format!("{}…", english.repeat(3).trim_end()));
        let url = "example.com/";
        assert_cut(&url.repeat(20), &format!("{}example.c…", url.repeat(9)));
        // Blank lines at the cut are left out.
        assert_cut(
            &format!("{}\n\n \n{}", "字".repeat(36), "字".repeat(9)),
            &format!("{}\n…", "字".repeat(36)),
        );
    }

    #[test]
    fn keeps_characters_together_that_are_shown_as_one() {
        for (whole, bytes) in
            [("👨‍👩‍👧", 18), ("❤️", 6), ("👍🏽", 8), ("🇨🇳", 8), ("e\u{301}", 3), ("1️⃣", 7)]
        {
            assert_eq!(whole.len(), bytes);
            for shift in 0..bytes {
                let text = format!("{}{}", "a".repeat(shift), whole.repeat(99));
                let cut = cut_with_ellipsis(&text, MAX);
                let kept = cut.strip_suffix('…').unwrap_or(&cut).trim_start_matches('a');
                let count = (MAX - 3 - shift) / bytes;
                assert_eq!(kept, whole.repeat(count), "{whole} {shift}");
            }
        }
        // Without any other place, the text is cut between two of them.
        let accents = "\u{301}".repeat(99);
        assert_eq!(cut_with_ellipsis(&accents, MAX), format!("{}…", "\u{301}".repeat(58)));
    }

    #[test]
    fn never_cuts_inside_an_element() {
        let link = r#"<a href="https://e/?a=1">第一章。开始！</a>"#;
        for between in ["\n", "", " ", "，", "。", "\n\n"] {
            for shift in 0..link.len() {
                let text =
                    format!("{}{}", "字".repeat(shift), format!("{link}{between}").repeat(9));
                let cut = cut_with_ellipsis(&text, 300);
                assert!(cut.len() <= 300 && cut.len() > 150, "{cut}");
                let links = cut.matches("<a ").count();
                assert_eq!(cut.matches(link).count(), links, "{cut}");
                assert_eq!(cut.matches('<').count(), 2 * links, "{cut}");
            }
        }
        let filler = "字".repeat(30);
        for element in [
            r#"<a href="https://e/" data-miniprogram-appid="wx1">一二三四五六七八九</a>"#,
            r#"<a href='a>b'>一二三四五六七八九十</a>"#,
            "<A HREF=\"https://e/\">一二三四五六七八九十</a >",
            "<a href=\"weixin://bizmsgmenu?msgmenucontent=是&msgmenuid=1\">是</a>",
            "<a\nhref=\"https://e/\">一\n二。三</a>",
            "<unclosed attribute=\"一二三四五六七八九十\">",
        ] {
            assert_cut(&format!("{filler}{element}{filler}"), &format!("{filler}…"));
        }
        // These are no elements.
        for text in ["<3", "1 < 2", "<", "< a>", "<a", "<<<", "</a>", "<一>"] {
            let whole = format!("{filler}{text}{filler}");
            let kept = &whole[..whole.floor_char_boundary(MAX - 3)];
            assert_cut(&whole, &format!("{kept}…"));
        }
    }

    #[test]
    fn an_element_that_is_too_long_is_closed() {
        let text = format!("<a href=\"u\">{}</a>。", "字".repeat(99));
        assert_cut(&text, &format!("<a href=\"u\">{}</a>…", "字".repeat(33)));
        assert_cut(&format!("一<a href=\"u\">{}</a>", "字".repeat(99)), "一…");
        assert_cut(&format!("<a href=\"{}\">一</a>二", "u".repeat(109)), "…");
    }

    /// All parts of a text together are the text, and each makes progress.
    #[test]
    fn parts_lose_nothing() {
        let link = "<a href=\"u\">一二三四五六七八九十</a>";
        let text = format!(
            "{0}\n{1}。{1}{0}, e.g. x! {1}{1}{1}\n\n{0}{0}{0}<3{1}",
            link,
            "天地玄黄".repeat(7)
        );
        for max in 63..303 {
            let (mut rest, mut parts) = (text.as_str(), String::new());
            while rest.len() > max {
                let cut = cut_with_ellipsis(rest, max);
                assert!(cut.len() <= max, "{cut}");
                let part = cut.strip_suffix('…').unwrap_or_default().trim_end();
                assert!(!part.is_empty() && rest.starts_with(part), "{cut}");
                parts.push_str(part);
                rest = rest[part.len()..].trim_start();
            }
            parts.push_str(rest);
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_space(&parts), without_space(&text));
        }
    }
}
