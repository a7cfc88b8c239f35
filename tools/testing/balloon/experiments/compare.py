# SPDX-License-Identifier: GPL-2.0
"""
From measured boots to figures: stock beside ours, and what is to be reached.
"""
from statistics import median

from harness.common import table_line, terminal_width

TO_REACH = {
    "failed": 0,
    "notifications": 0.05,
    "blocks_ratio": 1.5,
    "instructions": 2400,
    "ledger": 0,
}


def of(boots, experiment, driver):
    return [b for b in boots if b["complete"] and b["experiment"] == experiment and b["driver"] == driver]


def migrated(boot):
    """Balloon pages migrated, as the host saw it: the target stands still, so each page named is a new home."""
    return boot["host"]["inflated"]


def refused(boot):
    """Calls of the driver's migrate callback that did not migrate."""
    return boot["delta"]["callback_migrate_calls"] - migrated(boot)


def failed(boot):
    """Failures that are not compaction's own: it had a page to migrate to."""
    return boot["delta"]["pgmigrate_fail"] - boot["delta"]["callback_no_target"]


def per_page(value, boot):
    return value / migrated(boot) if migrated(boot) else None


def notifications(boot):
    return per_page(boot["host"]["kicks"], boot)


def instructions(boot):
    return per_page(boot["round_ns"], boot)


def ledger_difference(boot):
    return boot["ledger"]["guest_only"] + boot["ledger"]["host_only"]


def middle(values):
    values = [value for value in values if value is not None]
    return median(values) if values else None


def medians(boots, experiment, value):
    """Median per driver, with all the values that it stands for."""
    row = {}
    for driver in ("stock", "ours"):
        row[f"{driver}_all"] = [value(boot) for boot in of(boots, experiment, driver)]
        row[driver] = middle(row[f"{driver}_all"])
    return row


def figures(boots):
    """The comparison, one dictionary per row: key, title, how, stock, ours, to_reach, reached (None: no aim)."""
    blocks = medians(boots, "scattered", lambda b: b["free_blocks"]["after"])
    wanted = blocks["stock"] * TO_REACH["blocks_ratio"] if blocks["stock"] is not None else None
    ledger = {driver: total([ledger_difference(b) for b in boots if b["complete"] and b["driver"] == driver])
              for driver in ("stock", "ours")}
    return [
        row("migrated", "balloon pages migrated", "pages that the host was told to take in the round",
            medians(boots, "scattered", migrated)),
        row("refused", "migrations that the driver failed",
            "calls of its migrate callback (kprobe) less pages migrated; a boot of its own",
            medians(boots, "probed", refused), TO_REACH["failed"]),
        row("failed", "page migrations that failed, but for lack of a target",
            "pgmigrate_fail of /proc/vmstat less the times that compaction_alloc() had no page (kprobe); a boot of its own",
            medians(boots, "probed", failed), TO_REACH["failed"]),
        row("failed_all", "page migrations that failed in all",
            "pgmigrate_fail; at the end of its round each compactor runs out of pages to migrate to",
            medians(boots, "scattered", lambda b: b["delta"]["pgmigrate_fail"])),
        row("putback", "balloon pages isolated and put back", "calls of the driver's putback callback (kprobe)",
            medians(boots, "probed", lambda b: b["delta"]["callback_putback"])),
        row("notifications", "notifications per migrated page", "virtio_queue_notify in QEMU's trace",
            medians(boots, "scattered", notifications), TO_REACH["notifications"]),
        row("blocks_before", "free 2 MiB blocks before the round", "aligned blocks all free in /proc/kpageflags",
            medians(boots, "scattered", lambda b: b["free_blocks"]["before"])),
        row("blocks", "free 2 MiB blocks after the round", "the same; to reach: 1.5 times stock",
            blocks, wanted, at_least=True),
        row("time", "time of the round, stock = 1", "only a ratio: emulation keeps no time",
            relative(medians(boots, "scattered", lambda b: b["round_ns"]))),
        row("instructions", "guest instructions per migrated page",
            "QEMU -icount, one processor, one compactor; scanning included",
            medians(boots, "exact", instructions), TO_REACH["instructions"]),
        row("ledger", "pages in one ledger only, host's or guest's", "QEMU's trace against /proc/kpageflags, all boots",
            ledger, TO_REACH["ledger"]),
    ]


def total(values):
    return sum(values) if values else None


def relative(values):
    if not values["stock"]:
        return {"stock": None, "ours": None}
    ours = values["ours"] and values["ours"] / values["stock"]
    return {**values, "stock": 1.0, "ours": ours}


def row(key, title, how, values, to_reach=None, at_least=False):
    ours = values["ours"]
    reached = None
    if to_reach is not None and ours is not None:
        reached = ours >= to_reach if at_least else 0 <= ours <= to_reach
    return {"key": key, "title": title, "how": how, "to_reach": to_reach, "at_least": at_least,
            "reached": reached, **values}


def repeats(boots, driver):
    """Were the two counted boots of a driver alike to the instruction? None if there were not two."""
    times = [boot["round_ns"] for boot in of(boots, "exact", driver)]
    return len(set(times)) == 1 if len(times) == 2 else None


def seed_table(boots, experiment):
    """
    The first table of the original patch series: rows of (counter, stock, ours).

    The four balloon counters were part of that series' test patch and are gone from the kernel. Ours shows them
    itself; for the stock driver they are what kprobes on its callbacks and the host saw.
    """
    stock, ours = (next(iter(of(boots, experiment, driver)), None) for driver in ("stock", "ours"))
    outside = {
        "compact_balloon_isolated": lambda b: b["delta"]["callback_isolated"],
        "compact_balloon_migrated": migrated,
        "compact_balloon_failed": lambda b: b["delta"]["callback_putback"],
        "compact_balloon_freed": lambda b: b["host"]["deflated"],
    }
    rows = [(name, stock and seen(stock), ours and ours["delta"].get(name)) for name, seen in outside.items()]
    present = (stock or ours or {"delta": {}})["delta"]
    kernel = [name for name in present if name not in outside and not name.startswith("callback_")]
    rows += [(name, stock and stock["delta"].get(name), ours and ours["delta"].get(name)) for name in kernel]
    rows.append(("callback errors", stock and refused(stock), ours and refused(ours)))
    return rows


def number(value):
    """A number for people; nothing measured is a dash."""
    if value is None:
        return "-"
    if isinstance(value, float) and value != int(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"
    return f"{int(value):,}"


def aim(figure, at_least=">= ", at_most="<= "):
    """What is to be reached; nothing is less than 0."""
    if figure["to_reach"] is None:
        return ""
    sign = "" if figure["to_reach"] == 0 else at_least if figure["at_least"] else at_most
    return sign + number(figure["to_reach"])


def verdict(figure):
    if figure["to_reach"] is None:
        return ""
    return {True: "yes", False: "not reached", None: "not measured"}[figure["reached"]]


def print_seed(boots):
    width = min(34, terminal_width() - 26)
    for experiment in ("seed-64", "seed-128"):
        print(f"\n{experiment.removeprefix('seed-')} MiB balloon, 2 processors, 1024 MiB, 4 compactors:")
        print(table_line("", f"{'stock':>12} {'ours':>12}", width))
        for name, stock, ours in seed_table(boots, experiment):
            print(table_line(name, f"{number(stock):>12} {number(ours):>12}", width))


def print_figures(rows):
    """As wide as the terminal allows, down to 60 columns."""
    width = min(54, terminal_width() - 36)
    print("\nOne round of four compactors, 400 MiB balloon scattered\nover 850 of 1024 MiB (medians):")
    print(table_line("", f"{'stock':>9} {'ours':>9} {'to reach':>9}  reached", width))
    for figure in rows:
        columns = " ".join(f"{value:>9}" for value in (number(figure["stock"]), number(figure["ours"]), aim(figure)))
        print(table_line(figure["title"], f"{columns}  {verdict(figure)}", width))
