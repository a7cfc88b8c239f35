# SPDX-License-Identifier: GPL-2.0
"""
From measured boots of the bench to its figures: one row each, see figure().

What was not measured is None, all the way to the row.
"""
from . import compare
from .bench import HOLES, HUGE_BOOTS, PAGES_PER_MIB, WHOLE

PAGES_PER_GIB = 1024 * PAGES_PER_MIB
SIZES = (64, 256, 1024, 4096, 16384)
KINDS = {"whole blocks": "ours", "single pages": "ours, single pages"}
# In which ways the allocator itself can do the same: single pages that fill a block are given back as one.
BLOCK_HOW = {"whole blocks": "; each page has a reference and marks of its own (13 and 20 without)"}
ALLOCATOR = {"whole blocks": {"alloc": ("blocks",), "free": ("blocks",)},
             "single pages": {"alloc": ("pages", "bulk"), "free": ("pages", "blocks")}}
TIMED = [f"timed, {vcpus}" for vcpus in ("1 vCPU", "2 vCPUs", "4 vCPUs")]


def figure(title, how, values, to_reach=None, limit=None, at_least=False):
    """One row; @values are the stock driver's and ours, None what was not measured. "reached": None without aim or value."""
    stock, ours = values
    reached = None if to_reach is None or ours is None else ours >= to_reach if at_least else ours <= to_reach
    return {"title": title, "how": how, "stock": stock, "ours": ours, "to_reach": to_reach, "limit": limit,
            "at_least": at_least, "reached": reached}


# --- values ----------------------------------------------------------------------------------------------------

def steps_in(boots, experiment, variant, what=None, after=None):
    """All steps of such boots; or only those in which this was done, after that."""
    return [step for boot in boots if (boot["experiment"], boot["variant"]) == (experiment, variant)
            for step in boot["steps"] if what in (None, step["what"]) and after in (None, step.get("after"))]


def steps_of(boots, experiment, variant, mib, which=0):
    """Of each such boot the step in which the balloon changed by @mib for the first time, or for a later one."""
    for boot in boots:
        if (boot["experiment"], boot["variant"]) == (experiment, variant):
            steps = [step for step in boot["steps"] if step["pages"] == mib * PAGES_PER_MIB and step["what"].isdigit()]
            yield from steps[which:which + 1]


def per_page(boots, experiment, variant, mib, which=0):
    steps = steps_of(boots, experiment, variant, mib, which)
    return compare.middle([step["run"] / abs(step["pages"]) for step in steps])


def per_gib(boots, experiment, variant, mib, key):
    steps = steps_of(boots, experiment, variant, mib)
    return compare.middle([step["host"][key] * PAGES_PER_GIB / abs(step["pages"]) for step in steps])


def of_both(value, boots, experiment, ours, *arguments):
    """The same of the stock driver and of a variant of ours."""
    stock = "stock, reporting" if "reporting" in ours else "stock"
    return [value(boots, experiment, variant, *arguments) for variant in (stock, ours)]


def allocator(boots, experiment, key, ways):
    """What the kernel's allocator alone took for a page of 1 GiB, in the same guests, in the better of these ways."""
    found = [boot.get(f"allocator_{way}_{key}_ns") for boot in boots if boot["experiment"] == experiment for way in ways]
    return min((value / PAGES_PER_GIB for value in found if value), default=None)


def there_and_back(boots):
    """A page allocated and one freed, both single ones that fill no block."""
    found = [allocator(boots, "counted", key, ways) for key, ways in (("alloc", ("pages", "bulk")), ("free", ("pages", "bulk")))]
    return None if None in found else sum(found)


def ratio(values):
    """Ours to stock."""
    stock, ours = values
    return [1.0 if stock else None, ours / stock if stock and ours is not None else None]


def by_size(boots, variant, value):
    """(MiB, value) for each size of balloon that was counted; as @value has it."""
    found = []
    for mib in SIZES:
        values = [value(boots, name, variant, mib) for name in ("counted", "large")]
        found += [(mib, one) for one in values if one is not None][:1]
    return found


# --- rows ------------------------------------------------------------------------------------------------------

def figures(boots, rounds):
    return [*host_operations(boots), *instructions(boots), *sizes(boots), *of_rounds(rounds), *compacted(boots), *unasked(boots),
            *huge_pages(boots), *swapped(boots), *month(boots), *times(boots), *latencies(boots), *ledgers(boots, rounds)]


def host_operations(boots):
    for key, title, aims, limit in (("kicks", "notifications", (64, 16), 8),
                                    ("exits", "exits to the host's userspace", (256, 64), 16),
                                    ("discards", "discards", (None, 512), 256)):
        for variant, aim in zip(("ours", "ours, reporting"), aims):
            what = ", reporting" if "reporting" in variant else ""
            yield figure(f"{title} per GiB inflated{what}", "QEMU's trace, 1 GiB at once",
                         of_both(per_gib, boots, "counted", variant, 1024, key), aim, limit if what else None)
    for variant in ("ours", "ours, reporting"):
        what = ", reporting" if "reporting" in variant else ""
        yield figure(f"discards in one notification, at most, 1 GiB inflated{what}", "QEMU's trace; for so long a processor is away",
                     of_both(most_in_kick, boots, "counted", variant))


def most_in_kick(boots, experiment, variant):
    return max((step["most_in_kick"] for step in steps_of(boots, experiment, variant, 1024)), default=None)


def instructions(boots):
    """Per page of 1 GiB. The limit is what the allocator itself takes."""
    how = "-icount; 1 GiB at once, run time of all tasks; limit: the kernel's allocator alone, same guest"
    for kind, variant in KINDS.items():
        inflated, deflated = {"whole blocks": (20, 20), "single pages": (500, 450)}[kind]
        for title, experiment, mib, key, to_reach in (("inflated", "counted", 1024, "alloc", inflated),
                                                      ("inflated, init_on_alloc=1", "zeroed", 1024, "alloc", None),
                                                      ("deflated", "counted", -1024, "free", deflated)):
            yield figure(f"guest instructions per 4 KiB {title}, {kind}", how + BLOCK_HOW.get(kind, ""),
                         of_both(per_page, boots, experiment, variant, mib), to_reach,
                         allocator(boots, experiment, key, ALLOCATOR[kind][key]))
        yield figure(f"guest instructions per 4 KiB inflated again, {kind}", "the same, after it was deflated",
                     of_both(per_page, boots, "counted", variant, 1024, 1))
    for title, mib in (("inflated", 1024), ("deflated", -1024)):
        yield figure(f"guest instructions per 4 KiB {title}, reported blocks", "the same",
                     of_both(per_page, boots, "counted", "ours, reporting", mib))


def sizes(boots):
    for title, sign in (("inflated", 1), ("deflated", -1)):
        for kind, variant in KINDS.items():
            small, large = (of_both(per_page, boots, "large", variant, sign * mib) for mib in (64, 16384))
            change = [100 * abs(b / a - 1) if a and b is not None else None for a, b in zip(small, large)]
            yield figure(f"instructions per page {title}, 16 GiB to 64 MiB, differ by percent, {kind}",
                         "-icount, the same guest", change, 10)
    yield figure("memory for the index, percent of a 16 GiB balloon", "Slab of /proc/meminfo; single pages",
                 of_both(index_percent, boots, "large", "ours, single pages"), 0.02)


def index_percent(boots, experiment, variant):
    used = [step["slab"] for step in steps_of(boots, experiment, variant, 16384)]
    return compare.middle([100 * kib / (16384 << 10) for kib in used])


def of_rounds(rounds):
    def both(experiment, value):
        values = compare.medians(rounds, experiment, value)
        return [values["stock"], values["ours"]]
    return [
        figure("guest instructions per page migrated", "-icount, one compactor; scanning included",
               both("exact", compare.instructions), 2300),
        figure("notifications per page migrated, four compactors", "QEMU's trace", both("scattered", compare.notifications), 0.03),
        figure("migrations that the driver failed, inflating and deflating beside four compactors",
               "kretprobe on its migrate callback", both("churn", lambda boot: boot["delta"]["callback_refused"]), 0),
    ]


def compacted(boots):
    """A balloon of 300 MiB in holes of 600 MiB. Ours exchanges pages when asked to; stock is migrated by the kernel, four times."""
    for run in HOLES:
        yield figure(f"percent of the possible 2 MiB blocks that are free after compaction, holes of {run}",
                     "-icount; possible: the balloon in the holes between pages of others, the rest of it in whole blocks",
                     of_both(free_percent, boots, "compacted", "ours, single pages", run), 95, 100, at_least=True)
        yield figure(f"guest instructions per page that was exchanged or migrated, holes of {run}",
                     "-icount, run time of the task that asks for it; limit: the kernel's allocator alone, one page there and one back",
                     of_both(per_page_moved, boots, "compacted", "ours, single pages", run), 1000,
                     there_and_back(boots) if run == 1 else None)


def compactions(boots, experiment, variant, run):
    return steps_in(boots, experiment, variant, "compact", f"scatter{run}")


def free_percent(*which):
    return compare.middle([100 * step["free"] / step["possible"] for step in compactions(*which)])


def per_page_moved(*which):
    return compare.middle([step["run"] / step["pages"] for step in compactions(*which) if step["pages"]])


def unasked(boots):
    """Default settings, and nobody writes to any file. Memory was in use right before."""
    for run in HOLES:
        for mib in WHOLE:
            stock, ours = of_both(whole, boots, f"unasked, holes of {run}", "ours", f"whole{mib}")
            yield figure(f"free 2 MiB blocks at rest, {mib} MiB into 350 MiB of holes of {run}",
                         f"1.5 GiB guest, half a minute later; before: {stock.get('free_before')} and {ours.get('free_before')}",
                         [stock.get("free"), ours.get("free")], stock.get("free"), at_least=True)
        for title, value, aim in UNASKED:
            values = [value(step) if step else None for step in of_both(whole, boots, f"unasked, holes of {run}", "ours", "whole300")]
            yield figure(f"{title}, 300 MiB into holes of {run}", "-icount, reporting is off", values,
                         values[0] if aim == "stock" else aim)
        for minute, aim in (("first", 2), ("tenth", 0)):
            values = [step.get(f"works_{minute}") for step in of_both(whole, boots, f"unasked, holes of {run}", "ours", "idle")]
            yield figure(f"times that the balloon did anything in the {minute} minute at rest, holes of {run}",
                         "work items in the kernel's trace", values, aim)


# Of one step: what it says, of what, and what is to be reached.
UNASKED = (
    ("guest instructions per page until the host has it", lambda step: step["run"] / step["pages"], 20),
    ("guest instructions per page until all is at rest", lambda step: step["rest_run"] / step["pages"], "stock"),
    ("percent of the processor in the busiest second after that", lambda step: step["share"] / 10, 5),
    ("discards per GiB until all is at rest", lambda step: step["host"]["discards"] * PAGES_PER_GIB / step["pages"], None),
    ("exits per GiB until all is at rest", lambda step: step["host"]["exits"] * PAGES_PER_GIB / step["pages"], None),
    ("percent of it that the host got", lambda step: -100 * step["host"]["resident"] / step["pages"], None),
)


def whole(*which):
    """The only such step."""
    return next(iter(steps_in(*which)), {})


def huge_pages(boots):
    """Of the kernel's own test in several boots of each."""
    steps = [[step for boot in range(1, HUGE_BOOTS + 1) for step in steps_in(boots, f"huge, boot {boot}", variant, "huge")]
             for variant in ("stock", "ours")]
    how = "transhuge-stress -d 3 420; 1 GiB guest, 400 MiB balloon over a random half of 850 MiB"
    yield figure(f"boots of {HUGE_BOOTS} in which a page fault got no huge page", how,
                 [sum(step["fallback"] > 0 for step in of) if of else None for of in steps], 0)
    failed = [compare.total([step["compact_fail"] for step in of]) for of in steps]
    yield figure("compactions of page faults that failed in these boots", "compact_fail of /proc/vmstat", failed, failed[0])
    for what, title in (("killed", "boots in which compaction_test was killed"), ("failed", "boots in which it did not pass")):
        of_each = [compare.total([step[what] > 0 for step in of]) for of in steps]
        yield figure(title, "the kernel's own; it locks 80 percent of what is free", of_each, of_each[0])


def swapped(boots):
    stock, ours = of_both(whole, boots, "swap", "ours", "swap")
    yield figure("time to inflate 600 MiB of 1 GiB, 500 MiB of it cold, 1 GiB of swap", "only a ratio, stock = 1",
                 ratio([stock.get("ns"), ours.get("ns")]), 2)
    yield figure("processes killed meanwhile", "oom_kill of /proc/vmstat", [stock.get("oom_kill"), ours.get("oom_kill")], 0)


# Of a month: title, what it is of all cycles, and whether more is better.
MONTH = (
    ("percent of anonymous memory in huge pages, last tenth",
     lambda cycles: mean(map(huge_share, cycles[-len(cycles) // 10:])), True),
    ("percent of anonymous memory in huge pages, all the time", lambda cycles: mean(map(huge_share, cycles)), True),
    ("page faults that got no huge page", lambda cycles: cycles[-1]["fallback"], False),
    ("stalls of page faults for compaction", lambda cycles: cycles[-1]["stall"], False),
    ("free 2 MiB blocks at rest, all the time", lambda cycles: mean(cycle["free"] for cycle in cycles), True),
    ("millions of instructions of the kernel's workers a cycle",
     lambda cycles: mean(cycle["kworker"] / 1e6 for cycle in cycles), False),
)


def month(boots):
    """A rest after each cycle; processes and files come and go, and the host takes and gives."""
    cycles = of_both(steps_in, boots, "month", "ours", "cycle")
    how = f"-icount, 1 GiB guest, {len(cycles[0])} cycles, the same for both; see out/month.html"
    for title, value, at_least in MONTH:
        stock, ours = (value(of) if of else None for of in cycles)
        yield figure(f"a month: {title}", how, [stock, ours], stock, at_least=at_least)


def huge_share(cycle):
    return 100 * cycle["huge"] / cycle["anon"]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def times(boots):
    """Medians of all such steps of a boot. Nobody asks how much is done before a flapping target changes again."""
    for experiment in TIMED:
        cpus = experiment.removeprefix("timed, ")
        for title, what, after, aim in (("inflate 1 GiB, in use right before", "1024", "use", 0.1),
                                        ("inflate 1 GiB, not in use before", "1024", "0", None),
                                        ("deflate 1 GiB", "0", "1024", None),
                                        ("use 1.5 GB after deflating", "use", "0", None),
                                        ("be at rest after ten flaps of the target", "flap", "use", None)):
            yield figure(f"time to {title}, {cpus}", "with reporting; medians, only a ratio, stock = 1",
                         ratio(of_both(nanoseconds, boots, experiment, "ours, reporting", what, after)),
                         aim if cpus == "2 vCPUs" else None)
        yield figure(f"notifications while the target flaps ten times, {cpus}", "QEMU's trace; 1 GiB or nothing, every 0.1 s",
                     of_both(flap_kicks, boots, experiment, "ours, reporting"))


def nanoseconds(*which):
    return compare.middle([step["ns"] for step in steps_in(*which)])


def flap_kicks(boots, experiment, variant):
    return compare.middle([step["host"]["kicks"] for step in steps_in(boots, experiment, variant, "flap", "use")])


def latencies(boots):
    """The tracer knows microseconds, which are thousands of instructions. It may be the allocator: "between" says where it was."""
    for kind, variant in KINDS.items():
        stock, ours = of_both(longest, boots, "latency", variant)
        where = " ".join(ours.get("between", []))
        yield figure(f"thousands of instructions with interrupts off, at most, 16 GiB, {kind}",
                     f"-icount, up and down, irqsoff tracer; the device's lock is held no longer. {where}",
                     [stock.get("irqsoff"), ours.get("irqsoff")], 50)


def longest(boots, experiment, variant):
    """The step, up or down, in which interrupts were off for longest."""
    steps = steps_in(boots, experiment, variant)
    return max((step for step in steps if "irqsoff" in step), key=lambda step: step["irqsoff"], default={})


def ledgers(boots, rounds):
    """Every boot, of whatever experiment, ends with equal ledgers or counts here."""
    def different(driver):
        found = [boot["ledger"] for boot in boots if boot["variant"].startswith(driver) and boot["ledgers"]]
        found += [compare.ledger_difference(boot) for boot in rounds if boot["driver"] == driver and boot["ledger"]]
        return compare.total(found)
    yield figure("pages in one ledger only, host's or guest's", "all boots, after every step",
                 [different("stock"), different("ours")], 0)

