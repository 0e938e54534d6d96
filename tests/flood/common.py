"""Helpers of the programs in this folder: the server as a process, signed messages, and the result lines."""

import hashlib
import pathlib
import subprocess
import sys
import time

TOKEN = "hello2021"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def built():
    for folder in ("x86_64-unknown-linux-musl/release", "debug"):
        program = ROOT / "target" / folder / "wechat"
        if program.exists():
            return str(program)
    sys.exit("no program found; run cargo build first")


class Server:
    """A server on a free port."""

    def __init__(self, program, *flags):
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", *flags],
            env={"WECHAT_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def status(self, name):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])

    def end(self):
        self.process.kill()
        self.process.wait()


def request(number, text=None):
    """A request with a signed message with this text (by default the number). Each number is a different user."""
    timestamp, nonce = str(int(time.time())), f"flood{number}"
    signature = hashlib.sha1("".join(sorted([TOKEN, timestamp, nonce])).encode()).hexdigest()
    content = (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser{number}</FromUserName>"
        f"<CreateTime>{timestamp}</CreateTime><MsgType>text</MsgType><Content>{number if text is None else text}</Content>"
        f"<MsgId>{number}</MsgId></xml>"
    ).encode()
    head = (
        f"POST /wx?signature={signature}&timestamp={timestamp}&nonce={nonce} HTTP/1.1\r\nHost: a\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def answer(stream, message):
    """Sends the message and returns the response, which ends like a reply, like `success` or like a refusal."""
    stream.sendall(message)
    received = b""
    while not (b"\r\n0\r\n\r\n" in received or (b"Content-Length:" in received and received.endswith((b"success", b"\n")))):
        piece = stream.recv(65536)
        if not piece:
            return received
        received += piece
    return received


def finish(faults):
    for fault in faults:
        print(f"failed: {fault}")
    print("test result: FAILED. 0 passed; 1 failed" if faults else "test result: ok. 1 passed; 0 failed")
    sys.exit(bool(faults))
