# SPDX-License-Identifier: GPL-2.0
"""
balloonctl, built with sanitizers, on fake trees of /sys and /proc.

	cd tools/testing/balloon && python3 -m unittest harness.balloonctl

Each NAME.tree of ../balloonctl has a NAME.session: commands, what they must say
("| "), errors ("! ") and exit codes ("= "). With UPDATE=1 in the environment the
sessions are written anew, to be read before they are committed. What no fixed text can show is tested below.
"""
import difflib
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from . import systree
from .common import BUILD, ROOT, TESTS

TREES = TESTS / "balloonctl"
TOOL = ROOT / "tools/balloon"
OUT = BUILD / "balloonctl-sanitized"
SANITIZE = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
CLOCK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b\d\d:\d\d:\d\d\b")


def setUpModule():
    done = subprocess.run(["make", "-s", "-C", TOOL, f"O={OUT}", f"CFLAGS={SANITIZE}", "VERSION=test", "all"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stdout)


def environment(**more):
    """What decides over the output, and nothing else of the caller's."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "exitcode=99",
            **more}


class Tree:
    """A tree for one test."""

    def __init__(self, test, name):
        keep = tempfile.TemporaryDirectory()        # pylint: disable=consider-using-with
        test.addCleanup(keep.cleanup)
        self.directory = Path(keep.name)
        # A user without rights looks at it, too.
        self.directory.chmod(0o755)
        if name:
            systree.make((TREES / f"{name}.tree").read_text(encoding="ascii"), self.directory, TREES)

    def __truediv__(self, path):
        return self.directory / path

    def command(self, *words):
        return [OUT / "balloonctl", "--sysroot", self.directory, *words]

    def run(self, *words, **options):
        env = environment(**options.pop("env", {}))
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False, env=env, timeout=120, **options)


def transcript(tree, line):
    """The lines of a session for a command: what it says, indented; errors; its exit code."""
    words = shlex.split(line)
    more = dict(word.split("=", 1) for word in words[:words.index("balloonctl")])
    done = tree.run(*words[words.index("balloonctl") + 1:], env=more)
    out = [f"| {text}".rstrip() for text in CLOCK.sub("CLOCK", done.stdout).splitlines()]
    errors = [f"! {text}" for text in done.stderr.replace(str(tree.directory), "").splitlines()]
    return [f"$ {line}", *out, *errors, f"= {done.returncode}"]


class Sessions(unittest.TestCase):
    def replay(self, name):
        session = TREES / f"{name}.session"
        wanted = session.read_text(encoding="ascii").splitlines()
        tree = Tree(self, name)
        found = []
        for line in wanted:
            if line.startswith("#") or not line:
                found.append(line)
            elif line.startswith("$ "):
                found += transcript(tree, line[2:])
        if os.environ.get("UPDATE"):
            session.write_text("".join(f"{line}\n" for line in found), encoding="ascii")
        elif found != wanted:
            self.fail("\n".join(list(difflib.unified_diff(wanted, found, lineterm="", n=1))[2:20]))


def add_sessions():
    for session in sorted(TREES.glob("*.session")):
        def test(self, name=session.stem):
            self.replay(name)
        setattr(Sessions, f"test_{session.stem}", test)


add_sessions()

if __name__ == "__main__":
    unittest.main()
