# SPDX-License-Identifier: GPL-2.0
"""
Boot guests whose balloon goes up and down, stock and ours in turns, and collect what each step cost.

A boot is a plain dictionary, as it goes into bench.json; so is a figure, see figure().
"""
import re
from pathlib import Path

from harness import guest, scenario

from .compare import middle
from .measure import Round

SCRIPT = Path(__file__).with_name("bench.sh")
STEP = re.compile(r"# step (\d+)$")
BUSY = re.compile(r"# busy (-?\d+) (\d+) (\d+)$")
PAGES_PER_GIB = 1 << 18
REPORTING = {"off": "", "on": "free-page-reporting=on,page-poison=on"}
GIB_STEPS = "64 0 1024 0 1024 0"

# name: what the guest is and does. "exact" ones count instructions, one processor, nothing touched.
EXPERIMENTS = {
    "exact": {"icount": "1", "mem": "2000", "smp": "1", "STEPS": GIB_STEPS, "TOUCHED": 0},
    "touched": {"icount": "0", "mem": "2000", "smp": "2", "STEPS": "1024 0", "TOUCHED": 1200},
}
# What boots of an experiment differ in: driver, free page reporting, order of what our driver takes at once.
VARIANTS = {
    "stock": ("stock", "off", 0),
    "stock, reporting": ("stock", "on", 0),
    "ours, single pages": ("ours", "off", 0),
    "ours": ("ours", "off", 9),
    "ours, reporting": ("ours", "on", 9),
}


def plan(experiment, variant):
    base, wanted = scenario.load(SCRIPT), dict(EXPERIMENTS[experiment])
    driver, reporting, order = VARIANTS[variant]
    settings = {"STEPS": wanted.pop("STEPS"), "TOUCHED": wanted.pop("TOUCHED"), "PIECES": order}
    options = {**base.options, **wanted, "driver": driver, "balloon-options": REPORTING[reporting]}
    return Round(SCRIPT, options, f"bench-{experiment}-{variant.replace(', ', '-').replace(' ', '-')}", settings)


def measure(kernel, experiment, variant):
    """One boot: a list of steps, and what went wrong."""
    steps = []

    def listener(line):
        if match := STEP.match(line):
            steps.append({"number": match[1]})
        elif (match := BUSY.match(line)) and steps:
            steps[-1].update(pages=int(match[1]), run=int(match[2]), ns=int(match[3]))

    report = guest.run(plan(experiment, variant), kernel, listener)
    for step in steps:
        before, after = (report.counts.get(step["number"] + end, {}) for end in ("", "end"))
        step["host"] = {key: after[key] - before[key] for key in after if key in before}
    return {
        "experiment": experiment, "variant": variant,
        "seconds": round(report.seconds, 1), "steps": [step for step in steps if step.get("pages") and step["host"]],
        "problems": [result.text for result in report.results if not result.passed],
        "ledger": sum(ledger["guest_only"] + ledger["host_only"] for ledger in report.ledgers),
        "ledgers": len(report.ledgers),
    }


def jobs(times):
    """Boots in turns, so that a busy machine hurts both drivers."""
    yield from (("exact", variant) for variant in VARIANTS)
    for _ in range(times):
        yield from (("touched", variant) for variant in ("stock, reporting", "ours, reporting"))


# --- figures ---------------------------------------------------------------------------------------------------

def steps_of(boots, experiment, variant, number):
    """That step of each such boot that came so far."""
    return [step for boot in boots if (boot["experiment"], boot["variant"]) == (experiment, variant)
            for step in boot["steps"] if step["number"] == str(number)]


def per_page(boots, variant, number):
    return middle([step["run"] / abs(step["pages"]) for step in steps_of(boots, "exact", variant, number)])


def per_gib(boots, variant, number, key):
    return middle([step["host"][key] * PAGES_PER_GIB / abs(step["pages"])
                   for step in steps_of(boots, "exact", variant, number)])


def nanoseconds(boots, variant):
    return middle([step["ns"] for step in steps_of(boots, "touched", variant, 1)])


def ratio(ours, stock):
    return ours / stock if ours is not None and stock else None


def figure(title, how, stock, ours, to_reach=None, limit=None):
    """One row; "reached" is None where nothing is to be reached or nothing was measured."""
    reached = None if to_reach is None or ours is None else ours <= to_reach
    return {"title": title, "how": how, "stock": stock, "ours": ours, "to_reach": to_reach, "limit": limit,
            "reached": reached}


FIRST, DOWN, AGAIN = 3, 4, 5    # steps of GIB_STEPS: 1 GiB into the balloon, out of it, and in again


def figures(boots):
    rows = []
    for key, title, aims, limit in (
            ("kicks", "notifications per GiB inflated", (64, 16), 8),
            ("exits", "exits to the host's userspace per GiB inflated", (256, 64), 16),
            ("discards", "discards per GiB inflated", (None, 512), 256)):
        for what, aim in zip(("", ", reporting"), aims):
            rows.append(figure(f"{title}{what}", "QEMU's trace, 1 GiB at once",
                               per_gib(boots, f"stock{what}", FIRST, key), per_gib(boots, f"ours{what}", FIRST, key),
                               aim, limit if what else None))
    for title, number, aims in (("inflated 4 KiB", FIRST, (20, 500)), ("deflated 4 KiB", DOWN, (20, 450)),
                                ("4 KiB inflated again", AGAIN, (None, None))):
        for variant, aim in zip(("ours", "ours, single pages"), aims):
            kind = "single pages" if "single" in variant else "whole blocks"
            rows.append(figure(f"guest instructions per {title}, {kind}", "-icount; 1 GiB at once, by /proc/schedstat",
                               per_page(boots, "stock", number), per_page(boots, variant, number), aim))
        rows.append(figure(f"guest instructions per {title}, reported blocks", "the same",
                           per_page(boots, "stock, reporting", number), per_page(boots, "ours, reporting", number)))
    stock = nanoseconds(boots, "stock, reporting")
    rows.append(figure("time to inflate 1 GiB of touched memory, reporting, stock = 1", "medians; only a ratio",
                       1.0 if stock else None, ratio(nanoseconds(boots, "ours, reporting"), stock), 0.1))
    rows.append(figure("pages in one ledger only, host's or guest's", "all boots, after every step",
                       sum(boot["ledger"] for boot in boots if boot["variant"].startswith("stock")),
                       sum(boot["ledger"] for boot in boots if boot["variant"].startswith("ours")), 0))
    return rows
