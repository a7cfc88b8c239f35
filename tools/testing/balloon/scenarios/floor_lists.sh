#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Much of what is free is on the processors' own lists, nothing can be reclaimed, and the host asks for nearly all memory:
# the floor leaves what any processor can have.
# smp: 4
# mem: 640
# timeout: 120

lists() { awk '/^ *count:/ { n += $2 } END { print n }' /proc/zoneinfo; }

# on_cpu CPU MIB: a program that needs so much memory, and is the first to go.
on_cpu() {
	: >"/tmp/cpu$1"		# of what was there before, nothing is to be read
	(echo 1000 >/proc/self/oom_score_adj && exec taskset -c "$1" verify "$2") >"/tmp/cpu$1" 2>&1 &
	echo $! >"/tmp/cpu$1.pid"
	wait_until 30 ready_or_gone "cpu$1"
	grep -q ready "/tmp/cpu$1"
}

load_driver
echo 8 >/proc/sys/vm/percpu_pagelist_high_fraction
for cpu in 0 1 2 3; do
	on_cpu $cpu 40 || not_ok "memory passes through processor $cpu"
	stop cpu$cpu
done
say "$(lists) pages on the lists of the processors, floor $(balloon_value floor_pages)"
host_balloon "$MEM_MIB"
check "the balloon stops growing" wait_until 40 standing
say "balloon of $(balloon_pages) pages, $(lists) pages on the lists"
for cpu in 0 1 2 3; do
	check "3 MiB can be had on processor $cpu" on_cpu $cpu 3
	stop cpu$cpu
done
for i in 1 2 3 4 5 6 7 8 9 10; do
	equal "programs run: $i" 3 "$(echo a b c | tr abc ABC | wc -w)"
done
equal "nobody was killed" 0 "$(vmstat oom_kill)"
balloon_to 100 60
ledger
