# SPDX-License-Identifier: GPL-2.0
"""
What needs no guest: the units in userspace under sanitizers and in User Mode Linux, and the tests of our own tools.
"""
import os
import re
import subprocess
import sys
import time
import unittest

from . import ktap
from .common import BUILD, TESTS, require
from .guest import Report, complaints

DESCRIPTIONS = {
    "userspace": "the KUnit suites in userspace, under ASan and UBSan",
    "uml": "the KUnit suites under the kernel's own KUnit, in User Mode Linux",
    "selftest": "the harness is shown what is wrong and must notice",
    "overlay": "scripts/overlay into small kernel trees and out again",
    "balloonctl": "the administrator's tool on fake trees of /sys and /proc, under ASan and UBSan",
}
NAMES = tuple(DESCRIPTIONS)


def run(name):
    report = Report(name)
    started = time.monotonic()
    if name in SUITES:
        SUITES[name](report)
    else:
        unittests(report, f"harness.{name}")
    report.seconds = time.monotonic() - started
    return report


def userspace(report):
    """What does not compile, or dies under a sanitizer, says so on standard error."""
    require("make")
    done = subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "-C", TESTS / "uspace", "run"],
                          capture_output=True, text=True, check=False)
    report.results += ktap.parse(done.stdout.splitlines())
    report.add(done.returncode == 0, f"suites end well {why(done.stderr)}".strip())


def uml(report):
    """The kernel is built and run by its own kunit.py, which leaves the kernel's log behind."""
    require("make")
    out = BUILD / "uml"
    if not (out / "linux").exists():
        print("uml: building the kernel, some minutes the first time", file=sys.stderr)
    log = out / "test.log"
    log.unlink(missing_ok=True)
    done = subprocess.run([TESTS / "run-kunit"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if not log.exists():
        report.add(False, f"no kernel ran: {why(done.stdout)}")
        return
    report.logs = log
    lines = log.read_text(errors="replace").splitlines()
    report.results += ktap.kernel_log_results(lines)
    found = complaints(lines, None)
    report.add(not found, "kernel log is clean" if not found else f"kernel log: {found[0]}")
    report.add(done.returncode == 0, "suites end well")


def why(output):
    """The line of a tool's output that says what is wrong: the compiler's, before that of whatever called it."""
    lines = output.splitlines()
    errors = (line for line in lines if re.search("(error|ERROR): ", line))
    return next(errors, lines[-1].strip() if lines else "")


SUITES = {"userspace": userspace, "uml": uml}


class Recorder(unittest.TestResult):
    """Turns each test into a line of KTAP."""

    def __init__(self, report):
        super().__init__()
        self.report = report

    def addSuccess(self, test):
        self.report.add(True, test.id())

    def addFailure(self, test, err):
        self.report.add(False, f"{test.id()}: {err[1]}")

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(subtest, err)

    def addSkip(self, test, reason):
        self.report.add(True, f"{test.id()} # SKIP {reason}")


def unittests(report, module):
    unittest.defaultTestLoader.loadTestsFromName(module).run(Recorder(report))
