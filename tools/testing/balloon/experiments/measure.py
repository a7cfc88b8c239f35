# SPDX-License-Identifier: GPL-2.0
"""
Boot guests, let each run one round of compaction, and collect what was counted around it.

A measured boot is a plain dictionary, as it goes into results.json.
"""
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness import guest, scenario
from harness.common import BUILD, shown

ROUND = Path(__file__).with_name("round.sh")
DRIVERS = ("stock", "ours")

# Everything that distinguishes the experiments. The scattered balloon fills 400 of 425 MiB of random holes.
SCATTERED = {"BALLOON": 400, "FRAGMENT": 850, "COMPACTORS": 4, "PROBES": 0}
EXPERIMENTS = {
    "seed-64": {"BALLOON": 64, "FRAGMENT": 850, "COMPACTORS": 4, "PROBES": 1},
    "seed-128": {"BALLOON": 128, "FRAGMENT": 850, "COMPACTORS": 4, "PROBES": 1},
    "scattered": SCATTERED,
    "probed": {**SCATTERED, "PROBES": 1},
    "exact": {**SCATTERED, "COMPACTORS": 1},
    "churn": {**SCATTERED, "PROBES": 1, "CHURN": "100 400 200 400"},
}
LINE = re.compile(r"# (before|after) (\w+) (\d+)$")
BLOCK = re.compile(r"# map (before|after) (\d+) (\d+) (\d+) (\d+)$")
PAGES_PER_BLOCK = 512


@dataclass
class Round(scenario.Scenario):
    """One guest script with the settings of one boot."""
    label: str = ""
    settings: dict = field(default_factory=dict)

    @property
    def name(self):
        return self.label

    def environment(self, kernel):
        return super().environment(kernel) + "".join(f"{key}='{value}'\n" for key, value in self.settings.items())


def plan(experiment, driver, boot):
    base = scenario.load(ROUND)
    # Instructions are counted with the same seed always: a second boot must repeat the first to the instruction.
    settings = dict(EXPERIMENTS[experiment], SEED=1 if experiment == "exact" else boot)
    options = dict(base.options, driver=driver, target=str(settings["BALLOON"]))
    options["icount"] = "1" if experiment == "exact" else "0"
    return Round(ROUND, options, f"run-{experiment}-{driver}-{boot}", settings)


def measure(kernel, experiment, driver, boot):
    """One boot. "complete" says whether its figures can be used, "problems" what went wrong."""
    counters = {"before": {}, "after": {}}
    blocks = {"before": [], "after": []}

    def listener(line):
        if match := LINE.match(line):
            counters[match[1]][match[2]] = int(match[3])
        elif match := BLOCK.match(line):
            blocks[match[1]].append([int(number) for number in match.groups()[1:]])

    entry = plan(experiment, driver, boot)
    report = guest.run(entry, kernel, listener)
    boot_data = {
        "experiment": experiment, "driver": driver, "boot": boot, "settings": entry.settings,
        "problems": [result.text for result in report.results if not result.passed],
        "logs": str(shown(report.logs)) if report.logs else None,
        "seconds": round(report.seconds, 1), "round_ns": counters["after"].pop("round_ns", None), **counters,
        "delta": difference(counters["before"], counters["after"]),
        "host": difference(report.counts.get("before", {}), report.counts.get("after", {})),
        "ledger": report.ledgers[-1] if report.ledgers else None,
        "free_blocks": {when: free_blocks(rows) for when, rows in blocks.items()},
        "map": blocks,
    }
    boot_data["complete"] = usable(boot_data)
    return boot_data


def usable(boot):
    """Was the round measured to its end, and did the balloon keep its size?"""
    if boot["round_ns"] is None or boot["ledger"] is None:
        return False
    if boot["host"]["inflated"] != boot["host"]["deflated"]:
        boot["problems"].append("the balloon changed its size during the round: figures not used")
        return False
    return True


def measure_again(kernel, experiment, driver, boot, progress):
    """
    Measure; another boot if QEMU tripped.

    Its threaded emulation now and then executes a breakpoint that the kernel, which patches itself when probes are
    set, has already taken away. A boot that dies of that has no figures, whatever the driver.
    """
    for left in reversed(range(guest.BOOT_ATTEMPTS)):
        result = measure(kernel, experiment, driver, boot)
        if not left or not any("Oops: int3" in problem for problem in result["problems"]):
            return result
        progress(result)


def difference(before, after):
    return {key: after[key] - before.get(key, 0) for key in after}


def free_blocks(rows):
    return sum(free == PAGES_PER_BLOCK for _, free, _, _ in rows)


def missing(kernel):
    """What has to be built before our driver can take part; empty if nothing."""
    built = BUILD / kernel.version
    return [name for name in ("balloon_compaction.ko", "virtio_balloon.ko") if not (built / name).exists()]


def failed(boot):
    """It has no figures, or something is wrong with it."""
    return not boot["complete"] or bool(boot["problems"])


def jobs(drivers, scattered_boots, exact_boots):
    """(experiment, driver, boot); stock and ours alternate, so that a busy machine hurts both."""
    one_by_one = [("seed-64", 1), ("seed-128", 1), ("probed", 1)]
    one_by_one += [("scattered", boot) for boot in range(1, scattered_boots + 1)]
    one_by_one += [("exact", boot) for boot in range(1, exact_boots + 1)]
    return [(experiment, driver, boot) for experiment, boot in one_by_one for driver in drivers]


def run_all(kernel, wanted, begin):
    """
    Every boot of the experiment. @begin is called with each job as it begins, and what it returns with the boot as it ends.

    Boots that are counted in instructions do not mind a neighbour and run two at a time.
    """
    boots = []

    def take(job):
        end = begin(*job)
        boots.append(measure_again(kernel, *job, end))
        end(boots[-1])

    for job in wanted:
        if job[0] != "exact":
            take(job)
    with ThreadPoolExecutor(2) as pool:
        try:
            list(pool.map(take, [job for job in wanted if job[0] == "exact"]))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)      # interrupted: start no further guest
            raise
    return boots
