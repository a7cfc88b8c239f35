# SPDX-License-Identifier: GPL-2.0
"""
Boot one scenario on one kernel and judge it.

The guest leads: it writes KTAP and requests ("# host: VERB ARGUMENTS") on its second serial port and this end
obeys. Beyond the guest's own results a boot must end its plan, power off by itself, and leave a console
without complaints of the kernel.
"""
import re
import selectors
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import coverage, initramfs, ktap, ledger, qemu
from .common import OUT, HarnessError, as_harness_error

COMPLAINT = re.compile(
    r"\bBUG\b|WARNING:|Oops|Call Trace|possible recursive locking|suspicious RCU|Bad page state|"
    r"unable to handle|rcu.*stall|hung_task|blocked for more than|Kernel panic|soft lockup|KASAN:|UBSAN:|"
    r"general protection fault|list_(add|del) corruption|ODEBUG:|pagealloc: (memory corruption|single bit error)|"
    r"trying to register non-static key|lockdep is turned off|page dumped because|refcount_t:|"
    r"unreferenced object|"
    r"kmemleak: (?!Kernel memory leak detector initialized|Automatic memory scanning thread started)")
RACE = re.compile(r"BUG: KCSAN: ")
# Functions of the kernel that look at any page, in a balloon or not, without its lock, on purpose: what they see is only a
# hint, which they check again under the lock. Whoever then changes the page, under its lock as it should, is in the report.
RACE_WITH_LOOK = re.compile(r"BUG: KCSAN: data-race in .*\b(isolate_movable_page|isolate_migratepages_block|stable_page_flags)\b")
RACE_EDGE = re.compile(r"={60}")
OUR_FRAME = re.compile(r"\[(virtio_balloon|null_balloon|balloon_\w+)[^]]*\]|\bballoon_\w+\+0x")
BOOT_ATTEMPTS = 3
# Seconds are QEMU's own time (qemu.OwnTime).
BOOT_SECONDS = 60
MIGRATION_SECONDS = 120
UNPLUG_SECONDS = 30
SUSPEND_SECONDS = 30
STATS_SECONDS = 30
SLOW_MIGRATION = 1 << 20        # bytes in a second
LOGS = ("console", "ktap", "trace", "qemu.err", "command")
WARNING_END = re.compile(r"---\[ end trace|</TASK>")


@dataclass
class Report:
    """What a boot has shown."""
    name: str
    results: list = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    counts: dict = field(default_factory=dict)      # what the host had counted, by the guest's name for the moment
    ledgers: list = field(default_factory=list)     # per ledger: pages of both sides, and of each side alone
    seconds: float = 0
    reboots: int = 0
    where: str = ""
    logs: Path = None

    def add(self, passed, text):
        self.results.append(ktap.Result(passed, text))

    @property
    def failed(self):
        return ktap.count(self.results)[1] > 0


def run(scenario, kernel, listener=None, keep=False):
    """Boot and judge; logs survive only a failure, or on request. @listener is called with each line of the guest."""
    report = Report(scenario.name)
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="balloon-"))
    try:
        attempt(scenario, kernel, work, report, listener or (lambda line: None))
    except HarnessError as error:
        report.add(False, str(error))
    except OSError as error:
        report.add(False, str(as_harness_error(error)))
    finally:
        report.seconds = time.monotonic() - started
        if report.failed or keep:
            report.logs = save_logs(work, scenario, kernel)
        shutil.rmtree(work, ignore_errors=True)
    return report


def attempt(scenario, kernel, work, report, listener):
    """
    Boot until the guest comes to its first line, which is before it loads a module of ours.

    QEMU's threaded emulation now and then executes a breakpoint that the kernel's boot has already patched away
    ("Oops: int3"); that is not ours to judge.
    """
    initramfs.build(work / "initramfs", kernel, scenario)
    for left in reversed(range(BOOT_ATTEMPTS)):
        report.results.clear()
        session = boot(scenario, kernel, work, report, listener)
        if session.greeted or not left:
            return
        report.reboots += 1


def save_logs(work, scenario, kernel):
    """Replace the logs of the last failure; None if nothing ran."""
    if not (work / "console").exists():
        return None
    logs = OUT / "logs" / kernel.version / scenario.name
    shutil.rmtree(logs, ignore_errors=True)
    for path in (path for path in work.rglob("*") if path.name in LOGS):
        copy = logs / path.relative_to(work)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return logs


def boot(scenario, kernel, work, report, listener):
    with ExitStack() as stack:
        session = Session(scenario, kernel, stack, work, report)
        session.boot()
        ended = session.listen(listener)
        judge_end(session, ended)
    judge_console(scenario, session.machines, report)
    return session


def judge_end(session, ended):
    report, results = session.report, session.guest_results
    for error in filter(None, (machine.error_text() for machine in session.machines)):
        report.add(False, f"qemu: {error}")
    if not ended:
        limit = session.seconds if session.greeted else BOOT_SECONDS * session.slow
        report.add(False, f"still {'running' if session.greeted else 'booting'} after {limit} s, in which it could have run")
    if session.plan is None:
        report.add(False, "plan missing: the scenario did not come to its end")
    else:
        report.add(session.plan == results > 0, f"plan of {session.plan} results kept, {results} seen")
    reason = session.machine.control.shutdown_reason() if ended else "killed"
    report.add(reason == "guest-shutdown", f"powered off by itself ({reason})")


def judge_console(scenario, machines, report):
    """The kernel's log: KUnit's results in it, and its complaints."""
    lines = [line for machine in machines
             for line in (machine.work / "console").read_text(errors="replace").splitlines()]
    report.results += ktap.kernel_log_results(lines)
    lines, foreign = without_foreign_races(lines)
    found = complaints(lines, scenario.get("expect"))
    excuse = f", but for {foreign} data races of its own" if foreign else ""
    report.add(not found, f"kernel log: {found[0]}" if found else f"kernel log is clean{excuse}")


def without_foreign_races(lines):
    """
    The lines less KCSAN's reports of races of the kernel's own, and how many those were: no frame is ours, or one side is
    known to look without a lock. A report without an end is not excused.
    """
    kept, foreign, start = [], 0, None
    for line in lines:
        kept.append(line)
        if RACE.search(line):
            start = len(kept) - 1
        elif start is not None and RACE_EDGE.search(line):
            if RACE_WITH_LOOK.search(kept[start]) or not any(OUR_FRAME.search(other) for other in kept[start:]):
                del kept[start:]
                foreign += 1
            start = None
    return kept, foreign


def complaints(lines, expected):
    """
    Lines that match COMPLAINT. A block from a matching line to its end of trace is excused as a whole if its
    first lines match @expected, since a provoked warning brings its own "Call Trace".
    """
    found, excused = [], False
    for number, line in enumerate(lines):
        if expected and COMPLAINT.search(line) and re.search(expected, "\n".join(lines[number:number + 2])):
            excused = "WARNING:" in line
        elif COMPLAINT.search(line) and not excused:
            found.append(ktap.without_timestamp(line))
        if WARNING_END.search(line):
            excused = False
    return found


def release(machine):
    """Let a machine run that was held until it was told everything."""
    if "-S" in machine.argv:
        machine.control.command("cont")


class Session:
    """The conversation with a running guest, which may go from one QEMU to the next."""

    def __init__(self, scenario, kernel, stack, work, report):
        self.scenario, self.kernel, self.stack, self.work, self.report = scenario, kernel, stack, work, report
        self.slow, self.mem = kernel.slow, scenario.mem(kernel)
        self.seconds = scenario.number("timeout") * kernel.slow + scenario.number("minutes") * 60
        self.machines = []          # all that there were
        self.machine = self.host = self.trace = None
        self.log = work / "ktap"
        self.rest = b""             # of a line that is not complete
        self.mib = scenario.get("target")
        self.words = None           # for the kernel of the next QEMU, if there shall be one
        self.guest_results = 0
        self.greeted = False
        self.unplugging = False
        self.before = self.limit = 0
        self.plan = None
        self.guest_ledger = None
        self.coverage = None
        self.coverage_path = coverage.path(scenario, kernel)
        self.ledger_mark = self.ledger_foreign = self.named = self.statistics = 0

    def boot(self, words=""):
        """A new QEMU, which knows nothing but what balloon is wanted."""
        self.attach(self.new_machine(words), ledger.HostLedger(self.mem << 20))
        if self.mib:
            self.host_balloon(self.mib)
        release(self.machine)

    def boot_again(self):
        """The guest has switched the machine off, and wants another one."""
        reason = self.machine.control.shutdown_reason()
        self.report.add(reason in ("guest-shutdown", "guest-reset"), f"ended by itself ({reason})")
        self.machine.process.wait()
        words, self.words = self.words, None
        self.boot(words)

    def new_machine(self, words="", further=()):
        """One more QEMU; the first keeps its files in the boot's own directory."""
        work = self.work / f"qemu{len(self.machines) + 1}" if self.machines else self.work
        work.mkdir(exist_ok=True)
        argv = [*qemu.command_line(self.kernel, self.scenario, self.work, work, words), *further]
        (work / "command").write_text(" ".join(argv) + "\n")
        self.machines.append(self.stack.enter_context(qemu.Qemu(argv, work)))
        return self.machines[-1]

    def attach(self, machine, host):
        """From now on @machine has the guest, and @host keeps its ledger."""
        self.before = self.passed() - machine.own.seconds()
        self.machine, self.host = machine, host
        host.ram_address = machine.control.ram_address()
        self.trace = ledger.TraceReader(machine.work / "trace", host)

    def passed(self):
        """Seconds of the guest's own time, from one QEMU to the next."""
        return self.before + (self.machine.own.seconds() if self.machine else 0)

    def listen(self, listener):
        """Obey until the last QEMU ends (True) or the time is up (False)."""
        self.limit = self.passed() + BOOT_SECONDS * self.slow
        machine = None
        with open(self.log, "wb") as log:
            while machine is not self.machine:
                machine = self.machine
                if not self.obey(machine.process.stdout, log, listener):
                    return False
                if machine is self.machine and self.words is not None:
                    self.boot_again()
        return True

    def obey(self, pipe, log, listener):
        """Obey until the pipe ends (True) or the time is up (False)."""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while self.passed() < self.limit:
                if not selector.select(1):
                    continue
                data = pipe.read1(65536)
                if not data:
                    return True
                log.write(data)
                *lines, self.rest = (self.rest + data).split(b"\n")
                for line in lines:
                    self.line(line.decode(errors="replace").rstrip("\r"), listener)
        return False

    def line(self, text, listener):
        """One line of the guest."""
        if self.guest_ledger is not None and not text.startswith("#"):
            self.ledger_block(text)
            return
        if self.coverage is not None and not text.startswith("#"):
            self.coverage.append(text)
            return
        listener(text)
        if text.startswith("KTAP version") and not self.greeted:
            self.greeted = True
            self.limit = self.passed() + self.seconds
        elif text.startswith("# host: "):
            verb, *arguments = text.removeprefix("# host: ").split()
            self.request(verb, arguments)
        elif match := ktap.RESULT.match(text):
            self.guest_results += 1
            self.report.add(match[2] == "ok", match[3])
        elif match := ktap.PLAN.match(text):
            self.plan = int(match[2])

    def request(self, verb, arguments):
        handler = getattr(self, f"host_{verb}", None)
        if not handler:
            raise HarnessError(f"the scenario asks for an unknown service of the host: {verb}")
        try:
            handler(*arguments)
        except (TypeError, ValueError) as error:
            raise HarnessError(f"the scenario asks the host in a wrong way: {verb} {' '.join(arguments)} ({error})") from None

    def host_balloon(self, mib):
        """A balloon of this many MiB; QEMU wants to be told what remains."""
        self.mib = mib
        remains = max(1, self.mem - int(mib))
        self.machine.control.command("balloon", value=remains << 20)

    def host_retarget(self, mib, pages, other):
        """Ask for a balloon, and change one's mind when @pages of it were named."""
        begun = self.host.counts["inflated"]

        def named():
            self.trace.read_until_mark(0)
            return self.host.counts["inflated"] - begun
        self.host_balloon(mib)
        there = self.until(lambda: named() >= int(pages), 30)
        self.report.add(there and named() < int(mib) * 256, f"the host changes its mind after {named()} pages")
        self.host_balloon(other)

    def host_followed(self, most):
        """How many pages were still inflated after the host last asked for another size, up to the ledger read last."""
        count = self.host.counts["inflated"] - self.host.wished_at
        self.report.add(count <= int(most), f"{count} pages were inflated after the host wanted another size, at most {most} expected")

    def host_actual(self, least, most):
        """What the guest has last said of the balloon's size, in MiB."""
        mib = self.machine.control.balloon_mib(self.mem)
        self.report.add(int(least) <= mib <= int(most), f"the host was told of a balloon of {mib} MiB, between {least} and {most}")

    def host_device_del(self):
        self.machine.control.command("device_del", id="balloon0")
        self.unplugging = True

    def host_device_add(self):
        """The guest may have forgotten the old device a little earlier than QEMU."""
        if self.unplugging:
            self.machine.control.event("DEVICE_DELETED", UNPLUG_SECONDS * self.slow, device="balloon0")
            self.unplugging = False
        self.machine.control.command("device_add", **qemu.device(self.scenario))

    def host_stats(self, what, *arguments):
        """
        "read" has QEMU ask for new statistics and waits for them, "poll SECONDS" has it ask so often, 0 ends it; "between NAME
        LEAST MOST" judges what it has got.
        """
        control = self.machine.control
        if what == "poll":
            control.set_property("guest-stats-polling-interval", int(arguments[0]))
            return
        if what == "read":
            since = control.property("guest-stats")["last-update"]
            control.set_property("guest-stats-polling-interval", 1)
            came = self.until(lambda: control.property("guest-stats")["last-update"] > since, STATS_SECONDS)
            self.report.add(came, "the guest answers with its statistics")
            control.set_property("guest-stats-polling-interval", 0)
            return
        name, least, most = arguments
        value = control.property("guest-stats")["stats"].get(name)
        self.report.add(value is not None and int(least) <= value <= int(most), f"{name}: {value}, between {least} and {most}")

    def host_reported(self, least, most="inf"):
        """How much free page reporting had the host drop, up to the ledger read last."""
        count = self.host.counts["reported"]
        self.report.add(int(least) <= count <= float(most),
                        f"{count} blocks were dropped that the guest reported free, {least} to {most} expected")

    def host_statistics(self, least, mark):
        """How often the guest has sent statistics since this was asked last, up to its @mark-th ledger."""
        self.trace.read_until_mark(int(mark))
        count = self.host.counts["statistics"] - self.statistics
        self.statistics += count
        self.report.add(count >= int(least), f"statistics were sent {count} times, at least {least} expected")

    def host_named(self, least, most="inf"):
        """How many pages were named on the inflate queue since this was asked last, up to the ledger read last."""
        count = self.host.counts["inflated"] - self.named
        self.named += count
        self.report.add(int(least) <= count <= float(most), f"{count} pages were named as inflated, {least} to {most} expected")

    def host_boot(self, *words):
        """When QEMU ends, the guest goes on in a new one, whose kernel has these words on its command line."""
        self.words = " ".join(words)

    def host_kexec(self):
        """Another kernel is about to take over, without giving pages back."""
        self.host.new_kernel = True

    def host_wakeup(self):
        """Wake the guest when it has suspended."""
        if suspended := self.machine.control.event("SUSPEND", SUSPEND_SECONDS * self.slow):
            self.machine.control.command("system_wakeup")
        self.report.add(suspended, "the guest suspends")

    def host_migrate(self, *sizes):
        """
        Move the guest to a new QEMU. On its way it is asked for a balloon of each of these sizes, and for one of the last
        size when it has arrived, which tells it so.
        """
        source, address = self.machine, f"unix:{self.work}/migration"
        target = self.new_machine(further=("-incoming", address))
        release(target)
        source.control.command("migrate-set-parameters", **{"max-bandwidth": SLOW_MIGRATION, "downtime-limit": 2000})
        source.control.command("migrate", uri=address)
        for mib in sizes[:-1]:
            self.host_balloon(mib)
            there = self.until(lambda mib=mib: source.control.balloon_mib(self.mem) == int(mib), 20)
            self.report.add(there, f"balloon of {mib} MiB on the way")
        if "free-page-hint=on" in self.scenario.get("balloon-options"):
            self.until(source.unsent_pages, 20)
            self.report.add((unsent := source.unsent_pages()) > 0, f"{unsent} pages are not sent thanks to hints")
        source.control.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.until(lambda: source.migration().get("status") in ("completed", "failed", None), MIGRATION_SECONDS)
        status = source.migration()
        if status.get("status") != "completed" or not self.until(target.runs, MIGRATION_SECONDS, target):
            raise HarnessError(f"migration {status.get('status')} {status.get('error-desc', '')} {target.error_text()}")
        source.process.kill()
        source.process.wait()
        self.trace.read_until_mark(0)
        self.attach(target, self.host)
        self.host_balloon(sizes[-1])

    def until(self, condition, seconds, machine=None):
        """Wait for something of which QEMU gives no notice; says whether it came."""
        machine = machine or self.machine
        limit = machine.own.seconds() + seconds * self.slow
        while not (true := condition()) and machine.own.seconds() < limit:
            time.sleep(0.01)
        return bool(true)

    def host_note(self, *pairs):
        self.report.notes.update(pair.split("=", 1) for pair in pairs)

    def host_count(self, label, mark):
        self.trace.read_until_mark(int(mark))
        self.report.counts[label] = {**self.host.moment(), "resident": self.machine.resident_pages()}

    def host_coverage(self, what):
        if what == "begin":
            self.coverage = []
        else:
            coverage.keep(self.coverage_path, "".join(self.coverage))
            self.coverage = None

    def host_ledger(self, what, mark="0", foreign="0"):
        if what == "begin":
            self.guest_ledger = set()
            self.ledger_mark, self.ledger_foreign = int(mark), int(foreign)
        else:
            self.judge_ledger()
            self.guest_ledger = None

    def ledger_block(self, text):
        try:
            self.guest_ledger.update(ledger.pages_of_block(text))
        except ValueError:
            raise HarnessError(f"the guest's ledger has a line that is no block: {text!r}") from None

    def judge_ledger(self):
        if not self.trace.read_until_mark(self.ledger_mark):
            self.report.add(False, f"QEMU's trace has no mark {self.ledger_mark}")
            return
        self.host.new_kernel = False
        self.report.ledgers.append({"guest": len(self.guest_ledger), "host": len(self.host.pages),
                                    "guest_only": len(self.host.guest_only(self.guest_ledger)),
                                    "host_only": len(self.host.host_only(self.guest_ledger))})
        differences = ledger.compare(self.host, self.guest_ledger, self.ledger_foreign)
        text = "; ".join(differences) or f"host ledger equals guest ledger: {len(self.guest_ledger)} pages"
        self.report.add(not differences, text)
