//! Recognizes, by the first bytes, wrong content that programs and frameworks often send.

use super::check::Finding;
use super::search::find;
use crate::text::display::excerpt;

/// Checks that content is UTF-8 without a byte order mark, not compressed, and not an HTML page.
///
/// # Errors
/// `ByteOrderMark`, `Gzip` (by its magic number, RFC 1952 2.3.1), `Utf16`, `WelcomePage` or `Html`.
pub(super) fn check_text(content: &[u8]) -> Result<(), Finding> {
    match content {
        [0xEF, 0xBB, 0xBF, ..] => Err(Finding::ByteOrderMark),
        [0x1F, 0x8B, ..] => Err(Finding::Gzip),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [_, 0, ..] => Err(Finding::Utf16),
        _ if find(content, b"Welcome to nginx!").is_some() => {
            Err(Finding::WelcomePage { server: "nginx" })
        }
        _ if find(content, b"Default Page: It works").is_some() => {
            Err(Finding::WelcomePage { server: "Apache" })
        }
        _ if is_html(content) => Err(Finding::Html { excerpt: excerpt(content) }),
        _ => Ok(()),
    }
}

/// Whether content begins like an HTML page.
pub(super) fn is_html(content: &[u8]) -> bool {
    let begins_with = |tag: &str| {
        let start = content.trim_ascii_start().get(..tag.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    const TAGS: &str = "<!doctype html,<html,<head,<body,<p>,<pre,<div,<h1,<br";
    TAGS.split(',').any(begins_with)
}
