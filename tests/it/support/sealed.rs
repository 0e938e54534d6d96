//! Helpers of the tests of the encrypted modes: a server with a key, and WeChat's side of the exchange.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wechat::wechat::{AesKey, AppId, Cipher, Credentials, Mode, Token};

use super::{Answer, Program, TOKEN, command, now, post_to, signed};

pub const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
pub const APP_ID: &str = "wx2c2769f8efd9abc2";

/// The server with the usual token and key, on a free port.
pub fn secure(flags: &[&str]) -> Program {
    Program::spawn(secure_command().args(flags))
}

pub fn secure_command() -> Command {
    let mut command = command();
    command
        .env("WECHAT_TOKEN", TOKEN)
        .env("WECHAT_AES_KEY", AES_KEY)
        .env("WECHAT_APP_ID", APP_ID)
        .args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

pub fn cipher_of(key: &str, app_id: &str) -> Cipher {
    let key = AesKey::parse(key).unwrap();
    Cipher::new(key, None, AppId::parse(app_id).unwrap(), wechat::service::random().unwrap())
}

/// The secrets that WeChat has.
pub struct WeChat {
    pub token: Token,
    pub cipher: Cipher,
}

impl WeChat {
    pub fn usual() -> Self {
        Self::with(TOKEN, AES_KEY, APP_ID)
    }

    pub fn with(token: &str, key: &str, app_id: &str) -> Self {
        let token = Token::parse(token).unwrap();
        let cipher = cipher_of(key, app_id);
        Self { token, cipher }
    }

    /// The query of a request with this `Encrypt`.
    pub fn query(&self, encrypt: &str) -> String {
        let timestamp = now().to_string();
        let nonce = nonce();
        let signature = self.token.sign(timestamp.as_bytes(), nonce.as_bytes());
        let msg_signature =
            self.token.sign_message(timestamp.as_bytes(), nonce.as_bytes(), encrypt);
        format!(
            "signature={signature}&timestamp={timestamp}&nonce={nonce}&openid=oUser1\
             &encrypt_type=aes&msg_signature={msg_signature}"
        )
    }

    /// The content of a request with this message, and its `Encrypt`.
    pub fn content(&self, message: &str, mode: Mode) -> (String, String) {
        let encrypt = self.cipher.encrypt(message.as_bytes()).unwrap();
        (content_of(&encrypt, message, mode), encrypt)
    }

    /// A POST request with this message in this mode.
    pub fn post(&self, message: &str, mode: Mode) -> Vec<u8> {
        if mode == Mode::Plain {
            let query = signed(&now().to_string(), &nonce());
            return post_to(&format!("/wx?{query}"), "HTTP/1.1", "", message);
        }
        let (content, encrypt) = self.content(message, mode);
        let target = format!("/wx?{}", self.query(&encrypt));
        post_to(&target, "HTTP/1.1", "", &content)
    }

    /// Verifies and decrypts a response in this mode, and returns the XML of its reply. `success` is returned
    /// unchanged.
    #[track_caller]
    pub fn open(&self, answer: &Answer, mode: Mode) -> String {
        assert_eq!(answer.status, 200, "{}", answer.content);
        let content = &answer.content;
        if mode == Mode::Plain || content == "success" {
            assert!(!content.contains("<Encrypt>"));
            return content.clone();
        }
        let between = |before: &str, after: &str| {
            let (_, rest) = content.split_once(before).unwrap();
            rest.split_once(after).unwrap().0.to_owned()
        };
        let (encrypt, signature) = (
            between("<Encrypt><![CDATA[", "]]></Encrypt>"),
            between("<MsgSignature><![CDATA[", "]]></MsgSignature>"),
        );
        let (timestamp, nonce) =
            (between("<TimeStamp>", "</TimeStamp>"), between("<Nonce><![CDATA[", "]]></Nonce>"));
        assert!(timestamp.parse::<u64>().unwrap().abs_diff(now()) < 60);
        let credentials = Credentials {
            signature: signature.as_bytes(),
            timestamp: timestamp.as_bytes(),
            nonce: nonce.as_bytes(),
        };
        let verified = self.token.verify_message(&credentials, &encrypt).unwrap();
        let decrypted = self.cipher.decrypt(&verified).unwrap();
        String::from_utf8(decrypted.message().to_vec()).unwrap()
    }
}

/// A nonce that no other request of the test run has.
fn nonce() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NONCE: AtomicU64 = AtomicU64::new(1_872_623_149);
    NONCE.fetch_add(1, Ordering::Relaxed).to_string()
}

/// The content of a request in this mode: the message, its `Encrypt`, or both.
pub fn content_of(encrypt: &str, message: &str, mode: Mode) -> String {
    let encrypt = format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>");
    match mode {
        Mode::Plain => message.to_owned(),
        Mode::Compatible => {
            let (before, _) = message.rsplit_once("</xml>").unwrap();
            format!("{before}{encrypt}")
        }
        Mode::Safe => {
            let name = message
                .split_once("<ToUserName>")
                .and_then(|(_, rest)| rest.split_once("</ToUserName>"));
            let name = name.map_or("", |(name, _)| name);
            format!("<xml>\n<ToUserName>{name}</ToUserName>\n{encrypt}")
        }
    }
}

/// A fixture of `fixtures/secure`: lines of `name: value`.
pub struct Vector {
    pub name: String,
    path: PathBuf,
    lines: Vec<(String, String)>,
}

impl Vector {
    /// All fixtures of a folder.
    pub fn all(folder: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/secure").join(folder);
        let entries = fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let line = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.replace("\\n", "\n"))
        };
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            lines: text.lines().map(line).collect(),
            path,
        }
    }

    pub fn all_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.lines.iter().filter(move |(found, _)| found == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.lines.iter().find(|(found, _)| found == name)?;
        Some(value)
    }

    #[track_caller]
    pub fn must(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("{}: {name}", self.name))
    }

    /// The encrypted message.
    pub fn message(&self) -> Vec<u8> {
        fs::read(self.path.with_extension("message")).unwrap()
    }
}
