# SPDX-License-Identifier: GPL-2.0
"""
A scenario is one shell script for the guest; "# key: value" lines in its leading comment are its options.

An unknown key is an error, so that a typing mistake cannot silently turn a check off.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

from .common import TESTS, HarnessError

SCENARIOS = TESTS / "scenarios"

DEFAULTS = {
    "kernels": "6.1 6.12",      # series that the scenario is for
    "mem": "1024",              # MiB
    "smp": "2",
    "driver": "ours",           # ours, stock or none: what "load_driver" loads
    "needs": "",                # further modules from build/<version>/ without which it cannot run
    "balloons": "1",            # virtio balloon devices, 0 or 1 (QEMU refuses a second)
    "balloon-options": "",      # further properties of the device, as -device takes them
    "hotplug": "0",             # 1: the device sits behind a root port and can be unplugged
    "target": "",               # MiB in the balloon before the guest's first instruction
    "append": "",               # further kernel command line
    "timeout": "60",            # seconds of wall clock from the scenario's first line to the end of QEMU
    "expect": "",               # regular expression: kernel messages that the scenario provokes on purpose
    "icount": "0",              # 1: one virtual nanosecond per guest instruction, bit-reproducible
    "trace": "",                # further QEMU trace events
}


@dataclass
class Scenario:
    path: Path
    options: dict = field(default_factory=dict)

    @property
    def name(self):
        return self.path.stem

    @property
    def description(self):
        """The first line of prose in the leading comment."""
        lines = leading_comment(self.path)
        prose = (line[2:] for line in lines if line.startswith("# ") and not option(line))
        return next((line for line in prose if "SPDX" not in line), "")

    def get(self, key):
        return self.options.get(key, DEFAULTS[key])

    def number(self, key):
        try:
            return int(self.get(key))
        except ValueError:
            raise HarnessError(f"{self.path}: {key}: {self.get(key)!r} is not a number") from None

    def runs_on(self, kernel):
        return kernel.series in self.get("kernels").split()

    def needed_modules(self):
        """Patterns of modules that must be in the guest, else the scenario proves nothing."""
        ours = ["ours/balloon_compaction", "ours/virtio_balloon"] if self.get("driver") == "ours" else []
        return ours + self.get("needs").split()

    def environment(self):
        """The options that the guest's shell wants to know."""
        return f"DRIVER={self.get('driver')}\nBALLOONS={self.get('balloons')}\nMEM_MIB={self.get('mem')}\n"


def leading_comment(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        yield line


def option(line):
    return re.fullmatch(r"# ([a-z-]+): *(.*?) *", line)


def load(path):
    scenario = Scenario(path)
    for match in filter(None, map(option, leading_comment(path))):
        if match[1] not in DEFAULTS:
            raise HarnessError(f"{path}: unknown option {match[1]!r}; known: {' '.join(DEFAULTS)}")
        scenario.options[match[1]] = match[2]
    return scenario


def load_all():
    return [load(path) for path in sorted(SCENARIOS.glob("*.sh"))]
