#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One measured round of compaction with a balloon in the guest.
# timeout: 300
# append: init_on_alloc=0 rootfstype=ramfs
#
# The experiment sets BALLOON (MiB; the host has asked for it before the guest starts), FRAGMENT (MiB of which a
# random half is held while the balloon inflates; 0: none), SEED, COMPACTORS, PROBES, and CHURN: sizes (MiB) that the
# balloon has, one after the other, while four compactors go on and on; that is then the round. Lines "# before KEY VALUE"
# and "# after KEY VALUE" are counters around the round, "# map" is what each 2 MiB block of memory holds.

TRACING=/sys/kernel/debug/tracing

# The three callbacks through which the kernel moves balloon pages, in whichever driver: kprobes on them count the
# same thing for all of them. The stock ones are in the kernel, ours in a module. One more, on compaction's own
# allocator of pages to migrate to, counts how often it had none left: that migration fails whatever the driver is.
callback() {
	if [ "$DRIVER" = stock ]; then
		echo "balloon_page_$1"
	else
		echo "balloon_compaction:$(sed -nE "s/^[^ ]+ . (|.*_)$1(_page)?\\t.*/\\1$1\\2/p" /tmp/symbols | head -n 1)"
	fi
}

# probe NAME KEY DEFINITION [FILTER]: an event whose hits are counted by KEY, in the kernel.
probe() {
	echo "$3" >>$TRACING/kprobe_events &&
		echo "hist:keys=$2${4:+ if $4}" >"$TRACING/events/kprobes/$1/trigger"
}

probes_on() {
	grep -F '[balloon_compaction]' /proc/kallsyms >/tmp/symbols
	probe isolate ret "r256:isolate $(callback isolate) ret=\$retval:u8" &&
		probe migrate common_cpu "p:migrate $(callback migrate)" &&
		probe refused ret "r256:refused $(callback migrate) ret=\$retval:u32" "ret != 0" &&
		probe putback common_cpu "p:putback $(callback putback)" &&
		probe target common_cpu "r256:target compaction_alloc ret=\$retval" "ret == 0"
}

# hits NAME CONDITION: events of probe NAME whose key fits an awk condition.
hits() {
	awk -v FS='[: \t}]+' '!/^#/ && /hitcount/ { key = $3; if ('"$2"') n += $5 } END { print n + 0 }' \
		"$TRACING/events/kprobes/$1/hist"
}

probe_counts() {
	echo "callback_isolated $(hits isolate 'key != 0')"
	echo "callback_migrate_calls $(hits migrate 1)"
	echo "callback_refused $(hits refused 1)"
	echo "callback_putback $(hits putback 1)"
	echo "callback_no_target $(hits target 1)"
	awk '{ missed += $3 } END { print "callback_missed " missed + 0 }' $TRACING/kprobe_profile
}

balloon_counts() {
	for file in "$CLASS"/balloon0/stats/compact_balloon_*; do
		[ -e "$file" ] && echo "$(basename "$file") $(cat "$file")"
	done
}

counters() {
	grep -E '^(compact_|pgmigrate_|balloon_)' /proc/vmstat
	balloon_counts
	[ "$PROBES" = 0 ] || probe_counts
}

# snapshot LABEL: what the host saw until now, the counters and the map.
snapshot() {
	LEDGERS=$((LEDGERS + 1))
	ledger_blocks -m $LEDGERS >/dev/null
	echo "# host: count $1 $LEDGERS"
	drain
	counters | sed "s/^/# $1 /"
	pagemap | sed "s/^/# map $1 /"
}

# churn MIB...: the balloon changes its size beside four compactors.
churn() {
	start=$(centiseconds)
	compact_start
	for mib in "$@"; do
		balloon_to "$mib" 100
	done
	compact_stop
	round=$((($(centiseconds) - start) * 10000000))
}

# What is on the processors' own lists is out of reach for one who needs nearly all memory, and may be 40 MiB.
drain
[ "$FRAGMENT" = 0 ] || start fragment fragment "$FRAGMENT" "$SEED"
# shellcheck disable=SC2034 # target_seen compares with it
TARGET=$((BALLOON * PAGES_PER_MIB))
# Single pages, in both drivers: what is measured is a scattered balloon.
[ "$DRIVER" != ours ] || load_module ours/balloon_compaction inflate_order=0
load_driver
hold_still	# what is measured here is asked for
# With them there, 400 MiB beside the fragments are just what a guest can give.
rm -rf /modules
check "balloon of $BALLOON MiB" wait_until 90 target_seen
[ "$FRAGMENT" = 0 ] || stop fragment
[ "$PROBES" = 0 ] || check "probes on the three callbacks" probes_on

# Ordinary pages cost more to move than a balloon's and are not what is measured: leave few, and those of files, which are
# unevictable in ramfs, where they are.
rm -rf /bin/fragment /bin/verify
echo 0 >/proc/sys/vm/compact_unevictable_allowed
settle
snapshot before
# shellcheck disable=SC2086 # one word per size
if [ -n "$CHURN" ]; then churn $CHURN; else round=$(compactors "$COMPACTORS"); fi
settle
snapshot after
say "after round_ns $round"
ledger
