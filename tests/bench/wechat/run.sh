#!/bin/sh
# The static binary (DEPLOY says where it is, for who counts bytes) as one of several servers that a load harness starts, each on 127.0.0.1:$PORT with token $TOKEN.
cd "$(dirname "$0")/../../.." || exit 1
WECHAT_TOKEN=$TOKEN exec target/x86_64-unknown-linux-musl/release/wechat serve --listen "127.0.0.1:$PORT"
