//! What the account says.
//!
//! Knows the account's messages and replies; no HTTP, no sockets.

use crate::account::{Event, Kind, Message, Reply};

/// The answers of an account that has been told nothing: text comes back, a new follower is
/// welcomed, other messages get a polite sentence, and other events get none.
pub fn echo<'a>(message: &'a Message<'_>) -> Reply<'a> {
    match message.kind() {
        Kind::Text { content, .. } => Reply::text(content),
        Kind::Event(Event::Subscribe { .. }) => Reply::text("欢迎关注！"),
        Kind::Other if message.msg_type() != "event" => Reply::text("抱歉，暂未支持此消息。"),
        Kind::Event(_) | Kind::Other => Reply::Success,
        Kind::Image { .. }
        | Kind::Voice { .. }
        | Kind::Video { .. }
        | Kind::ShortVideo { .. }
        | Kind::Location { .. }
        | Kind::Link { .. }
        | Kind::File { .. }
        | Kind::MiniProgramPage { .. } => Reply::text("抱歉，暂未支持此消息。"),
    }
}
