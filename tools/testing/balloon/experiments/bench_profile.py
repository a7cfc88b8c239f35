# SPDX-License-Identifier: GPL-2.0
"""
Of which functions a figure is made: QEMU logs the address of each instruction that the guest executes.

The kernel's instructions count from one context switch to the next if the balloon's driver was among them and no program was:
that leaves out the program that waits, and what else the guest does. Compaction runs on behalf of a program.
"""
import bisect
import os
import re
import socket
import tempfile
import threading
from collections import Counter
from pathlib import Path

from harness import guest, scenario

from . import bench
from .bench import label
from .measure import Round

SCRIPT = Path(__file__).with_name("bench_profile.sh")
SYMBOL = re.compile(r"# symbol ([0-9a-f]+) (\S+)(?:\s+\[(\w+)\])?$")
PROFILE = re.compile(r"# profile (\w+)(?: (\d+))?$")
MODULES = ("virtio_balloon", "balloon_compaction")
SWITCH = "__switch_to_asm"
KERNEL = 1 << 63
VARIANTS = ("stock", "ours, single pages", "ours")
STEPS = ("inflate", "deflate", "migrate", "compact")
PROMPT = b"(qemu) "
END_SECONDS = 120


class Symbols:
    """Functions of the guest's kernel and its modules by address."""

    def __init__(self):
        self.names, self.addresses, self.driver = {}, [], []

    def add(self, address, name, module):
        self.names[address] = name
        if module in MODULES:
            self.driver.append(address)

    def finish(self):
        self.addresses = sorted(self.names)

    def at(self, address):
        return self.names[self.addresses[max(0, bisect.bisect_right(self.addresses, address) - 1)]]

    def address(self, wanted):
        return next(address for address, name in self.names.items() if name == wanted)


def count(lines, symbols, programs=False):
    """Instructions by address, of those runs of a task that were the balloon's, and of a program's only if @programs."""
    switch, low, high = symbols.address(SWITCH), min(symbols.driver), max(symbols.driver)
    counted, run, is_ours, program = Counter(), Counter(), False, False
    for line in lines:
        if not line.startswith(b"Trace "):
            continue
        address = int(line.split(b"/", 2)[1], 16)
        if address == switch:
            if is_ours and (programs or not program):
                counted.update(run)
            run, is_ours, program = Counter(), False, False
        if address < KERNEL:
            program = True
        else:
            run[address] += 1
            is_ours = is_ours or low <= address <= high
    return counted


class Profiler:
    """Listens to the guest; while it says so, reads QEMU's log through a pipe."""

    def __init__(self, directory):
        self.monitor, self.pipe = f"{directory}/monitor", f"{directory}/log"
        self.symbols, self.reader = Symbols(), None
        self.counted, self.pages = {}, {}
        os.mkfifo(self.pipe)

    def listen(self, line):
        if match := SYMBOL.match(line):
            self.symbols.add(int(match[1], 16), match[2], match[3])
        elif (match := PROFILE.match(line)) and match[1] == "end":
            self.command("log none", "singlestep off", "logfile /dev/null")
            self.reader.join(END_SECONDS)
            self.pages[self.reader.name] = int(match[2])
        elif match:
            self.symbols.finish()
            self.reader = threading.Thread(target=self.read, args=[match[1]], name=match[1], daemon=True)
            self.reader.start()
            self.command(f"logfile {self.pipe}", "singlestep on", "log exec,nochain")

    def read(self, name):
        with open(self.pipe, "rb") as lines:
            addresses = count(lines, self.symbols, programs=name in ("migrate", "compact"))
        by_name = Counter()
        for address, number in addresses.items():
            by_name[self.symbols.at(address)] += number
        self.counted[name] = by_name

    def command(self, *lines):
        """Returns when all have been obeyed: a prompt comes first and after each."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.monitor)
            client.sendall("".join(f"{line}\n" for line in lines).encode())
            seen = b""
            while seen.count(PROMPT) <= len(lines) and (data := client.recv(4096)):
                seen += data


def measure(kernel, variant):
    """Instructions by step and function, pages by step, and what went wrong."""
    driver, _, order = bench.VARIANTS[variant]
    with tempfile.TemporaryDirectory(prefix="balloon-") as directory:
        profiler = Profiler(directory)
        base = scenario.load(SCRIPT)
        options = {**base.options, "driver": driver, "qemu-options": f"-monitor unix:{profiler.monitor},server=on,wait=off"}
        report = guest.run(Round(SCRIPT, options, label("profile", variant), {"PIECES": order}), kernel, profiler.listen)
    return profiler.counted, profiler.pages, [result.text for result in report.results if not result.passed]


def show(variant, counted, pages, lines):
    for name in STEPS:
        functions, nr_pages = counted.get(name), pages.get(name)
        if not functions or not nr_pages:
            print(f"\n{variant}, {name}: not measured")
            continue
        total = sum(functions.values())
        print(f"\n{variant}, {name}: {total / nr_pages:.1f} instructions for each of {nr_pages} pages")
        for function, number in functions.most_common(lines):
            print(f"  {number / nr_pages:10.2f} {100 * number / total:5.1f} %  {function}")
