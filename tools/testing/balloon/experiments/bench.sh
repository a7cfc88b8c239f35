#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon that goes up and down, and what each step costs.
# timeout: 560
# trace: memory_region_ops_read memory_region_ops_write
#
# The bench sets STEPS, see step(), PIECES (the order of what our driver takes at once), USED (MiB that are written to by the
# step "use", 0: nearly all that are available), ALLOCATOR (1: the kernel's allocator alone is measured first), WATCH (1: how long interrupts are off is measured), UNASKED (1: the
# balloon may do what it does by itself)
# and REST (seconds before each step: for half a minute after many single pages came and went, the kernel empties the
# processors' lists). Lines "# step N WHAT", "# busy PAGES RUN NS" and "# KEY VALUE" are of one step; what the host counted is
# between the counts "N" and "Nend".

TRACING=/sys/kernel/debug/tracing
FLAPS="1 2 3 4 5 6 7 8 9 10"

# mark LABEL: what the host has seen until now.
mark() {
	LEDGERS=$((LEDGERS + 1))
	ledger_blocks -M $LEDGERS
	echo "# host: count $1 $LEDGERS"
}

# took COMMAND...: and how long it was on its way.
took() {
	start=$(centiseconds)
	"$@"
	say "busy 0 0 $((($(centiseconds) - start) * 10000000))"
}

resize() {
	# shellcheck disable=SC2034 # target_seen compares with it
	TARGET=$(($1 * PAGES_PER_MIB))
	check "balloon of $1 MiB" busy "$1"
}

# A file's pages are written, and free again: movable ones, so that what has holes stays of use to movable pages.
use() {
	[ "$USED" -gt 0 ] || USED=$(awk '/^MemAvailable/ { print int($2 / 1024) - 96 }' /proc/meminfo)
	mkdir -p /tmp/used
	mount -t tmpfs -o size=100% tmpfs /tmp/used
	dd if=/dev/zero of=/tmp/used/file bs=1M count="$USED" 2>/dev/null || not_ok "memory is used"
	umount /tmp/used
}

# The host wants 1 GiB and nothing in turns, quicker than either can be had.
flap() {
	for _ in $FLAPS; do
		host_balloon 1024
		sleep 0.1
		host_balloon 0
		sleep 0.1
	done
	check "at rest after all" wait_until 100 target_seen
}

# From here on, each step tells the longest time that interrupts were off.
watch() { echo irqsoff >$TRACING/current_tracer; }

# How long it was, between which two functions, and who called the second.
longest() {
	say "irqsoff $(cat $TRACING/tracing_max_latency)"
	say "between $(sed -nE 's/^(#| ) +=> (started at: |ended at: +)?//p; s/^ => //p' $TRACING/trace | head -n 6 | tr '\n' ' ')"
}

# allocator NAME PARAMETER...: what 1 GiB costs the kernel's allocator itself.
allocator() {
	name=allocator_$1
	shift
	check "$name" load_module test/allocator nr_pages=$((1024 * PAGES_PER_MIB)) "$@" || return
	for key in alloc_ns free_ns; do
		say "${name}_$key $(cat /sys/module/allocator/parameters/$key)"
	done
	rmmod allocator
}

allocators() {
	allocator blocks order=9
	allocator pages order=0
	allocator bulk bulk=1
}

# scatter RUN: in the holes of others, of so many pages.
scatter() {
	start fragment fragment 600 1 "$1"
	resize 300
	fragment_stop
}

# For how long this shell has run.
run() { read -r ns _ </proc/self/schedstat; }

# Pages that changed their place, by whatever means.
moved() { if [ "$DRIVER" = ours ]; then balloon_value stats/exchanged; else vmstat balloon_migrate; fi; }

# The balloon by itself, or the kernel, four times.
compact_balloon() {
	if [ "$DRIVER" = ours ]; then
		echo 1 >"$CLASS/balloon0/compact"
	else
		for _ in 1 2 3 4; do compact_once; done
	fi
}

# Free blocks, and how many there could be: the balloon in the holes that others leave, the rest of it in blocks.
free_blocks() {
	drain
	pagemap | awk 'NF == 4 {
			if ($4) holes += $2 + $3; else whole++
			balloon += $3
			free += $2 == 512
		}
		END {
			rest = balloon > holes ? balloon - holes : 0
			printf "# free %d\n# possible %d\n", free, whole - int((rest + 511) / 512)
		}'
}

compacted() {
	before=$(moved)
	run
	begin=$ns
	compact_balloon || not_ok "the balloon is compacted"
	run
	say "busy $(($(moved) - before)) $((ns - begin)) 0"
	free_blocks
}

slab() { sed -n 's/^Slab: *\([0-9]*\) kB/\1/p' /proc/meminfo; }

# whole MIB: what a balloon of this size leaves of the free blocks, when it is at rest.
whole() {
	drain
	say "free_before $(pagemap -s | sed 's/.* //')"
	# shellcheck disable=SC2034 # target_seen compares with it
	TARGET=$(($1 * PAGES_PER_MIB))
	check "balloon of $1 MiB" busy "$1" 30
	drain
	say "free $(pagemap -s | sed 's/.* //')"
}

# works MINUTE: how often a work item of the balloon ran in the next minute. What looks for holes queues another one at once.
works() {
	echo >$TRACING/trace
	sleep 60
	say "works_$1 $(grep balloon $TRACING/trace | grep -vc balloon_look_work)"
}

# The first minute at rest, and the tenth.
idle() {
	echo 1 >$TRACING/events/workqueue/workqueue_execute_start/enable
	works first
	sleep 480
	works tenth
	echo 0 >$TRACING/events/workqueue/workqueue_execute_start/enable
	say "busy 0 0 0"
}

# The kernel's own test of huge pages beside a balloon that is scattered.
huge() {
	drain	# as in round.sh
	start around fragment 850
	balloon_to 400
	stop around
	for file in enabled defrag; do
		echo always >/sys/kernel/mm/transparent_hugepage/$file
	done
	fallback=$(vmstat thp_fault_fallback) failed=$(vmstat compact_fail)
	transhuge-stress -d 3 420 >/tmp/stress 2>&1
	say "fallback $(($(vmstat thp_fault_fallback) - fallback))"
	say "compact_fail $(($(vmstat compact_fail) - failed))"
	failed=0 killed=$(vmstat oom_kill)
	compaction_test >/tmp/compaction 2>&1 || failed=1
	say "killed $(($(vmstat oom_kill) - killed))"
	say "failed $failed"
	say "busy 0 0 0"
}

# What is cold can go to swap.
swap() {
	mkswap /dev/vda >/dev/null && swapon /dev/vda
	mkdir /tmp/cold
	mount -t tmpfs -o size=100% tmpfs /tmp/cold
	dd if=/dev/urandom of=/tmp/cold/file bs=1M count=500 2>/dev/null
	resize 600
	say "oom_kill $(vmstat oom_kill)"
}

# pick N: a number below N into PICK, the same ones in each boot.
SEED=1
pick() {
	SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
	PICK=$((SEED / 65536 % $1))
}

# A process comes, in the place of another.
moves_in() {
	pick 6
	slot=tenant$PICK
	[ ! -e /tmp/$slot ] || stop $slot
	pick 36
	start $slot tenant $((12 + PICK)) $((SEED + 1))
}

# Files come, or those of a directory go; what the kernel keeps of each cannot be moved.
files() {
	pick 6
	dir=/tmp/files/$PICK
	if [ -e $dir ]; then
		rm -r $dir
	else
		mkdir -p $dir
		for file in $(seq 1000); do : >$dir/"$file"; done
	fi
}

# How long each of the kernel's worker threads has run.
workers() {
	for task in /proc/[0-9]*; do
		read -r name <"$task/comm"
		case $name in kworker*)
			read -r ns _ <"$task/schedstat"
			echo "$task $ns"
			;;
		esac
	done 2>/dev/null
}

# How long they have run since this was asked last: the balloon runs there, and whatever the kernel puts off.
workers_ran() {
	mv /tmp/workers /tmp/workers.before
	workers >/tmp/workers
	awk 'FILENAME ~ /before/ { before[$1] = $2; next } { sum += $2 - before[$1] } END { print sum + 0 }' \
		/tmp/workers.before /tmp/workers
}

meminfo() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }

# Some hours of a guest's life: processes and files come and go, a file is read, the host wants a balloon of another size;
# then nothing happens for half a minute.
cycle() {
	if [ ! -e /tmp/workers ]; then
		workers >/tmp/workers
		exec 5</dev/vda	# what was read of it stays in memory
	fi
	moves_in
	moves_in
	files
	pick 960
	dd if=/dev/vda of=/dev/null bs=1M skip=$PICK count=64 2>/dev/null
	pick 8
	resize $((PICK * 50))
	sleep 35
	say "kworker $(workers_ran)"
	say "anon $(meminfo AnonPages)"
	say "huge $(meminfo AnonHugePages)"
	say "fallback $(vmstat thp_fault_fallback)"
	say "stall $(vmstat compact_stall)"
	drain
	say "free $(pagemap -s | sed 's/.* //')"
}

# step WHAT: the balloon's next size in MiB, "use", "flap", "scatter" with a number, "compact", "hold" with a number (others
# keep holes of so many pages, until "release"), "whole" with a size in MiB, "idle", "huge", "swap" or "cycle".
step() {
	before=$(slab)
	[ "$WATCH" != 1 ] || echo 0 >$TRACING/tracing_max_latency
	case $1 in
	use) took use ;;
	flap) took flap ;;
	scatter*) scatter "${1#scatter}" ;;
	compact) compacted ;;
	hold*) took start kept fragment 700 1 "${1#hold}" ;;
	release) took stop kept ;;
	whole*) whole "${1#whole}" ;;
	idle) idle ;;
	huge) huge ;;
	swap) swap ;;
	cycle) cycle ;;
	*) resize "$1" ;;
	esac
	settle
	[ "$WATCH" != 1 ] || longest
	say "slab $(($(slab) - before))"
}

[ "$DRIVER" != ours ] || load_module ours/balloon_compaction inflate_order="$PIECES" || not_ok "core loaded"
load_driver
[ "$UNASKED" = 1 ] || hold_still	# what is measured here is asked for
# Until the kernel has reported what is free, and done what else it puts off.
sleep 5
[ "$ALLOCATOR" != 1 ] || allocators
[ "$WATCH" != 1 ] || watch
number=0
for what in $STEPS; do
	number=$((number + 1))
	sleep "$REST"
	mark $number
	say "step $number $what"
	step "$what"
	mark ${number}end
	ledger
done
