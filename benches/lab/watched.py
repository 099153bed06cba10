"""Processes under observation: time, CPU and memory of a command or a daemon with all its descendants."""

import os
import signal
import subprocess
import sys
import threading
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
# Seconds between two looks; every so manieth look asks for the proportional size too, which the kernel has to add up.
LOOK = 0.02
PROPORTIONAL = 5


def family(process):
    """The process and all its descendants, by their ids."""
    todo = [process]
    while todo:
        one = todo.pop()
        yield one
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/children") as file:
                    todo += [int(number) for number in file.read().split()]
        except OSError:
            continue


def cpu_s(process, of_ended=False):
    """CPU seconds of a process; with `of_ended`, those of its ended children too."""
    with open(f"/proc/{process}/stat") as file:
        stat = file.read().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in stat[11:15 if of_ended else 13]) / TICK


def family_cpu_s(process):
    """CPU seconds of a process and its descendants, ended or not."""
    total = 0
    for one in family(process):
        try:
            total += cpu_s(one, of_ended=True)
        except OSError:
            continue
    return total


def resident(process):
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * PAGE


def proportional(process):
    """Resident memory in which a page that several processes share counts once among them (PSS)."""
    with open(f"/proc/{process}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024


class Watched:
    """A command until its end: `wall`, `cpu_s`, and the largest sums of resident (`peak`) and proportional memory (`peak_once`) seen; `own`
    is the largest resident memory of the process itself, without those it began."""

    def __init__(self, command, log, **more):
        self.cpu, self.peak, self.peak_once, self.own, self.went = {}, 0, 0, 0, False
        began = time.monotonic()
        with open(log, "w") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **more)
        watcher = threading.Thread(target=self.watch, daemon=True)
        watcher.start()
        _, status, usage = os.wait4(self.child.pid, 0)
        self.wall = time.monotonic() - began
        self.status = os.waitstatus_to_exitcode(status)
        self.child.returncode = self.status
        self.went = True
        watcher.join()
        # The kernel's own account has what ran between two looks, but not the processes that nobody waited for.
        self.cpu_s = max(sum(self.cpu.values()), usage.ru_utime + usage.ru_stime)
        if self.status:
            with open(log) as file:
                sys.exit(f"{command[0]} ended with {self.status}:\n{file.read()[-3000:]}")

    def watch(self):
        looks = 0
        while not self.went:
            sums = [0, 0]
            for process in family(self.child.pid):
                try:
                    self.cpu[process] = cpu_s(process)
                    pages = resident(process)
                    sums[0] += pages
                    if process == self.child.pid:
                        self.own = max(self.own, pages)
                    if looks % PROPORTIONAL == 0:
                        sums[1] += proportional(process)
                except (OSError, StopIteration):
                    continue
            self.peak, self.peak_once = max(self.peak, sums[0]), max(self.peak_once, sums[1])
            looks += 1
            time.sleep(LOOK)


class Running:
    """A daemon until it is told to stop."""

    def __init__(self, command, log, **more):
        self.log = log
        with open(log, "w") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **more)

    def cpu_s(self):
        return family_cpu_s(self.child.pid)

    def says(self, words, within=30):
        """Waits until its log holds these words."""
        end = time.monotonic() + within
        while time.monotonic() < end and self.child.poll() is None:
            if words in self.said():
                return
            time.sleep(0.02)
        sys.exit(f"{self.child.args[0]} does not say “{words}”:\n{self.said()[-3000:]}")

    def said(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait()
