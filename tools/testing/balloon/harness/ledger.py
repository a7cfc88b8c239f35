# SPDX-License-Identifier: GPL-2.0
"""
What the host was told, page by page, read from QEMU's trace log; nothing of ours takes part in it.

Relevant records, in the order in which things happened (a balloon's queues are served synchronously):
	virtio_queue_notify vdev V n N vq Q		the guest kicked queue N
	virtio_balloon_handle_output section name: S gpa: G	the guest named this page on the queue just kicked
	ram_block_discard_range R@HOST + LEN: ...	the host dropped memory; HOST is an address of QEMU's
	ram_block_discard_shared_range ...		the same, as QEMU 11 calls it
	pci_cfg_write NAME 00:0.0 @0x3c <- 0xK		the guest is about to read its own K-th ledger
	virtio_set_status vdev V val 0			the device was reset
	virtio_balloon_to_target balloon target: N ...	the host asks for another size
	memory_region_ops_read|write ... name 'virtio-pci-...-virtio-balloon'	the guest touched a register of the device
Discards after a kick of a queue past the deflate queue are reports: of free pages by the kernel, or of blocks of a balloon.
They look the same, so what has been reported may be in the balloon, and what was deflated may have been reported.
"""
import re

PAGE_SHIFT = 12
BLOCK_PAGES = 512
INFLATE, DEFLATE, STATISTICS = 0, 1, 2
LOW_MEMORY_LIMIT = 0xB0000000   # q35 puts memory below 4 GiB up to here; larger guests are split
LOW_MEMORY_IF_SPLIT = 0x80000000

NOTIFY = re.compile(r"virtio_queue_notify vdev (\S+) n (\d+) vq")
PAGE = re.compile(r"virtio_balloon_handle_output section name: (\S+) gpa: (?:0x)?([0-9a-f]+)")
DISCARD = re.compile(r"ram_block_discard_(?:shared_)?range \S+@0x([0-9a-f]+) \+ 0x([0-9a-f]+):")
RESET = re.compile(r"virtio_set_status vdev (\S+) val 0\b")
MARK = re.compile(r"pci_cfg_write \S+ 00:0+\.0 @0x3c <- 0x([0-9a-f]+)")


class HostLedger:
    """Fed with trace lines; knows at each moment which pages the host believes ballooned."""

    def __init__(self, ram_bytes, ram_address=0):
        self.ram_address = ram_address      # where QEMU has the guest's first byte
        self.split = LOW_MEMORY_IF_SPLIT if ram_bytes >= LOW_MEMORY_LIMIT else ram_bytes
        self.pages = set()          # named on the inflate queue and not since on the deflate queue
        self.reported = set()       # dropped as reported, and not named since
        self.counts = {"inflated": 0, "deflated": 0, "kicks": 0, "discards": 0, "reported": 0, "exits": 0, "statistics": 0,
                       "double_inflate": 0, "unknown_deflate": 0, "reported_in_balloon": 0}
        self.wished_at = 0          # pages inflated when another size was asked for last
        self.mark = 0
        self.in_kick = self.most_in_kick = 0    # discards since a queue was kicked, and the most of them
        self.queue = None
        self.kicked = self.balloon = None   # QEMU's addresses of the devices last kicked, and that named pages
        self.new_kernel = False     # with the next reset all memory is the guest's again, as another kernel takes over

    def feed(self, line):
        """Account for one record; unknown records are other people's."""
        if match := PAGE.search(line):
            self.named(int(match[2], 16) >> PAGE_SHIFT)
        elif match := NOTIFY.search(line):
            self.kicked, self.queue = match[1], int(match[2])
            self.counts["kicks"] += 1
            self.counts["statistics"] += self.queue == STATISTICS
            self.in_kick = 0
        elif "virtio_balloon_to_target" in line:
            self.wished_at = self.counts["inflated"]
        elif match := MARK.search(line):
            self.mark = int(match[1], 16)
        elif self.new_kernel and (match := RESET.search(line)) and match[1] == self.balloon:
            self.pages.clear()
            self.reported.clear()
        elif "memory_region_ops" in line:
            self.counts["exits"] += "name 'virtio-pci" in line and "balloon'" in line
        elif "ram_block_discard_" in line and (match := DISCARD.search(line)):
            self.discarded(int(match[1], 16), int(match[2], 16))

    def named(self, pfn):
        self.balloon = self.kicked
        if self.queue == INFLATE:
            self.counts["inflated"] += 1
            self.counts["double_inflate"] += pfn in self.pages
            self.pages.add(pfn)
        else:
            self.counts["deflated"] += 1
            self.counts["unknown_deflate"] += pfn not in self.pages and pfn not in self.reported
            self.pages.discard(pfn)
        self.reported.discard(pfn)

    def discarded(self, address, length):
        """A page of the balloon that is reported free would be used twice."""
        self.counts["discards"] += 1
        self.in_kick += 1
        self.most_in_kick = max(self.most_in_kick, self.in_kick)
        if self.queue is not None and self.queue > DEFLATE:
            first = self.guest_address(address - self.ram_address) >> PAGE_SHIFT
            pages = range(first, first + (length >> PAGE_SHIFT))
            self.counts["reported"] += 1
            self.counts["reported_in_balloon"] += not self.pages.isdisjoint(pages)
            self.reported.update(pages)

    def moment(self):
        """The counts, and the most discards in one kick since the moment before."""
        counts = {**self.counts, "most_in_kick": self.most_in_kick}
        self.in_kick = self.most_in_kick = 0
        return counts

    def guest_only(self, guest):
        """Pages of the guest's ledger of which the host was not told."""
        return guest - self.pages - self.reported

    def host_only(self, guest):
        return self.pages - guest

    def guest_address(self, offset):
        return offset if offset < self.split else (1 << 32) + offset - self.split


class TraceReader:
    """Feeds a ledger from a growing log, whole lines only."""

    def __init__(self, path, ledger):
        self.path, self.ledger = path, ledger
        self.offset = 0

    def read_until_mark(self, mark):
        """Up to the @mark-th ledger of the guest, or to the end if it never comes; says which."""
        with open(self.path, "rb") as log:
            log.seek(self.offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self.ledger.feed(line.decode("ascii", "replace"))
                if mark and self.ledger.mark == mark % 256 and b"pci_cfg_write" in line:
                    return True
        return False


def pages_of_block(text):
    """The pages of one line of the guest's ledger, see guest/ledger.c."""
    number, *words = (int(word, 16) for word in text.split())
    first = number * BLOCK_PAGES
    if not words:
        return range(first, first + BLOCK_PAGES)
    if len(words) * 64 != BLOCK_PAGES:
        raise ValueError(text)
    return [first + i for i in range(BLOCK_PAGES) if words[i // 64] >> i % 64 & 1]


def compare(host, guest, foreign=0):
    """
    Differences between the host's and the guest's ledger, as text; an empty list is equality.

    @foreign pages of the guest's ledger belong to a device that this host does not know; some may have been reported as free.
    """
    unknown, unnamed = host.guest_only(guest), guest - host.pages
    stale = host.host_only(guest)
    differences = []
    if not len(unknown) <= foreign <= len(unnamed):
        differences.append(f"{len(unknown)} to {len(unnamed)} pages ballooned in the guest only, {foreign} expected{sample(unknown)}")
    if stale:
        differences.append(f"{len(stale)} pages ballooned for the host only, the guest uses them{sample(stale)}")
    for count in ("double_inflate", "unknown_deflate", "reported_in_balloon"):
        if host.counts[count]:
            differences.append(f"{count} {host.counts[count]}")
    return differences


def sample(pages):
    return f" (pfn {', '.join(hex(pfn) for pfn in sorted(pages)[:3])} ...)" if pages else ""
