#!/bin/sh
# Starts the static binary for a load harness that compares several servers, on 127.0.0.1:$PORT with the token $TOKEN.
# The file DEPLOY contains the path of the binary, for a harness that compares sizes.
cd "$(dirname "$0")/../../.." || exit 1
WECHAT_TOKEN=$TOKEN exec target/x86_64-unknown-linux-musl/release/wechat serve --listen "127.0.0.1:$PORT"
