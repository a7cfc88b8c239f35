# SPDX-License-Identifier: GPL-2.0
"""
Coverage of our sources by everything that ran on a kernel that measures it.

Each boot leaves an archive of counters (gcov's .gcda files) in out/coverage/. They are added up and laid beside the
objects that they belong to, where gcovr finds them.
"""
import base64
import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass

from .common import BUILD, OUT, ROOT, TESTS, HarnessError, require, run

KEPT = OUT / "coverage"
REASONS = TESTS / "uncovered"
MEASURED = ("mm/balloon", "drivers/virtio/", "drivers/misc/null_balloon.c")


def path(scenario, kernel):
    return KEPT / kernel.version / f"{scenario.name}.tar.gz"


def keep(archive, text):
    """Put by a boot's counters, as the guest has sent them; none if it died too early to have any."""
    if not text:
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(base64.b64decode(text))


def measure(kernel):
    """Returns gcovr's findings: a list of files, each with its lines."""
    kept = KEPT / kernel.version
    archives = sorted(kept.glob("*.tar.gz"))
    if not archives:
        raise HarnessError(f"no boot of {kernel.version} has left counters in {kept.relative_to(ROOT)}")
    objects = BUILD / kernel.version / "obj"
    for old in objects.rglob("*.gcda"):
        old.unlink()
    total = kept / "total"
    shutil.rmtree(total, ignore_errors=True)
    for archive in archives:
        add(archive, total)
    for counters in total.rglob("*.gcda"):
        shutil.copy(counters, objects / str(counters.relative_to(total)).split(f"{kernel.version}/obj/", 1)[1])
    return [file for file in gcovr(objects) if file["file"].startswith(MEASURED)]


def add(archive, total):
    """Add the counters of one boot to those of the boots before."""
    fresh = total.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(fresh)
    if not total.exists():
        fresh.rename(total)
        return
    run("gcov-tool-12", "merge", "-o", total.with_name("sum"), total, fresh)
    shutil.rmtree(total)
    total.with_name("sum").rename(total)


def gcovr(objects):
    command = [require("gcovr"), "--root", objects, "--gcov-executable", "gcov-12", "--json", "-", objects]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"gcovr: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)["files"]


def report(files):
    """Print a table, then each line that nothing ran, with the reason. Returns the percentage of lines."""
    print(f"{'file':36} {'lines':>11} {'branches':>19}")
    total = Tally()
    for file in files:
        tally = Tally.of(file)
        total += tally
        print(f"{file['file']:36} {tally}")
    print(f"{'all':36} {total}\n")
    why = reasons()
    for file in files:
        text = (ROOT / file["file"]).read_text().splitlines()
        for line in (line for line in code_lines(file) if not line["count"]):
            show(file["file"], line["line_number"], text[line["line_number"] - 1].strip(), why)
    for path, code, _ in (known for known in why if known not in used):
        print(f"uncovered: {path}: {code}: is covered or gone, take it out of the list")
    return total.percent()


def code_lines(file):
    return [line for line in file["lines"] if not line.get("gcovr/noncode")]


def show(path, number, code, why):
    known = next((known for known in why if known[0] == path and known[1] in code), None)
    used.add(known)
    print(f"{path}:{number}: {code}\n\t{known[2] if known else 'NO REASON GIVEN'}")


used = set()


def reasons():
    """Lines "path: code: reason" of the file of what cannot be run, or not with sense."""
    lines = (line for line in REASONS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return [tuple(part.strip() for part in re.split(r"\s*\|\s*", line, maxsplit=2)) for line in lines]


@dataclass
class Tally:
    lines: int = 0
    hit: int = 0
    branches: int = 0
    taken: int = 0

    @classmethod
    def of(cls, file):
        lines = code_lines(file)
        branches = [branch for line in lines for branch in line["branches"] if not branch.get("throw")]
        return cls(len(lines), sum(line["count"] > 0 for line in lines),
                   len(branches), sum(branch["count"] > 0 for branch in branches))

    def __add__(self, other):
        return Tally(self.lines + other.lines, self.hit + other.hit,
                     self.branches + other.branches, self.taken + other.taken)

    def percent(self):
        return 100 * self.hit / max(1, self.lines)

    def __str__(self):
        branches = 100 * self.taken / max(1, self.branches)
        return f"{self.hit:4}/{self.lines:<4} {self.percent():5.1f} % {self.taken:5}/{self.branches:<5} {branches:5.1f} %"
