# SPDX-License-Identifier: GPL-2.0
"""
The harness must be able to say no: each judgement is shown something wrong and has to notice.

	cd tools/testing/balloon && python3 -m unittest harness.selftest
"""
import contextlib
import io
import lzma
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from experiments import bench, bench_figures, bench_page, bench_profile, compare, measure, report

from . import build, debian, guest, initramfs, kernels, ktap, ledger, qemu, scenario
from .common import ROOT, TESTS, HarnessError, Progress, reason, table_line

INFLATE = "virtio_queue_notify vdev 0x55 n 0 vq 0x1"
DEFLATE = "virtio_queue_notify vdev 0x55 n 1 vq 0x2"
REPORT = "virtio_queue_notify vdev 0x55 n 3 vq 0x3"


def page(pfn):
    return f"virtio_balloon_handle_output section name: pc.ram gpa: {pfn << 12:#x}"


def host(*lines):
    told = ledger.HostLedger(1 << 30, 0x7F0000000000)
    for line in lines:
        told.feed(line)
    return told


class Ledger(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(ledger.compare(host(INFLATE, page(16), page(17), DEFLATE, page(16)), {17}), [])

    def test_page_that_only_the_guest_knows(self):
        self.assertIn("guest only", ledger.compare(host(INFLATE, page(16)), {16, 17})[0])

    def test_page_that_only_the_host_knows(self):
        self.assertIn("host only", ledger.compare(host(INFLATE, page(16), page(17)), {16})[0])

    def test_page_inflated_twice(self):
        self.assertEqual(ledger.compare(host(INFLATE, page(16), page(16)), {16}), ["double_inflate 1"])

    def test_page_deflated_that_never_was_inflated(self):
        self.assertEqual(ledger.compare(host(DEFLATE, page(16)), set()), ["unknown_deflate 1"])

    def test_pages_of_another_device(self):
        self.assertEqual(ledger.compare(host(INFLATE, page(16)), {16, 17}, foreign=1), [])
        self.assertNotEqual(ledger.compare(host(INFLATE, page(16)), {16}, foreign=1), [])

    def test_reported_range_may_be_the_balloons(self):
        discard = "ram_block_discard_range pc.ram@0x7f0000200000 + 0x200000: madvise: 1 fallocate: 0 ret: 0"
        self.assertEqual(host(REPORT, discard).counts["reported"], 1)
        self.assertEqual(host(REPORT, discard.replace("range", "shared_range")).counts["reported"], 1)
        self.assertEqual(ledger.compare(host(REPORT, discard), set(range(512, 1024))), [])
        self.assertNotEqual(ledger.compare(host(REPORT, discard), {511}), [])
        self.assertEqual(ledger.compare(host(REPORT, discard), {511, 512, 513}, foreign=2), [])
        for wrong in (0, 4):
            self.assertNotEqual(ledger.compare(host(REPORT, discard), {511, 512, 513}, foreign=wrong), [])
        self.assertEqual(ledger.compare(host(INFLATE, page(16), REPORT, discard), {16}), [])
        self.assertNotEqual(ledger.compare(host(INFLATE, page(513), REPORT, discard), {513}), [])
        self.assertEqual(ledger.compare(host(REPORT, discard, DEFLATE, page(513)), set()), [])
        self.assertNotEqual(ledger.compare(host(REPORT, discard, DEFLATE, page(513)), {513}), [])
        self.assertNotEqual(ledger.compare(host(REPORT, discard, DEFLATE, page(513), page(513)), set()), [])

    def test_reset_by_a_new_kernel_only_gives_all_memory_back(self):
        for reset in ("virtio_set_status vdev 0x55 val 0", "virtio_set_status vdev 0x56 val 0"):
            told = host(INFLATE, page(16), reset)
            self.assertEqual(told.pages, {16})
            told.new_kernel = True
            told.feed(reset)
            self.assertEqual(told.pages, set() if "0x55" in reset else {16})

    def test_blocks_of_the_guest(self):
        self.assertEqual(list(ledger.pages_of_block("2")), list(range(1024, 1536)))
        self.assertEqual(ledger.pages_of_block("a 3 0 0 0 0 0 0 8000000000000000"), [5120, 5121, 5631])
        for torn in ("", "2 3", "x"):
            self.assertRaises(ValueError, ledger.pages_of_block, torn)

    def test_addresses_above_the_hole(self):
        big = ledger.HostLedger(4 << 30)
        self.assertEqual(big.guest_address(0x80000000), 1 << 32)
        self.assertEqual(ledger.HostLedger(2 << 30).guest_address(0x7FFFF000), 0x7FFFF000)

    def test_mark_by_the_bridge_of_any_machine(self):
        for bridge in ("mch", "gpex-root"):
            self.assertEqual(host(f"pci_cfg_write {bridge} 00:00.0 @0x3c <- 0x7").mark, 7)
        self.assertEqual(host("pci_cfg_write mch 00:01.0 @0x3c <- 0x7").mark, 0)

    def test_pages_after_the_last_wish(self):
        wish = "virtio_balloon_to_target balloon target: 0x1000 num_pages: 1"
        told = host(wish, INFLATE, page(16), wish, page(17), page(18))
        self.assertEqual(told.counts["inflated"] - told.wished_at, 2)

    def test_most_discards_in_one_kick(self):
        discard = "ram_block_discard_range pc.ram@0x7f0000200000 + 0x1000: madvise: 1 fallocate: 0 ret: 0"
        told = host(INFLATE, discard, discard, INFLATE, discard, discard, discard, REPORT, discard)
        self.assertEqual(told.moment()["most_in_kick"], 3)
        self.assertEqual(told.moment()["most_in_kick"], 0)

    def test_trace_stops_at_the_mark(self):
        with tempfile.NamedTemporaryFile("w", suffix=".trace") as log:
            log.write("\n".join([INFLATE, page(1), "pci_cfg_write mch 00:00.0 @0x3c <- 0x1", page(2), "half"]))
            log.flush()
            reader = ledger.TraceReader(log.name, host())
            self.assertTrue(reader.read_until_mark(1))
            self.assertEqual(reader.ledger.pages, {1})
            self.assertFalse(reader.read_until_mark(2))
            self.assertEqual(reader.ledger.pages, {1, 2})


class Ktap(unittest.TestCase):
    LOG = """[    1.0] before: ok 1 - is no result
[    1.000000] KTAP version 1
[    1.000000] 1..1
[    1.000000]     KTAP version 1
[    1.000000]     # Subtest: blocks
[    1.000000]     1..3
[    1.000000]     ok 1 empty
[    1.100000]     # full: EXPECTATION FAILED
[    1.100000][    T1]     not ok 2 full
[    1.100000]     ok 3 huge # SKIP no memory
[    1.100000] not ok 1 blocks""".splitlines()

    def test_kernel_log_counts_cases(self):
        self.assertEqual(ktap.count(ktap.kernel_log_results(self.LOG)), (1, 1, 1))

    def test_rendered_is_read_again(self):
        results = ktap.kernel_log_results(self.LOG)
        self.assertEqual(ktap.count(ktap.parse(ktap.render(results))), ktap.count(results))

    def test_parent_that_failed_alone_counts(self):
        self.assertEqual(ktap.count([ktap.Result(False, "suite", [ktap.Result(True, "case")])]), (1, 1, 0))

    def test_suite_that_never_ended_counts_as_failure(self):
        cut = [line for line in self.LOG if not line.endswith("blocks") or "Subtest" in line]
        self.assertGreaterEqual(ktap.count(ktap.kernel_log_results(cut))[1], 2)


class Console(unittest.TestCase):
    WARNING = ["[ 1.0] ------------[ cut here ]------------", "[ 1.0] WARNING: CPU: 0 PID: 1 at mm/x.c:1 provoked+0x1",
               "[ 1.0] Call Trace:", "[ 1.0] ---[ end trace 0 ]---"]

    def test_every_complaint_is_found(self):
        for line in ("BUG: sleeping function", "WARNING: CPU: 0", "Oops: 0000", "INFO: task x blocked for more than 120",
                     "BUG: Bad page state in process", "WARNING: possible recursive locking detected",
                     "rcu: INFO: rcu_sched self-detected stall on CPU", "unable to handle page fault"):
            self.assertTrue(guest.complaints([line], ""), line)

    def test_every_report_of_a_debug_kernel_is_found(self):
        for line in ("BUG: KASAN: slab-use-after-free in balloon_batch_settle+0x10/0x20 [balloon_compaction]",
                     "WARNING: possible circular locking dependency detected", "WARNING: inconsistent lock state",
                     "BUG: MAX_LOCKDEP_ENTRIES too low!", "INFO: trying to register non-static key.",
                     "[ BUG: Invalid wait context ]", "lockdep is turned off", "kernel BUG at lib/list_debug.c:59!",
                     "BUG: sleeping function called from invalid context at mm/x.c:1",
                     "ODEBUG: free active (active state 0) object: 00000000 object type: timer_list hint: x+0x0/0x10",
                     "list_del corruption. prev->next should be ffff, but was dead", "pagealloc: memory corruption",
                     "pagealloc: single bit error", "refcount_t: underflow; use-after-free.",
                     "page dumped because: VM_BUG_ON_PAGE(PageTail(page))", "BUG kmalloc-64 (Not tainted): Poison overwritten",
                     "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
                     "kmemleak: Kernel memory leak detector disabled",
                     "unreferenced object 0xffff888003a1f000 (size 96):"):
            self.assertTrue(guest.complaints([f"[    1.000000] {line}"], ""), line)

    def test_what_a_debug_kernel_says_of_itself_is_no_complaint(self):
        for line in ("kmemleak: Kernel memory leak detector initialized (mem pool available: 15000)",
                     "kcsan: enabled early", "page_owner is enabled", "Lock dependency validator: Copyright (c) 2006"):
            self.assertEqual(guest.complaints([f"[    1.000000] {line}"], ""), [])

    RACE = ["=" * 66, "BUG: KCSAN: data-race in one / other", "", "write to 0xffff of 8 bytes by task 1 on cpu 0:",
            " one+0x10/0x20", "read to 0xffff of 8 bytes by task 2 on cpu 1:", " other+0x10/0x20",
            "Reported by Kernel Concurrency Sanitizer on:", "=" * 66]

    def races(self, *lines):
        kept, foreign = guest.without_foreign_races(list(lines))
        return len(guest.complaints(kept, "")), foreign

    def test_race_of_the_kernel_is_excused_and_counted(self):
        self.assertEqual(self.races(*self.RACE, *self.RACE), (0, 2))

    def test_race_of_ours_is_not_excused(self):
        for frame in (" balloon_actual+0x1/0x2 [balloon_compaction]", " vb_submit+0x1/0x2 [virtio_balloon]",
                      " balloon_actual+0x1/0x2", " null_balloon_timer+0x1/0x2 [null_balloon]"):
            self.assertEqual(self.races(*self.RACE, *self.RACE[:5], frame, *self.RACE[5:]), (1, 1), frame)

    def test_race_with_a_look_without_lock_is_excused(self):
        title = "BUG: KCSAN: data-race in __ClearPageMovable / isolate_movable_page"
        frame = " balloon_page_migrate+0x1/0x2 [balloon_compaction]"
        self.assertEqual(self.races(self.RACE[0], title, *self.RACE[2:5], frame, *self.RACE[5:]), (0, 1))

    def test_race_without_an_end_is_not_excused(self):
        self.assertEqual(self.races(*self.RACE[:-1]), (1, 0))

    def test_complaint_between_races_is_not_excused(self):
        self.assertEqual(self.races(*self.RACE, "WARNING: CPU: 0", *self.RACE), (1, 2))

    def test_provoked_warning_is_excused_with_its_trace(self):
        self.assertEqual(guest.complaints(self.WARNING, "provoked"), [])

    def test_other_warning_is_not_excused(self):
        self.assertEqual(len(guest.complaints(self.WARNING + ["BUG: other"], "provoked")), 1)
        self.assertEqual(len(guest.complaints(self.WARNING, "")), 2)


class Bounds(unittest.TestCase):
    """Nobody is a hang because others have the processor; who spins or sleeps for ever is."""
    SPINS, SLEEPS = "while :; do :; done", "exec sleep 1000"

    def setUp(self):
        """A bound that is never reached fails the test."""
        def never(*_):
            raise AssertionError("the bound is not reached")
        signal.signal(signal.SIGALRM, never)
        signal.alarm(300)
        self.addCleanup(signal.alarm, 0)

    def start(self, script):
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE)     # pylint: disable=consider-using-with
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def own_share(self, script, neighbours=0):
        """Of two seconds on one processor, the share that is a process's own."""
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})     # which those inherit that are started
        try:
            for _ in range(neighbours):
                self.start(self.SPINS)
            process = self.start(script)
        finally:
            os.sched_setaffinity(0, allowed)
        own, begin = qemu.OwnTime(process.pid), time.monotonic()
        time.sleep(2)
        return own.seconds() / (time.monotonic() - begin)

    def test_time_passes_for_who_sleeps(self):
        self.assertGreater(self.own_share(self.SLEEPS, neighbours=4), 0.8)

    def test_time_stands_still_for_who_waits_for_a_processor(self):
        self.assertLess(self.own_share(self.SPINS, neighbours=4), 0.5)
        self.assertGreater(self.own_share(self.SPINS, neighbours=4), 0)

    def listen(self, script):
        """Does a guest of one second come to its end by itself?"""
        with tempfile.TemporaryDirectory() as work:
            kernel = SimpleNamespace(slow=1, version="none", series="none", fragment=build.NONE)
            entry = scenario.Scenario(Path("none.sh"), {"timeout": "1"})
            session = guest.Session(entry, kernel, None, Path(work), guest.Report("none"))
            process = self.start(f"echo KTAP version 1; {script}")
            session.machine = SimpleNamespace(process=process, own=qemu.OwnTime(process.pid))
            ended = session.listen(lambda line: None)
            self.assertTrue(session.greeted)
            return ended

    def test_guest_that_ends_is_no_hang(self):
        self.assertTrue(self.listen("echo 1..0"))

    def test_guest_that_spins_is_a_hang(self):
        self.assertFalse(self.listen(self.SPINS))

    def test_guest_that_sleeps_for_ever_is_a_hang(self):
        self.assertFalse(self.listen(self.SLEEPS))

    def test_guest_that_talks_for_ever_is_a_hang(self):
        self.assertFalse(self.listen("while :; do echo '# still here'; sleep 0.1; done"))

    def test_qemu_that_does_not_answer(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        theirs.sendall(b'{"QMP": {}}\n{"return": {}}\n{"event": "RESUME"}\n')
        control = qemu.Qmp(ours, qemu.OwnTime(self.start(self.SLEEPS).pid))
        self.assertTrue(control.event("RESUME", 1))
        self.assertFalse(control.event("RESUME", 1))
        with self.assertRaisesRegex(HarnessError, "does not answer"), mock.patch.object(qemu, "QMP_SECONDS", 1):
            control.command("query-status")
        theirs.close()
        self.assertIsNone(control.command("query-status"))


class Courtesy(unittest.TestCase):
    """What a run says while it runs, and when it cannot or shall not go on."""

    def python(self, script, cwd=TESTS):
        process = subprocess.Popen(["python3", "-c", script], cwd=cwd, text=True,     # pylint: disable=consider-using-with
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_two_runs_at_a_time(self):
        with tempfile.TemporaryDirectory() as directory:
            script = f"from pathlib import Path; from harness import common\nwith common.locked(Path('{directory}')): print('in', flush=True); input()"
            first = self.python(script)
            first.stdout.readline()
            second = self.python(script)
            self.assertIn("waiting", second.stderr.readline())
            first.communicate("\n")
            self.assertEqual(second.communicate("\n")[0], "in\n")

    def test_interrupted(self):
        run = self.python("import subprocess, time; from harness import qemu; qemu.end_when_interrupted('it')\n"
                          "guest = subprocess.Popen(['sleep', '1000']); qemu.running.add(guest)\n"
                          "print(guest.pid, flush=True); time.sleep(1000)")
        guest_pid = int(run.stdout.readline())
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.communicate()[1], "it: interrupted, no guest is left running\n")
        self.assertEqual(run.returncode, 130)
        # Gone, or only not yet waited for by whoever inherits it.
        with contextlib.suppress(FileNotFoundError):
            self.assertIn("\nState:\tZ", Path(f"/proc/{guest_pid}/status").read_text())

    def test_path_with_a_space(self):
        with tempfile.TemporaryDirectory(suffix=" a b") as root:
            copy = Path(root, "tools/testing/balloon/harness")
            copy.mkdir(parents=True)
            for name in ("__init__.py", "common.py"):
                shutil.copy(TESTS / "harness" / name, copy)
            run = self.python("import harness.common", copy.parent)
            self.assertRegex(run.communicate()[1], r"\A[^\n]*has a space[^\n]*\n\Z")
            self.assertEqual(run.returncode, 1)

    def test_progress(self):
        progress = Progress(12)
        self.assertEqual((progress.begin(), progress.left()), ("[ 1/12]", ""))
        progress.started -= 60
        progress.end()
        self.assertEqual((progress.begin(), progress.left()), ("[ 2/12]", "about 11 min left"))

    def test_narrow_table(self):
        lines = table_line("page migrations that failed, but for lack of a target", "1 2", 24).split("\n")
        self.assertEqual(lines[0][25:], "1 2")
        self.assertLessEqual(max(map(len, lines)), 28)
        self.assertEqual(" ".join(lines).split(), "page migrations that 1 2 failed, but for lack of a target".split())


class Experiment(unittest.TestCase):
    COUNTS = {key: 0 for key in ("pgmigrate_fail", "callback_migrate_calls", "callback_no_target", "callback_putback",
                                 "callback_isolated")}
    BOOT = {"experiment": "scattered", "driver": "ours", "boot": 1, "complete": True, "problems": [], "logs": None, "round_ns": 5,
            "host": {"inflated": 100, "deflated": 100, "kicks": 1}, "delta": COUNTS, "ledger": {"guest_only": 0, "host_only": 0},
            "free_blocks": {"before": 1, "after": 2}, "map": {when: [[0, 512, 0, 0], [1, 0, 12, 500]] for when in ("before", "after")}}
    STOCK = {**BOOT, "driver": "stock"}
    DEAD = {**BOOT, "boot": 2, "complete": False, "problems": ["kernel log: <Oops>"], "logs": "out/logs/it", "ledger": None,
            "host": {}, "delta": {}, "round_ns": None}

    def page(self, *boots):
        return report.page({"kernel": "6.12", "qemu": "QEMU", "accelerator": "tcg", "commit": "abc, with changes", "date": "today",
                            "command": "run", "absent": [], "figures": compare.figures(boots), "repeats": {}, "boots": boots,
                            "seed": {"seed-64": compare.seed_table(boots, "seed-64")}})

    def test_page_says_what_was_measured(self):
        page = self.page(self.BOOT, self.STOCK)
        for text in ("abc, with changes", "QEMU", "tcg", "6.12", "today", "in each of 2 boots", "2 more that are zero"):
            self.assertIn(text, page)
        self.assertNotIn("boots failed", page)
        self.assertEqual(page.count("<svg viewBox"), 4 + page.count("class=aim"))

    def test_boot_that_failed_is_in_sight(self):
        page = self.page(self.BOOT, self.DEAD)
        self.assertTrue(measure.failed(self.DEAD))
        self.assertIn("1 of 2 boots failed", page)
        self.assertIn("kernel log: &lt;Oops&gt;; logs in <code>out/logs/it</code>", page)
        self.assertIn("stock: not measured", page)

    def test_page_of_nothing(self):
        self.assertIn("<strong>not measured</strong>", self.page())
        self.assertIn("<td>not measured</td>", self.page(self.DEAD))

    def test_pages_in_one_ledger_only_are_in_the_headline(self):
        page = self.page(self.BOOT, {**self.STOCK, "ledger": {"guest_only": 3, "host_only": 0}})
        self.assertIn("differed in 1 of 2 boots", page)

    def test_counted_boots_have_the_same_seed(self):
        self.assertEqual([measure.plan("exact", "ours", boot).settings["SEED"] for boot in (1, 2)], [1, 1])
        self.assertNotEqual(measure.plan("exact", "ours", 1).name, measure.plan("exact", "ours", 2).name)


class Files(unittest.TestCase):
    def test_scenario_with_a_mistyped_option(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
            file.write("#!/bin/sh\n# memory: 12\n")
            file.flush()
            with self.assertRaisesRegex(HarnessError, "unknown option 'memory'"):
                scenario.load(Path(file.name))

    def test_every_scenario_loads_and_says_what_it_is(self):
        for entry in scenario.load_all():
            self.assertTrue(entry.description, entry.name)

    def test_archive_is_padded(self):
        out = io.BytesIO()
        archive = initramfs.Cpio(out)
        archive.add("a", 0o100644, b"x")
        archive.finish()
        self.assertEqual(len(out.getvalue()) % 4, 0)

    def test_modules_load_in_the_order_of_their_needs(self):
        modules = {"ours/a": b"\0depends=b,c\0", "ours/b": b"\0depends=c\0", "kernel/c": b"\0depends=\0"}
        self.assertIn("ours/a: kernel/c ours/b ours/a", initramfs.load_order(modules))

    def test_kernel_names(self):
        self.assertTrue(kernels.answers("6.1.0-56-cloud-amd64", "6.1"))
        self.assertFalse(kernels.answers("6.12.1-cloud-amd64", "6.1"))
        with self.assertRaises(HarnessError):
            kernels.resolve("newest")

    def test_package_that_no_release_has(self):
        class Nothing(debian.Apt):
            def cache(self, *arguments):
                return ""
        with mock.patch.object(debian, "apts", lambda: [Nothing()]):
            for ask in (lambda: kernels.resolve("6.1"), lambda: kernels.packages("6.1.0-0-cloud-amd64"),
                        lambda: debian.download_source("linux-source-6.1", Path("/nonexistent/tree"))):
                self.assertRaisesRegex(HarnessError, "bookworm, trixie, trixie-backports, nor in this machine's own sources", ask)

    def test_lists_that_cannot_be_had(self):
        """What to write into the sources is said, with the machine's own mirror if it has one."""
        with tempfile.TemporaryDirectory() as directory, mock.patch.object(debian, "CACHE", Path(directory)), \
                mock.patch.object(debian, "mirrors", lambda: (f"file:{directory}/debian", f"file:{directory}/security")), \
                contextlib.redirect_stderr(io.StringIO()):
            self.assertRaisesRegex(HarnessError, f"no linux-source-6.12, .* file:{directory}/security bookworm-security main; then run",
                                   debian.Release("bookworm").has, "linux-source-6.12")

    def test_stock_module_that_is_nowhere(self):
        with tempfile.TemporaryDirectory() as directory:
            tree = Path(directory)
            kernel = kernels.Kernel("6.1", tree, tree, tree, tree)
            (tree / "modules.builtin").write_text("kernel/drivers/virtio/virtio_pci.ko\n")
            (tree / "kernel").mkdir()
            with lzma.open(tree / "kernel/virtio_balloon.ko.xz", "wb") as file:
                file.write(b"\0depends=\0")
            self.assertEqual(list(initramfs.with_dependencies(kernel, ("virtio_pci", "virtio_balloon"))), ["virtio_balloon"])
            self.assertRaisesRegex(HarnessError, "configfs is neither", initramfs.with_dependencies, kernel, ("configfs",))

    def test_full_disk_is_named_first(self):
        self.assertIn("no space left", reason("dpkg: x\ntar: y: No space left on device\nE: failed"))


class Scripts(unittest.TestCase):
    """What scripts say to wrong input, and that a check can fail."""
    def says(self, status, text, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, text in done.stdout + done.stderr), (status, True), done.stdout + done.stderr)

    def test_build_adapter(self):
        script = ROOT / "scripts/build-adapter"
        self.says(1, "which driver? make adapter M=DIR KVER=V", script)
        self.says(1, "which driver?", script, "", "6.12")
        self.says(1, "is no directory", script, "/nonexistent", "6.12")
        with tempfile.TemporaryDirectory() as directory:
            self.says(1, "has neither Kbuild nor Makefile", script, directory, "6.12")

    def test_header_beside_the_kernels_own(self):
        """Each of the two alone is no fault of the include path."""
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "linux").mkdir()
            Path(directory, "linux/balloon_compaction.h").touch()
            command = ["gcc", "-E", "-x", "c", "-nostdinc", f"-I{ROOT}/include", f"-I{directory}", "-"]
            done = subprocess.run(command, input="#include <linux/balloon_compaction.h>\n", capture_output=True, text=True,
                                  check=False)
            self.assertIn("build with: make adapter M=DIR KVER=V", done.stderr)
            command.remove(f"-I{directory}")
            done = subprocess.run(command, input="#include <linux/balloon_compaction.h>\n", capture_output=True, text=True,
                                  check=False)
            self.assertNotIn("make adapter", done.stderr)

    def test_check_layers(self):
        script = ROOT / "scripts/check-layers"
        names = ["balloon_compaction", *(f"balloon/{path.stem}" for path in (ROOT / "mm/balloon").glob("*.c"))]
        with tempfile.TemporaryDirectory() as directory:
            def compiled(name, body):
                path = Path(directory, "mm", name).with_suffix(".o")
                path.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["gcc", "-c", "-x", "c", "-o", path, "-"], input=body, text=True, check=True)
            for name in names:
                compiled(name, f"void f_{Path(name).stem}(void) {{ }}\n")
            self.says(0, f"{len(names)} files, 0 arrows, no circle", script, directory)
            compiled("balloon/ranges", "void f_device(void); void f_ranges(void) { f_device(); }\n")
            self.says(1, "mm/balloon/ranges.c, layer 5, calls mm/balloon/device.c, layer 1", script, directory)
            compiled("balloon/ranges", "void f_index(void); void f_ranges(void) { f_index(); }\n")
            compiled("balloon/index", "void f_ranges(void); void f_index(void) { f_ranges(); }\n")
            self.says(1, "mm/balloon/index.c is part of a circle", script, directory)


class Bench(unittest.TestCase):
    STEP = {"number": "1", "what": "1024", "after": "0", "pages": 262144, "run": 262144 * 30, "ns": 5, "slab": 0,
            "host": {"kicks": 65, "exits": 70, "discards": 5}, "most_in_kick": 4}
    BOOT = {"experiment": "counted", "variant": "ours", "steps": [STEP], "problems": [], "ledger": 0, "ledgers": 1}

    @staticmethod
    def row(title, *boots):
        return next(row for row in bench_figures.figures(boots, []) if row["title"] == title)

    def test_what_was_not_measured_is_no_number(self):
        for boots in ([], [{**self.BOOT, "steps": [], "ledgers": 0}]):
            for row in bench_figures.figures(boots, []):
                self.assertIsNone(row["ours"], row["title"])
                self.assertIn(compare.verdict(row), ("", "not measured"))

    def test_aim_that_is_missed(self):
        for title in ("notifications per GiB inflated", "guest instructions per 4 KiB inflated, whole blocks"):
            self.assertEqual(compare.verdict(self.row(title, self.BOOT)), "not reached")
        self.assertEqual(compare.verdict(self.row("exits to the host's userspace per GiB inflated", self.BOOT)), "yes")

    def test_most_in_one_notification_is_of_the_worst_boot(self):
        row = self.row("discards in one notification, at most, 1 GiB inflated", self.BOOT,
                       {**self.BOOT, "steps": [{**self.STEP, "most_in_kick": 9}]})
        self.assertEqual((row["ours"], row["stock"]), (9, None))

    def test_page_in_one_ledger_only(self):
        row = self.row("pages in one ledger only, host's or guest's", {**self.BOOT, "ledger": 3}, self.BOOT)
        self.assertEqual((row["ours"], row["stock"], row["reached"]), (3, None, False))

    def test_balloon_of_another_size_is_another_step(self):
        boot = {**self.BOOT, "steps": [{**self.STEP, "pages": 262143}]}
        self.assertIsNone(self.row("notifications per GiB inflated", boot)["ours"])

    def test_lines_of_a_guest(self):
        values, steps = {}, []
        listen = bench.collector(values, steps)
        for line in ("# allocator_pages_alloc_ns 7", "# busy 1 2 3", "# step 1 1024", "# busy -5 2 3", "# slab -8", "# other 1"):
            listen(line)
        self.assertEqual(values, {"allocator_pages_alloc_ns": 7})
        self.assertEqual(steps, [{"number": "1", "what": "1024", "after": "0", "pages": -5, "run": 2, "ns": 3, "slab": -8}])

    def test_page_of_nothing_and_of_a_step(self):
        for boots in ([], [self.BOOT]):
            results = {"kernel": "", "qemu": "", "accelerator": "", "commit": "", "date": "", "command": "", "boots": boots,
                       "figures": bench_figures.figures(boots, [])}
            self.assertEqual("<polyline" in bench_page.page(results), bool(boots))

    def test_profile_counts_the_driver_alone(self):
        symbols = bench_profile.Symbols()
        for address, name, module in ((1 << 63, "__switch_to_asm", None), (3 << 62, "work", "virtio_balloon")):
            symbols.add(address, name, module)
        symbols.finish()
        def run(*addresses):
            return [b"Trace 0: 0x7f [00000000/%016x/00c0/ff] \n" % address for address in (1 << 63, *addresses)]
        lines = [*run(3 << 62, 3 << 62), *run(3 << 62, 4096), *run((1 << 63) + 8), b"virtio_notify\n", *run()]
        self.assertEqual(bench_profile.count(lines, symbols), {1 << 63: 1, 3 << 62: 2})
        self.assertEqual(symbols.at((1 << 63) + 8), "__switch_to_asm")


if __name__ == "__main__":
    unittest.main()
