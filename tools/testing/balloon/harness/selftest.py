# SPDX-License-Identifier: GPL-2.0
"""
The harness must be able to say no: each judgement is shown something wrong and has to notice.

	cd tools/testing/balloon && python3 -m unittest harness.selftest
"""
import io
import tempfile
import unittest
from pathlib import Path

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

    def test_reported_range_counts_as_told(self):
        discard = "ram_block_discard_range pc.ram@0x7f0000200000 + 0x200000: madvise: 1 fallocate: 0 ret: 0"
        self.assertEqual(ledger.compare(host(REPORT, discard), set(range(512, 1024))), [])
        self.assertNotEqual(ledger.compare(host(INFLATE, discard), {512}), [])

    def test_addresses_above_the_hole(self):
        big = ledger.HostLedger(4 << 30)
        self.assertEqual(big.guest_address(0x80000000), 1 << 32)
        self.assertEqual(ledger.HostLedger(2 << 30).guest_address(0x7FFFF000), 0x7FFFF000)

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


if __name__ == "__main__":
    unittest.main()
