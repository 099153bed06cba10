#!/bin/bash
# Installs the package into a clean Debian under a systemd of its own, sets it up against a mail system on loopback, runs mail through
# the service, upgrades, removes and purges it, and holds that nothing is left behind. tests/install.rs calls it; it needs root,
# debootstrap and systemd-nspawn.
#
#   tests/install.sh PACKAGE IMAP_PORT SMTP_PORT MAILBOX SECRET_FILE CA_FILE
#
# ANNEXD_CLEAN_ROOT names a folder that holds a clean Debian with systemd already; else one is fetched.
set -euo pipefail
package=$1 imap=$2 smtp=$3 mailbox=$4 secret=$5 ca=$6

work=$(mktemp -d)
root=$work/root
manager=
cleanup() {
    [ -z "$manager" ] || halt
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# The machine inside: systemd as its first process, the network of this one. It knows no machine manager outside.
boot() {
    systemd-nspawn --quiet --register=no --keep-unit --console=pipe -D "$root" --boot >"$work/boot.log" 2>&1 </dev/null &
    local outside=$!
    for _ in $(seq 60); do
        sleep 1
        manager=$(pgrep -P "$outside" || true)
        # A unit of the Debian inside that fails here (degraded) does not matter.
        case $([ -z "$manager" ] || inside systemctl is-system-running 2>/dev/null) in running | degraded) return 0 ;; esac
    done
    fail "the machine inside did not start: $(tail -20 "$work/boot.log")"
}
halt() {
    kill -s RTMIN+4 "$manager" 2>/dev/null || true
    for _ in $(seq 30); do kill -0 "$manager" 2>/dev/null || break; sleep 1; done
    manager=
    wait || true
}
inside() { nsenter --target "$manager" --mount --uts --ipc --pid --root --wd -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
# As the unit's user, for commands that look at the service's data.
as_service() { inside runuser -u annexd -- annexd --config /etc/annexd/annexd.toml "$@"; }
journal() { inside journalctl -u annexd --no-pager -n 30 -o cat; }
# Everything that a package could leave; dpkg's own records, logs and caches aside.
listing() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/tmp -o -path ./var/lib/dpkg \
        -o -path ./var/lib/systemd -o -path ./var/log -o -path ./var/cache -o -path ./root -o -path ./etc/passwd- -o -path ./etc/group- \
        -o -path ./etc/shadow- -o -path ./etc/gshadow- \) -prune -o -print | sort)
}

say "A clean Debian"
if [ -n "${ANNEXD_CLEAN_ROOT:-}" ]; then
    cp -a "$ANNEXD_CLEAN_ROOT" "$root"
else
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,adduser,ca-certificates bookworm "$root" http://deb.debian.org/debian \
        >"$work/debootstrap.log" || fail "debootstrap: $(tail -3 "$work/debootstrap.log")"
fi
boot
listing >"$work/before"
cp "$root/etc/passwd" "$work/passwd.before"

say "Install"
cp "$package" "$root/root/annexd.deb"
inside dpkg -i /root/annexd.deb || fail "dpkg -i"
[ "$(stat -c '%a' "$root/var/lib/annexd")" = 700 ] || fail "/var/lib/annexd is not private"
[ "$(stat -c %a "$root/etc/annexd")" = 2750 ] || fail "/etc/annexd has mode $(stat -c %a "$root/etc/annexd")"
inside annexd --version
[ "$(inside systemctl is-enabled annexd || true)" = disabled ] || fail "a service without a configuration must not be enabled"

say "Started too early, it says what is missing and is not started again"
if inside systemctl start annexd 2>/dev/null; then fail "it started without a configuration"; fi
sleep 1
[ "$(inside systemctl is-active annexd || true)" = failed ] || fail "it is started again and again: $(journal)"
inside systemctl reset-failed annexd || true

say "First hour"
install -m 600 "$secret" "$root/etc/annexd/imap.password"
install -m 644 "$ca" "$root/etc/annexd/ca.pem"
inside annexd init --mailbox "$mailbox" --name 吉林省工信厅科技处 --admin admin@dept.example.cn --password-file /etc/annexd/imap.password \
    --imap "127.0.0.1:$imap" --smtp "127.0.0.1:$smtp" --ca-file /etc/annexd/ca.pem || fail "annexd init"
[ "$(stat -c '%a %G' "$root/etc/annexd/annexd.toml")" = "640 $(stat -c %G "$root/etc/annexd")" ] || fail "the configuration's mode"
# The lab's servers bear any pace.
sed -i 's/^provider = .*/provider = "generic"/' "$root/etc/annexd/annexd.toml"

say "A day of mail"
inside systemctl enable --now annexd || fail "systemctl start: $(journal)"
[ "$(inside systemctl is-active annexd)" = active ] || fail "not running: $(journal)"
for _ in $(seq 120); do
    sleep 1
    as_service status --ready >/dev/null 2>&1 && [ "$(as_service export letters 2>/dev/null | grep -c '"kind":"ack".*"state":"sent"')" -ge 3 ] && break
done
topics=$(as_service export topics | wc -l)
[ "$topics" -gt 0 ] || fail "no topic was recorded: $(journal)"
as_service status
if inside annexd parked list 2>"$work/refused"; then fail "root was let at the service's data"; fi
grep -q runuser "$work/refused" || fail "the refusal names no way around"
# What the unit promises: the secret is a copy that only this service sees, and stays readable by root alone.
[ "$(stat -c '%a %u' "$root/etc/annexd/imap.password")" = "600 0" ] || fail "the secret's mode"
if as_service check >"$work/check" 2>&1; then :; fi
main=$(inside systemctl show annexd -p MainPID --value)
inside test -e "/proc/$main" || fail "no main process"
[ "$(inside sh -c "tr '\\0' '\\n' </proc/$main/environ" | grep -c "^CREDENTIALS_DIRECTORY=/run/credentials/annexd.service$")" = 1 ] || fail "no credentials were handed over"
inside grep -q '^NoNewPrivs:.1' "/proc/$main/status" || fail "new privileges are possible"
inside grep -q '^Seccomp:.2' "/proc/$main/status" || fail "no call filter"

say "A log for machines"
inside journalctl -u annexd --no-pager -o cat | grep -q '^{.*"message"' || fail "the journal has no JSON: $(journal)"
if inside journalctl -u annexd --no-pager -o cat | grep -qF "$(cat "$secret")"; then fail "the secret stands in the log"; fi

say "Reload, kill, watchdog"
inside systemctl reload annexd || fail "systemctl reload"
[ "$(inside systemctl show annexd -p MainPID --value)" = "$main" ] || fail "a reload made a new process"
inside systemctl kill -s KILL annexd
for _ in $(seq 40); do
    sleep 1
    [ "$(inside systemctl show annexd -p ActiveState --value)" = active ] && break
done
[ "$(inside systemctl show annexd -p NRestarts --value)" -ge 1 ] || fail "it was not started again after a kill: $(journal)"
main=$(inside systemctl show annexd -p MainPID --value)
# A daemon that hangs is ended by the watchdog. The unit's 90 s are too long to wait for.
inside mkdir -p /run/systemd/system/annexd.service.d
printf '[Service]\nWatchdogSec=6s\nRestartSec=1s\n' >"$root/root/watchdog.conf"
inside cp /root/watchdog.conf /run/systemd/system/annexd.service.d/watchdog.conf
inside systemctl daemon-reload
inside systemctl restart annexd
main=$(inside systemctl show annexd -p MainPID --value)
inside sh -c "kill -STOP $main"
for _ in $(seq 40); do
    sleep 1
    now=$(inside systemctl show annexd -p MainPID --value)
    [ "$now" != "$main" ] && [ "$now" != 0 ] && break
done
[ "$now" != "$main" ] && [ "$now" != 0 ] || fail "the watchdog let a hanging daemon be: $(journal)"
inside rm -r /run/systemd/system/annexd.service.d
inside systemctl daemon-reload

say "Upgrade"
dpkg-deb -R "$package" "$work/next"
sed -i 's/^Version: .*/Version: 9.0.0-1/' "$work/next/DEBIAN/control"
dpkg-deb -b "$work/next" "$root/root/next.deb" >/dev/null
before=$(inside systemctl show annexd -p MainPID --value)
inside dpkg -i /root/next.deb || fail "the upgrade"
[ "$(inside systemctl show annexd -p ActiveState --value)" = active ] || fail "the service did not come back after the upgrade: $(journal)"
[ "$(inside systemctl show annexd -p MainPID --value)" != "$before" ] || fail "the old program still runs"
[ "$(as_service export topics | wc -l)" = "$topics" ] || fail "topics were lost by the upgrade"

say "Remove"
inside dpkg -r annexd || fail "dpkg -r"
[ "$(inside systemctl show annexd -p ActiveState --value)" = inactive ] || fail "the service runs on without its program"
[ -e "$root/var/lib/annexd/annexd.db" ] && [ -e "$root/etc/annexd/annexd.toml" ] || fail "remove took data or configuration"

say "Purge"
inside dpkg -P annexd || fail "dpkg -P"
halt
listing >"$work/after"
diff "$work/before" "$work/after" || fail "something was left behind"
diff "$work/passwd.before" "$root/etc/passwd" || fail "the user was left behind"
say "Nothing is left behind"
