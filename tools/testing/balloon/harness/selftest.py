# SPDX-License-Identifier: GPL-2.0
"""
The harness must be able to say no: each judgement is shown something wrong and has to notice.

	cd tools/testing/balloon && python3 -m unittest harness.selftest
"""
import io
import tempfile
import unittest
from pathlib import Path

from experiments import bench, bench_figures, bench_page, bench_profile, compare

from . import guest, initramfs, kernels, ktap, ledger, scenario
from .common import HarnessError, reason

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

    def test_full_disk_is_named_first(self):
        self.assertIn("no space left", reason("dpkg: x\ntar: y: No space left on device\nE: failed"))


class Bench(unittest.TestCase):
    STEP = {"number": "1", "what": "1024", "after": "0", "pages": 262144, "run": 262144 * 30, "ns": 5, "slab": 0,
            "host": {"kicks": 65, "exits": 70, "discards": 5}}
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
            results = {"kernel": "", "qemu": "", "date": "", "command": "", "boots": boots,
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
