"""The machine, what is installed on it for the bench, and how figures are written."""

import os
import statistics
import subprocess
import sys
import time

BENCHES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(BENCHES)
PACKAGES = ["dovecot-imapd", "dovecot-lmtpd", "postfix", "postgresql", "isync", "openssl", "gcc", "libssl-dev", "python3", "python3-venv"]
# The scripts' libraries, in an environment of their own so that the versions are known.
LIBRARIES = ["openpyxl==3.1.5", "python-docx==1.2.0", "lxml==6.1.3", "python-calamine==0.9.1"]
PEERS = os.path.join(ROOT, "target/bench-peers")
PYTHON = os.path.join(PEERS, "bin/python3")
POLICY = "/usr/sbin/policy-rc.d"


def sh(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def install():
    missing = [name for name in PACKAGES if subprocess.run(["dpkg", "-s", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode]
    if missing:
        # Debian starts a service when its package is installed; the bench only wants the programs.
        forbids = not os.path.exists(POLICY)
        if forbids:
            with open(POLICY, "w") as file:
                file.write("#!/bin/sh\nexit 101\n")
            os.chmod(POLICY, 0o755)
        try:
            sh(["apt-get", "update", "-q"])
            sh(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        finally:
            if forbids:
                os.remove(POLICY)
    if not os.path.exists(PYTHON):
        sh(["/usr/bin/python3", "-m", "venv", PEERS])
    sh([PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *LIBRARIES])


def describe():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) // 1024 // 1024
    with open("/etc/os-release") as file:
        release = next(line.split('"')[1] for line in file if line.startswith("PRETTY_NAME"))
    return f"{os.cpu_count()} cores ({model}), {memory} GiB, {release}, Linux {os.uname().release}"


def first_line(command):
    return (sh(command).strip().splitlines() or [""])[0]


def versions():
    package = lambda name: first_line(["dpkg-query", "-W", "-f", "${Version}", name])
    postgres = first_line(["dpkg-query", "-W", "-f", "${Version}", "postgresql"]).split("+")[0]
    python = first_line([PYTHON, "--version"])
    return (f"Dovecot {package('dovecot-imapd')}, Postfix {package('postfix')}, PostgreSQL {postgres}, isync {package('isync')}, {python}, "
            + ", ".join(name.replace("==", " ") for name in LIBRARIES))


def annexd(binary, is_ours):
    """The version, with the commit where the binary was built here."""
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    return f"{first_line([binary, '--version'])} ({commit if is_ours else os.path.basename(binary)})"


def spread(values, digits=2):
    """Median (least–most), or the only value."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def mib(count):
    return f"{count / 2**20:.0f}"


def today():
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime())
