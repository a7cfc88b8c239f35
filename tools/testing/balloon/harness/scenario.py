# SPDX-License-Identifier: GPL-2.0
"""
A scenario is one shell script for the guest; "# key: value" lines in its leading comment are its options.
"""
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from .common import TESTS, HarnessError, description, read_options

SCENARIOS = TESTS / "scenarios"

DEFAULTS = {
    "kernels": "6.1 6.12 7.3",      # series that the scenario is for
    "mem": "1024",              # MiB
    "smp": "2",
    "driver": "ours",           # ours, stock or none: what "load_driver" loads
    "overlay": "0",             # 1: only for kernels with our code in them
    "requires": "",             # CONFIG_ options without which the kernel cannot run it, such as FAILSLAB
    "needs": "",                # further modules from build/<version>/ without which it cannot run
    "machine": "q35",           # QEMU's machine; on microvm the balloon is a virtio-mmio device
    "nodes": "1",               # NUMA nodes, each with an equal share of the memory and of the processors
    "balloons": "1",            # virtio balloon devices, 0 or 1 (QEMU refuses a second)
    "balloon-options": "",      # further properties of the device, as -device takes them, "driver" among them
    "disk": "0",                # MiB of an empty disk, /dev/vda
    "qemu-options": "",         # further arguments of QEMU
    "modules": "",              # further modules of the kernel's own that the guest has
    "selftests": "",            # the kernel's own test programs that the guest has, of tools/testing/selftests/mm
    "programs": "",             # programs that the guest has, with their libraries: of this machine, or balloonctl
    "kexec": "0",               # 1: the guest has its kernel and its initramfs in /kexec
    "hotplug": "0",             # 1: the device sits behind a root port and can be unplugged
    "target": "",               # MiB in the balloon before the guest's first instruction
    "append": "",               # further kernel command line
    "timeout": "120",           # seconds that QEMU may run or sleep, from the scenario's first line on: more is a hang
    "long": "0",                # 1: runs only when it is named, or with "run-tests --all"
    "minutes": "0",             # how long it goes on; "run-tests --minutes" changes what is given here
    "seed": "",                 # for scenarios of random steps; "run-tests --seed" changes what is given here
    # Regular expression: kernel messages that the scenario provokes on purpose. ktime_get_seconds: Linux 6.1 may warn
    # when it wakes, because it allocates memory before its clock runs.
    "expect": "",
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
        return description(self.path)

    def get(self, key):
        return self.options.get(key, DEFAULTS[key])

    def number(self, key):
        try:
            return int(self.get(key))
        except ValueError:
            raise HarnessError(f"{self.path}: {key}: {self.get(key)!r} is not a number") from None

    def mem(self, kernel):
        """MiB of the guest on @kernel."""
        return self.number("mem") + int(kernel.fragment.get("mem"))

    def smp(self, kernel):
        return int(kernel.fragment.get("smp") or self.number("smp"))

    def runs_on(self, kernel):
        wanted = any(fnmatch(self.name, glob) for glob in kernel.fragment.get("scenarios").split())
        wanted = wanted and (kernel.overlay or self.get("overlay") == "0")
        return (wanted and kernel.series in self.get("kernels").split() and
                all(kernel.has(option) for option in self.get("requires").split()))

    def needed_modules(self):
        """Patterns of modules that must be in the guest, else the scenario proves nothing."""
        ours = ["ours/balloon_compaction", "ours/virtio_balloon"] if self.get("driver") == "ours" else []
        return ours + self.get("needs").split()

    def environment(self, kernel):
        """The options that the guest's shell wants to know."""
        return (f"DRIVER={self.get('driver')}\nBALLOONS={self.get('balloons')}\nMEM_MIB={self.mem(kernel)}\n"
                f"SLOW={kernel.slow}\nMINUTES={self.get('minutes')}\nSEED={self.get('seed')}\n")


def load(path):
    return Scenario(path, read_options(path, DEFAULTS))


def load_all():
    return [load(path) for path in sorted(SCENARIOS.glob("*.sh"))]
