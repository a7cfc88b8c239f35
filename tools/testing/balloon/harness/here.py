# SPDX-License-Identifier: GPL-2.0
"""
Suites that need no guest: the units in userspace under sanitizers, and the harness's own tests.
"""
import subprocess
import time
import unittest

from . import ktap
from .common import TESTS, require
from .guest import Report

DESCRIPTIONS = {
    "userspace": "the KUnit suites in userspace, under ASan and UBSan",
    "selftest": "the harness is shown what is wrong and must notice",
    "overlay": "scripts/overlay into small kernel trees and out again",
}
NAMES = tuple(DESCRIPTIONS)


def run(name):
    report = Report(name)
    started = time.monotonic()
    if name == "userspace":
        userspace(report)
    else:
        unittests(report, f"harness.{name}")
    report.seconds = time.monotonic() - started
    return report


def userspace(report):
    """What does not compile, or dies under a sanitizer, says so on standard error."""
    require("make")
    done = subprocess.run(["make", "-s", "-C", TESTS / "uspace", "run"], capture_output=True, text=True, check=False)
    report.results += ktap.parse(done.stdout.splitlines())
    why = next((line for line in done.stderr.splitlines() if "error" in line.lower()), done.stderr[-200:].strip())
    report.add(done.returncode == 0, f"suites end well {why}".strip())


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
