//! The entry point of the library: a socket, a token and a closure make a backend.
//!
//! The closure gets each message with a valid signature and returns the reply. The closure can match the documented
//! kinds of messages, or read any field by its name:
//!
//! ```no_run
//! use wechat::{Article, Event, Kind, Reply, Server, Token};
//!
//! let server = Server::bind("127.0.0.1:8000".parse()?)?.token(Token::parse("hello2021")?);
//! server.run(|message| match message.kind() {
//!     Kind::Text { content: "帮助", .. } => Reply::text("说点什么吧"),
//!     Kind::Text { content, .. } => Reply::text(content),
//!     Kind::Image { media_id, .. } => Reply::Image { media_id: media_id.into() },
//!     Kind::Voice { recognition: Some(words), .. } => Reply::text(format!("你说的是：{words}")),
//!     Kind::Event(Event::Click { event_key: "V1001_TODAY" }) => Reply::News(vec![Article {
//!         title: "今天".into(),
//!         url: "https://example.com/today".into(),
//!         ..Article::default()
//!     }]),
//!     Kind::Event(_) => Reply::Success,
//!     _ => Reply::text(message.field("Label").unwrap_or("抱歉，暂未支持此消息。")),
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The closure runs on the thread of the connection on which the message arrived, so several threads may call the
//! closure at once. The closure is called once for each message. Without a response, WeChat sends the message again
//! after five and after ten seconds. These later tries wait for the result of the first call. If the closure takes
//! longer than 14 seconds, WeChat gets the reply [`Backend::late`], and the reply of the closure is kept. The user's
//! next message gets the kept reply, followed by the closure's reply to that message; the closure then runs on a thread
//! of its own. A panic closes one connection and has no other effect. A reply may borrow from its message.
//!
//! A complete exchange, including WeChat's side:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use wechat::{Age, Reply, Server, Token};
//!
//! let token = Token::parse("hello2021")?;
//! let signature = token.sign(b"1626513248", b"1982032182");
//! let mut backend = Server::bind("127.0.0.1:0".parse()?)?.token(token);
//! backend.callback.max_age = Age::Any; // because this message is from 2021
//! let address = backend.address()?;
//! std::thread::spawn(move || {
//!     backend.run(|message| {
//!         Reply::text(format!("对啊，{}，然后呢", message.field("Content").unwrap_or("嗯")))
//!     })
//! });
//!
//! let content = "<xml><ToUserName>gh_7f083739789a</ToUserName><FromUserName>oUser1</FromUserName>\
//!     <CreateTime>1626513248</CreateTime><MsgType>text</MsgType><Content>你好</Content></xml>";
//! let mut wechat = TcpStream::connect(address)?;
//! write!(
//!     wechat,
//!     "POST /?signature={signature}&timestamp=1626513248&nonce=1982032182 HTTP/1.0\r\n\
//!      Content-Length: {}\r\n\r\n{content}",
//!     content.len()
//! )?;
//! let mut answer = String::new();
//! wechat.read_to_string(&mut answer)?;
//! assert!(answer.contains("<Content><![CDATA[对啊，你好，然后呢]]></Content>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod domain_file;
mod random;
mod version;
mod wording;

pub use backend::{Backend, Server};
pub use random::random;
pub(crate) use version::version;
