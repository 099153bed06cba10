#!/bin/sh
# Builds the Debian package: deploy/package.sh; needs Rust, and cargo-deb (cargo install cargo-deb). The result is target/debian/*.deb.
#
#   deploy/package.sh static    instead builds one static program without any library (musl): rustup target add
#                               x86_64-unknown-linux-musl; apt install musl-tools
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" = static ]; then
    cargo build --locked --release --target x86_64-unknown-linux-musl
    echo "target/x86_64-unknown-linux-musl/release/annexd"
    exit 0
fi

cargo build --locked --release
rm -rf target/manual
target/release/annexd manual --out target/manual
cargo deb --no-build --locked
