#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Statistics as QEMU reads them are between what the guest counted before and after.
# timeout: 90

meminfo() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }

# What QEMU 7.2 knows by name; the others it ignores.
sample() {
	echo "stat-major-faults $(vmstat pgmajfault)"
	echo "stat-minor-faults $(vmstat pgfault)"
	echo "stat-swap-in $(($(vmstat pswpin) * 4096))"
	echo "stat-swap-out $(($(vmstat pswpout) * 4096))"
	echo "stat-total-memory $(($(meminfo MemTotal) * 1024))"
	[ -z "$(vmstat htlb_buddy_alloc_success)" ] || huge_pages
}

huge_pages() {
	echo "stat-htlb-pgalloc $(vmstat htlb_buddy_alloc_success)"
	echo "stat-htlb-pgfail $(vmstat htlb_buddy_alloc_fail)"
}

load_driver
# While the balloon compacts itself, a part of what is free is set aside for a moment.
hold_still
balloon_to 100
[ ! -e /proc/sys/vm/nr_hugepages ] || echo 10 >/proc/sys/vm/nr_hugepages
sample >/tmp/before
# The host obeys in turn: when it asks for other balloons, it has got them.
echo "# host: stats read"
balloon_to 101
balloon_to 100
sample >/tmp/after
while read -r name least <&3 && read -r _ most <&4; do
	echo "# host: stats between $name $least $most"
done 3</tmp/before 4</tmp/after
free=$(($(meminfo MemFree) * 1024))
available=$(($(meminfo MemAvailable) * 1024))
cached=$(($(meminfo Cached) * 1024))
near=$((32 << 20))
echo "# host: stats between stat-free-memory $((free - near)) $((free + near))"
echo "# host: stats between stat-available-memory $((available - near)) $((available + near))"
echo "# host: stats between stat-disk-caches $((cached - near)) $((cached + near))"
ledger
