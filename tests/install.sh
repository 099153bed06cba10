#!/bin/bash
# Installs the package into a clean Debian, sets it up against a mail system on loopback, runs mail through it, upgrades, removes and
# purges it, and holds that nothing is left behind. tests/install.rs calls it; it needs root and debootstrap.
#
#   tests/install.sh PACKAGE IMAP_PORT SMTP_PORT MAILBOX SECRET_FILE CA_FILE
#
# ANNEXD_CLEAN_ROOT names a folder that holds a clean Debian already; else one is fetched.
set -euo pipefail
package=$1 imap=$2 smtp=$3 mailbox=$4 secret=$5 ca=$6

work=$(mktemp -d)
root=$work/root
cleanup() {
    umount "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
# As the service does it: its own user, and a copy of the secret that systemd would hand over.
as_service() {
    chroot --userspec=annexd:annexd "$root" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 \
        ANNEXD__MAILBOX__PASSWORD_FILE=/run/annexd-credential ANNEXD__SMTP__PASSWORD_FILE=/run/annexd-credential \
        /usr/bin/annexd --config /etc/annexd/annexd.toml "$@"
}
# Everything that a package could leave; dpkg's own records, logs and caches aside.
listing() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./run -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./var/cache \
        -o -path ./etc/passwd- -o -path ./etc/group- -o -path ./etc/shadow- -o -path ./etc/gshadow- \) -prune -o -print | sort)
}

say "A clean Debian"
if [ -n "${ANNEXD_CLEAN_ROOT:-}" ]; then
    cp -a "$ANNEXD_CLEAN_ROOT" "$root"
else
    debootstrap --variant=minbase --include=adduser,ca-certificates bookworm "$root" http://deb.debian.org/debian >"$work/debootstrap.log" ||
        fail "debootstrap: $(tail -3 "$work/debootstrap.log")"
fi
mount -t proc proc "$root/proc"
listing >"$work/before"
cp "$root/etc/passwd" "$work/passwd.before"

say "Install"
cp "$package" "$root/tmp/annexd.deb"
inside dpkg -i /tmp/annexd.deb || fail "dpkg -i"
[ "$(stat -c '%a %U %G' "$root/var/lib/annexd" 2>/dev/null | cut -d' ' -f1)" = 700 ] || fail "/var/lib/annexd is not private"
[ "$(stat -c %a "$root/etc/annexd")" = 2750 ] || fail "/etc/annexd has mode $(stat -c %a "$root/etc/annexd")"
inside annexd --version
[ -e "$root/usr/lib/systemd/system/annexd.service" ] || [ -e "$root/lib/systemd/system/annexd.service" ] || fail "the unit is missing"

say "First hour"
cp "$secret" "$root/etc/annexd/imap.password" && chmod 600 "$root/etc/annexd/imap.password"
cp "$ca" "$root/etc/annexd/ca.pem" && chmod 644 "$root/etc/annexd/ca.pem"
inside annexd init --mailbox "$mailbox" --name 吉林省工信厅科技处 --admin admin@dept.example.cn --password-file /etc/annexd/imap.password \
    --imap "127.0.0.1:$imap" --smtp "127.0.0.1:$smtp" --ca-file /etc/annexd/ca.pem || fail "annexd init"
[ "$(stat -c '%a %G' "$root/etc/annexd/annexd.toml")" = "640 $(stat -c %G "$root/etc/annexd")" ] || fail "the configuration's mode"
# The lab's servers bear any pace.
sed -i 's/^provider = .*/provider = "generic"/' "$root/etc/annexd/annexd.toml"

say "A day of mail"
cp "$secret" "$root/run/annexd-credential" && chmod 644 "$root/run/annexd-credential"
as_service run 2>"$work/run.log" &
for _ in $(seq 120); do
    sleep 1
    as_service status --ready 2>/dev/null && [ "$(as_service export letters 2>/dev/null | grep -c '"kind":"ack".*"state":"sent"')" -ge 3 ] && break
done
topics=$(as_service export topics | wc -l)
[ "$topics" -gt 0 ] || fail "no topic was recorded: $(tail -5 "$work/run.log")"
as_service status
if inside annexd parked list 2>"$work/refused"; then fail "root was let at the service's data"; fi
grep -q runuser "$work/refused" || fail "the refusal names no way around"
pid=$(cat "$root/var/lib/annexd/annexd.lock")
kill -TERM "$pid"
wait || true

say "Upgrade"
dpkg-deb -R "$package" "$work/next"
sed -i 's/^Version: .*/Version: 9.0.0-1/' "$work/next/DEBIAN/control"
dpkg-deb -b "$work/next" "$root/tmp/next.deb" >/dev/null
inside dpkg -i /tmp/next.deb || fail "the upgrade"
[ "$(as_service export topics | wc -l)" = "$topics" ] || fail "topics were lost by the upgrade"

say "Remove"
inside dpkg -r annexd || fail "dpkg -r"
[ -e "$root/var/lib/annexd/annexd.db" ] && [ -e "$root/etc/annexd/annexd.toml" ] || fail "remove took data or configuration"

say "Purge"
inside dpkg -P annexd || fail "dpkg -P"
rm -f "$root/run/annexd-credential" "$root/tmp/annexd.deb" "$root/tmp/next.deb"
listing >"$work/after"
diff "$work/before" "$work/after" || fail "something was left behind"
diff "$work/passwd.before" "$root/etc/passwd" || fail "the user was left behind"
say "Nothing is left behind"
