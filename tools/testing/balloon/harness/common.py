# SPDX-License-Identifier: GPL-2.0
"""
Where things are, the one exception that users see, and running a program.

Everything that can be thrown away is under build/ (downloads, compiled guest programs) or out/ (logs).
"""
import errno
import fcntl
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager, suppress
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parents[2]
BUILD = ROOT / "build"
CACHE = BUILD / "cache"
OUT = ROOT / "out"

if re.search(r"\s", str(ROOT)):
    sys.exit(f"the kernel's build system cannot work in a directory whose path has a space: move {ROOT}")


class HarnessError(Exception):
    """Something that the user can mend; the text is one line and says what to do."""


def run(*argv, **kwargs):
    """Run a program and return its standard output; one line of error if it fails."""
    require(argv[0])
    env = dict(os.environ, LC_ALL="C")
    done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, env=env, check=False, **kwargs)
    if done.returncode:
        raise HarnessError(f"{Path(argv[0]).name}: {reason(done.stderr)}")
    return done.stdout


@contextmanager
def locked(directory):
    """One at a time, whoever it is, the others wait: for work on what is shared below @directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / ".lock", "w", encoding="ascii") as lock:
        if not try_lock(lock):
            print(f"another run works on {shown(directory)}/: waiting for its end", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def try_lock(lock):
    """A wait for another thread of ours is not worth a word: it is soon over."""
    for _ in range(50):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.1)
    return False


def shown(path):
    """A path for people, who are in the project's directory."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def sources():
    """Which sources these are: the commit, and whether they are still what was committed."""
    try:
        commit = run("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD").strip()
        return commit + (", with changes" if run("git", "-C", ROOT, "status", "--porcelain") else "")
    except HarnessError:
        return "unknown, not a git repository"


class Progress:
    """How far a run is."""

    def __init__(self, total):
        self.total, self.begun, self.ended, self.started = total, 0, 0, time.monotonic()

    def begin(self):
        """The next of all: "[ 3/18]"."""
        self.begun += 1
        return f"[{self.begun:{len(str(self.total))}}/{self.total}]"

    def end(self):
        self.ended += 1

    def left(self):
        """How long the rest takes, if it is like what was."""
        if not self.ended:
            return ""
        minutes = (time.monotonic() - self.started) / self.ended * (self.total - self.ended) / 60
        return f"about {minutes:.0f} min left" if minutes >= 1 else "less than a minute left"


def terminal_width():
    """Columns of the terminal; a log may be wide."""
    return shutil.get_terminal_size((120, 24)).columns


def table_line(title, columns, width):
    """The title, wrapped to @width, and right of its first line the columns."""
    first, *rest = textwrap.wrap(title, width, subsequent_indent="  ") or [""]
    return "\n".join([f"{first:{width}} {columns}".rstrip(), *rest])


def reason(stderr):
    """The line of an error output that names the cause, preferring a full disk to its consequences."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    full = [line for line in lines if "No space left" in line]
    if full:
        return disk_full_text()
    errors = [line for line in lines if line.startswith("E:") or "error" in line.lower()]
    return (errors or lines or ["failed without a message"])[0]


def disk_full_text():
    return f"no space left on device: free some and run again (downloads live in {CACHE})"


def as_harness_error(error):
    """An OSError in the words of a user."""
    if error.errno == errno.ENOSPC:
        return HarnessError(disk_full_text())
    return HarnessError(str(error))


def leading_comment(path):
    """The lines at the beginning of a file that start with "#"."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        yield line


def option(line):
    return re.fullmatch(r"# ([a-z-]+): *(.*?) *", line)


def read_options(path, known):
    """The "# key: value" lines of a file's leading comment. An unknown key is an error, not a silent no."""
    options = {}
    for match in filter(None, map(option, leading_comment(path))):
        if match[1] not in known:
            raise HarnessError(f"{path}: unknown option {match[1]!r}; known: {' '.join(known)}")
        options[match[1]] = match[2]
    return options


def description(path):
    """The first line of prose in a file's leading comment."""
    prose = (line[2:] for line in leading_comment(path) if line.startswith("# ") and not option(line))
    return next((line for line in prose if "SPDX" not in line and not line.startswith("CONFIG_")), "")


PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "gcc": "gcc libc6-dev",
    "xz": "xz-utils",
    "powerpc64le-linux-gnu-gcc": "gcc-powerpc64le-linux-gnu",
    "apt-get": "apt",
    "apt-cache": "apt",
    "setpriv": "util-linux",
}


def require(program):
    """The path of a program, or an error that names its Debian package."""
    found = shutil.which(str(program))
    if not found:
        package = PACKAGES.get(str(program), program)
        raise HarnessError(f"{program} is missing: apt-get install {package}")
    return found
