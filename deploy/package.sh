#!/bin/sh
# Builds the Debian package: deploy/package.sh; needs Rust, and cargo-deb (cargo install cargo-deb). Prints the package's path last.
#
#   deploy/package.sh quick     the same from an unoptimised build, for tests
#   deploy/package.sh static    instead one static program without any library (musl): rustup target add x86_64-unknown-linux-musl;
#                               apt install musl-tools
#   deploy/package.sh container instead a folder with everything that deploy/Containerfile takes in: that program, this machine's
#                               certificate authorities, an empty state folder
set -eu
cd "$(dirname "$0")/.."

static=target/x86_64-unknown-linux-musl/release/annexd
profile=release folder=release
case ${1:-} in
static | container)
    cargo build --locked --release --target x86_64-unknown-linux-musl
    if [ "$1" = container ]; then
        rm -rf target/container
        mkdir -p target/container/program/etc/ssl/certs target/container/state/var/lib/annexd
        strip --strip-debug -o target/container/program/annexd "$static"
        cp /etc/ssl/certs/ca-certificates.crt target/container/program/etc/ssl/certs/
        mkdir -m 1777 target/container/program/tmp
        chmod 700 target/container/state/var/lib/annexd
        static=target/container
    fi
    echo "$static"
    exit 0
    ;;
quick) profile=dev folder=debug ;;
esac

cargo build --locked --profile "$profile"
rm -rf target/manual
"target/$folder/annexd" manual --out target/manual
for page in target/manual/man1/*.1; do gzip -9n "$page"; done
cargo deb --no-build --locked --profile "$profile"
