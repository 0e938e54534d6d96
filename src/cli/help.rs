//! What `wechat help` says.

/// Of all commands.
pub(super) const ALL: &str = "\
wechat: the whole backend of a WeChat Official Account (公众号)

usage: wechat [serve] [FLAG VALUE]...        the server
       wechat check [RULES]                  says what is wrong in a rules file, or lists its rules
       wechat verify                         makes WeChat's token check, and says why it fails
       wechat send [TEXT] [Field=Value]...   sends a message as WeChat would, and judges the answer
       wechat replay FILE...                 sends captured requests, and compares the answers
       wechat status                         says how the running server is
       wechat stop                           ends it, as soon as it has finished what is under way
       wechat rules                          prints a sample that shows every element of a rules file
       wechat unit                           prints the systemd unit
       wechat help [COMMAND] | --help | --version

flags of serve          environment             default
  --listen ADDR:PORT    WECHAT_LISTEN           127.0.0.1:8000; a listening socket as standard input is used instead
  --rules FILE          WECHAT_RULES            the embedded ones, which echo text
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token, else one made up for this run
  --app-id APPID        WECHAT_APP_ID           of the account, where messages are encrypted; wechat help serve
  --require-encryption  WECHAT_REQUIRE_ENCRYPTION=1
                                                plain messages are refused
  --path PATH           WECHAT_PATH             any path is served
  --max-age SECONDS     WECHAT_MAX_AGE          600; 0 accepts any timestamp
  --max-connections N   WECHAT_MAX_CONNECTIONS  1024
  --control PATH        WECHAT_CONTROL          $RUNTIME_DIRECTORY/control, else /run/wechat/control; of status and stop too

flags of verify, send and replay
  --url URL             WECHAT_URL              http://127.0.0.1:8000/
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token

exit status: 0 done, 1 failed, 2 wrong usage
";

/// Of one command.
pub(super) fn of(command: &str) -> Option<&'static str> {
    Some(match command {
        "serve" => SERVE,
        "check" => CHECK,
        "verify" => VERIFY,
        "send" => SEND,
        "replay" => REPLAY,
        "status" => STATUS,
        "stop" => STOP,
        "rules" => RULES,
        "unit" => UNIT,
        "help" => ALL,
        _ => return None,
    })
}

const SERVE: &str = "\
usage: wechat [serve] [FLAG VALUE]...

Answers WeChat: checks the signature of each request, and says what the rules file says. A changed
rules file counts within a second. Refusals are logged on standard error, a line each.

Encrypted messages (安全模式, 兼容模式) take a build with the feature secure, the appid, and the EncodingAESKey
as WECHAT_AES_KEY or the file aes-key in $CREDENTIALS_DIRECTORY. While WeChat changes over to a new token or
key, those of before are good too, as WECHAT_TOKEN_PREVIOUS and WECHAT_AES_KEY_PREVIOUS, or the files
token-previous and aes-key-previous.

flag                    environment             default
  --listen ADDR:PORT    WECHAT_LISTEN           127.0.0.1:8000; a listening socket as standard input is used instead
  --rules FILE          WECHAT_RULES            the embedded ones, which echo text
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token, else one made up for this run
  --app-id APPID        WECHAT_APP_ID           of the account, where there is an EncodingAESKey
  --require-encryption  WECHAT_REQUIRE_ENCRYPTION=1
                                                messages in plain mode (明文模式) are refused
  --path PATH           WECHAT_PATH             any path is served
  --max-age SECONDS     WECHAT_MAX_AGE          600: how far a timestamp may be off; 0 accepts any
  --max-connections N   WECHAT_MAX_CONNECTIONS  1024
  --control PATH        WECHAT_CONTROL          $RUNTIME_DIRECTORY/control, else /run/wechat/control: the socket of
                                                wechat status and wechat stop; without its directory there is none
";

const CHECK: &str = "\
usage: wechat check [RULES]

Reads a rules file: RULES, else that of WECHAT_RULES, else the embedded one. Prints each mistake as
file:line:column: message, and exits with 1; or a line for each rule.
";

const VERIFY: &str = "\
usage: wechat verify [--url URL] [--token-file FILE]

Makes WeChat's token check against any backend, and says what is wrong with the answer, if anything.
Then makes it with a wrong signature, which must not pass. Exits with 0 if WeChat would take the URL.

flag                    environment             default
  --url URL             WECHAT_URL              http://127.0.0.1:8000/
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token
";

const SEND: &str = "\
usage: wechat send [FLAG]... [TEXT] [Field=Value]...

Sends a message as WeChat would, and shows the answer and what WeChat would make of it. Exits with 0
if it would deliver it, or is asked to tell the user nothing.

  wechat send 你好
  wechat send Event=subscribe
  wechat send Event=CLICK EventKey=V1001_TODAY
  wechat send MsgType=image PicUrl=http://e/p.jpg MediaId=m1
  wechat send Event=scancode_waitmsg EventKey=k ScanCodeInfo/ScanResult=1

A TEXT is Content, Field=Value any element of the message; behind -- comes a text as it is. Filled in
where they are not given: ToUserName, FromUserName, CreateTime, MsgId, and MsgType (event where there
is an Event, text where there is a Content).

flag                    environment             default
  --url URL             WECHAT_URL              http://127.0.0.1:8000/
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token
  --from OPENID                                 oUser1: who sends it
  --tries                                       waits 5 s and sends it again, three times in all, as WeChat does
  --raw                                         prints the XML too, as sent and as answered
  --encrypted                                   sends it in safe mode (安全模式), and decrypts the answer
  --compatible                                  sends it in compatible mode (兼容模式)
  --app-id APPID        WECHAT_APP_ID           for these two, with the EncodingAESKey as WECHAT_AES_KEY
                                                or $CREDENTIALS_DIRECTORY/aes-key
";

const REPLAY: &str = "\
usage: wechat replay [FLAG]... FILE...

Sends captured requests byte for byte: each FILE, of a folder all NAME.request in it. Where there is a
NAME.response beside it, the answer must be the same, but for the values of Date and CreateTime. Exits
with 0 if all were answered so.

flag                    environment             default
  --url URL             WECHAT_URL              http://127.0.0.1:8000/
  --resign                                      signs each anew, with the timestamp of now and the token
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token; for --resign
";

const STATUS: &str = "\
usage: wechat status [--json] [--control PATH]

Asks the running server how it is: what it has answered since its start, what it has refused and why, how
long the last 1,024 answers took (programs and tries that wait included), and what goes on at this moment.

flag                    environment             default
  --json                                        the same as JSON, in one line; names of times end in their units
  --control PATH        WECHAT_CONTROL          $RUNTIME_DIRECTORY/control, else /run/wechat/control
";

const STOP: &str = "\
usage: wechat stop [--control PATH]

Ends the running server as soon as all is answered that has begun, WeChat's further tries of it included, in
15 seconds at most. Returns when it has ended.

flag                    environment             default
  --control PATH        WECHAT_CONTROL          $RUNTIME_DIRECTORY/control, else /run/wechat/control
";

const RULES: &str = "\
usage: wechat rules

Prints a rules file that shows every element once, to begin with: wechat rules > /etc/wechat/rules.xml
";

const UNIT: &str = "\
usage: wechat unit

Prints the systemd unit: wechat unit > /etc/systemd/system/wechat.service
";
