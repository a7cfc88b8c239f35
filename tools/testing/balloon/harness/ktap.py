# SPDX-License-Identifier: GPL-2.0
"""
Read KTAP (Documentation/dev-tools/ktap.rst) from a scenario or from the kernel's log, count it, print it again.
"""
import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^( *)(ok|not ok) \d+(?: -)? ?(.*)$")
PLAN = re.compile(r"^( *)1\.\.(\d+)")
TIMESTAMP = re.compile(r"^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ")
DIRECTIVE = re.compile(r" *# (SKIP|TODO)\b", re.I)


@dataclass
class Result:
    """One line of KTAP with the subtests that came before it."""
    passed: bool
    text: str
    children: list = field(default_factory=list)

    @property
    def skipped(self):
        return bool(DIRECTIVE.search(self.text))

    def leaves(self):
        """Cases: what has no subtests; a parent that failed on its own counts as well."""
        for child in self.children:
            yield from child.leaves()
        if not self.children or (not self.passed and all(c.passed for c in self.children)):
            yield self


def without_timestamp(line):
    return TIMESTAMP.sub("", line)


def parse(lines):
    """Results of a KTAP text at its outermost level; lines that are no KTAP are ignored."""
    parser = Parser()
    for line in lines:
        parser.line(line.rstrip())
    return parser.above(-1)


class Parser:
    """Keeps what is open at each indentation; a result closes the deeper levels and makes them its children."""

    def __init__(self):
        self.results = {}
        self.planned = {}

    def line(self, text):
        if match := RESULT.match(text):
            indent = len(match[1])
            children = self.above(indent)
            self.results.setdefault(indent, []).append(Result(match[2] == "ok", match[3], children))
        elif match := PLAN.match(text):
            self.plan(len(match[1]), int(match[2]))

    def plan(self, indent, number):
        """Suites that follow each other each have a plan of their own."""
        self.keep_plan(indent)
        self.planned[indent] = len(self.results.setdefault(indent, [])) + number

    def keep_plan(self, indent):
        """What was planned and did not come is a failure: the suite died."""
        done = self.results.get(indent, [])
        missing = self.planned.pop(indent, len(done)) - len(done)
        if missing > 0:
            self.results[indent].append(Result(False, f"{missing} planned results are missing"))

    def above(self, indent):
        """Close the levels deeper than @indent and return their results."""
        levels = sorted(level for level in self.results if level > indent)
        for level in levels:
            self.keep_plan(level)
        return [result for level in levels for result in self.results.pop(level)]


def kernel_log_results(lines):
    """Results of KUnit suites, which print to the kernel's log; only what follows a KTAP header counts."""
    plain = [without_timestamp(line) for line in lines]
    start = next((i for i, line in enumerate(plain) if re.match(r" *(KTAP|TAP) version", line)), len(plain))
    return parse(plain[start:])


def count(results):
    """(passed, failed, skipped) cases."""
    leaves = [leaf for result in results for leaf in result.leaves()]
    skipped = sum(leaf.skipped for leaf in leaves)
    failed = sum(not leaf.passed and not leaf.skipped for leaf in leaves)
    return len(leaves) - skipped - failed, failed, skipped


def render(results, indent="", name=None):
    """KTAP text of @results, numbered anew."""
    lines = [f"{indent}KTAP version 1"]
    if name:
        lines.append(f"{indent}# Subtest: {name}")
    lines.append(f"{indent}1..{len(results)}")
    for number, result in enumerate(results, 1):
        if result.children:
            lines += render(result.children, indent + "    ", result.text)
        lines.append(f"{indent}{'ok' if result.passed else 'not ok'} {number} {dashed(result.text)}")
    return lines


def dashed(text):
    return f"- {text}" if text else ""
