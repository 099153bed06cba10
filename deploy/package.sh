#!/bin/sh
# Builds the Debian package: deploy/package.sh; needs Rust, and cargo-deb (cargo install cargo-deb). Prints the package's path last.
#
#   deploy/package.sh quick     the same from an unoptimised build, for tests
#   deploy/package.sh static    instead one static program without any library (musl): rustup target add x86_64-unknown-linux-musl;
#                               apt install musl-tools
set -eu
cd "$(dirname "$0")/.."

profile=release folder=release
case ${1:-} in
static)
    cargo build --locked --release --target x86_64-unknown-linux-musl
    echo "target/x86_64-unknown-linux-musl/release/annexd"
    exit 0
    ;;
quick) profile=dev folder=debug ;;
esac

cargo build --locked --profile "$profile"
rm -rf target/manual
"target/$folder/annexd" manual --out target/manual
for page in target/manual/man1/*.1; do gzip -9n "$page"; done
cargo deb --no-build --locked --profile "$profile"
