# SPDX-License-Identifier: GPL-2.0
"""
Boot guests whose balloon goes up and down, stock and ours in turns, and collect what each step cost.

A boot is a plain dictionary, as it goes into bench.json. What the figures are made of them is in bench_figures.py.
"""
import re
from pathlib import Path

from harness import guest, scenario
from harness.common import shown

from .measure import Round

SCRIPT = Path(__file__).with_name("bench.sh")
STEP = re.compile(r"# step (\d+) (\w+)$")
BUSY = re.compile(r"# busy (-?\d+) (\d+) (\d+)$")
REST = re.compile(r"# rest (\d+) (\d+)$")
VALUE = re.compile(r"# (allocator_\w+|slab|irqsoff|free|free_before|possible|fallback|compact_fail|killed|failed|oom_kill|works_first|works_tenth|kworker|anon|huge|stall) (-?\d+)$")
BETWEEN = re.compile(r"# between (.+)$")
PAGES_PER_MIB = 256
REPORTING = {"off": "", "on": "free-page-reporting=on,page-poison=on"}

# What boots of an experiment differ in: driver, free page reporting, order of what our driver takes at once.
VARIANTS = {
    "stock": ("stock", "off", 0),
    "stock, reporting": ("stock", "on", 0),
    "ours, single pages": ("ours", "off", 0),
    "ours": ("ours", "off", 9),
    "ours, reporting": ("ours", "on", 9),
}
PLAIN = ("stock", "ours, single pages", "ours")
REPORTED = ("stock, reporting", "ours, reporting")
UP_AND_DOWN = "64 0 256 0 1024 0 1024 0"

# name: what its boots differ in, the guest's options, and what the guest is told. Instructions are counted on one processor
# (icount); of the others the time is taken, so their steps are repeated. KFENCE patches the kernel ten times a second, which costs
# more instructions than a small balloon.
QUIET = "kfence.sample_interval=0"
COUNTED = {"icount": "1", "mem": "2000", "smp": "1", "append": f"init_on_alloc=0 {QUIET}"}
TIMED = {"icount": "0", "mem": "2000", "append": "init_on_alloc=0", "timeout": "900"}
TIMES = 5
HOLES = (1, 16, 256)    # pages in a row, of the holes that a balloon is scattered over
WHOLE = (100, 200, 300, 400)    # MiB, of balloons in 350 MiB of such holes
HUGE_BOOTS = 7
CYCLES = 200    # of a month
TIMED_STEPS = {"STEPS": " ".join(["1024 0"] * TIMES + ["use 1024 0"] * TIMES + ["use", "flap"]), "USED": 1500}
EXPERIMENTS = {
    "counted": (VARIANTS, COUNTED, {"STEPS": UP_AND_DOWN, "ALLOCATOR": 1}),
    "zeroed": (PLAIN, {**COUNTED, "append": f"init_on_alloc=1 {QUIET}"}, {"STEPS": "1024 0", "ALLOCATOR": 1}),
    "large": (PLAIN, {**COUNTED, "mem": "17600", "timeout": "900"}, {"STEPS": "64 0 4096 0 16384 0"}),
    "compacted": (("stock", "ours, single pages"), {**COUNTED, "mem": "1024", "timeout": "600"},
                  {"STEPS": " ".join(f"scatter{run} compact 0" for run in HOLES)}),
    **{f"unasked, holes of {run}": (("stock", "ours"), {**COUNTED, "mem": "1536", "timeout": "900"},
                                    {"STEPS": f"hold{run} " + " ".join(f"use whole{mib} 0" for mib in WHOLE[:-1]) + f" use whole{WHOLE[-1]} idle 0", "UNASKED": 1, "USED": 0})
       for run in HOLES},
    **{f"huge, boot {boot}": (("stock", "ours"), {"icount": "0", "mem": "1056", "selftests": "transhuge-stress compaction_test", "timeout": "300"},
                              {"STEPS": "huge", "UNASKED": 1}) for boot in range(1, HUGE_BOOTS + 1)},
    "swap": (("stock", "ours"), {"icount": "0", "mem": "1024", "disk": "1024", "timeout": "300"}, {"STEPS": "swap", "UNASKED": 1}),
    "timed, 2 vCPUs": (REPORTED, {**TIMED, "smp": "2"}, TIMED_STEPS),
    "timed, 1 vCPU": (REPORTED, {**TIMED, "smp": "1"}, TIMED_STEPS),
    "timed, 4 vCPUs": (REPORTED, {**TIMED, "smp": "4"}, TIMED_STEPS),
    "month": (("stock", "ours"), {**COUNTED, "mem": "1056", "disk": "1024", "timeout": "3000",
                                  "append": f"{COUNTED['append']} transparent_hugepage=always"},
              {"STEPS": " ".join(["cycle"] * CYCLES), "UNASKED": 1}),
    # On a kernel of its own, LATENCY_KERNEL.
    "latency": (PLAIN, {**COUNTED, "mem": "17600", "timeout": "900"},
                {"STEPS": "16384 0", "WATCH": 1}),
}
LATENCY_KERNEL = "latency"


def plan(experiment, variant):
    _, options, settings = EXPERIMENTS[experiment]
    driver, reporting, order = VARIANTS[variant]
    base = scenario.load(SCRIPT)
    options = {**base.options, **options, "driver": driver, "balloon-options": REPORTING[reporting]}
    settings = {**settings, "PIECES": order, "REST": 0 if is_timed(experiment) or experiment == "month" else 30}
    return Round(SCRIPT, options, label(experiment, variant), settings)


def label(*parts):
    return "-".join(["bench", *re.findall(r"\w+", " ".join(parts))])


def collector(values, steps):
    """A listener to the guest's lines: what it says before the first step is of the boot, then of a step."""
    def listen(line):
        if match := STEP.match(line):
            steps.append({"number": match[1], "what": match[2], "after": steps[-1]["what"] if steps else "0"})
        elif (match := BUSY.match(line)) and steps:
            steps[-1].update(pages=int(match[1]), run=int(match[2]), ns=int(match[3]))
        elif (match := REST.match(line)) and steps:
            steps[-1].update(rest_run=int(match[1]), share=int(match[2]))
        elif match := VALUE.match(line):
            (steps[-1] if steps else values)[match[1]] = int(match[2])
        elif (match := BETWEEN.match(line)) and steps:
            steps[-1]["between"] = match[1].split()
    return listen


def measure(kernel, experiment, variant):
    """One boot: a list of steps, and what went wrong."""
    values, steps = {}, []
    report = guest.run(plan(experiment, variant), kernel, collector(values, steps))
    for step in steps:
        before, after = (report.counts.get(step["number"] + end, {}) for end in ("", "end"))
        step["host"] = {key: after[key] - before[key] for key in after if key in before}
        step["most_in_kick"] = after.get("most_in_kick")
    return {
        "experiment": experiment, "variant": variant, "kernel": kernel.version, "seconds": round(report.seconds, 1), **values,
        "steps": [step for step in steps if step["host"] and "ns" in step],
        "problems": [result.text for result in report.results if not result.passed],
        "logs": str(shown(report.logs)) if report.logs else None,
        "ledger": sum(ledger["guest_only"] + ledger["host_only"] for ledger in report.ledgers),
        "ledgers": len(report.ledgers),
    }


def jobs(experiments):
    """Boots in turns, so that a busy machine hurts both drivers; those that are timed come last."""
    for name in sorted(experiments, key=is_timed):
        yield from ((name, variant) for variant in EXPERIMENTS[name][0])


def is_timed(experiment):
    return EXPERIMENTS[experiment][1]["icount"] == "0"
