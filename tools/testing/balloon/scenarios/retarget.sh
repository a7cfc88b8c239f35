#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host changes its mind in the middle of a large inflation: it is followed at once, and nothing else is held up meanwhile.
# mem: 1280
# timeout: 180

BIG=1000 SMALL=50
EARLY=20000 LATE=180000	# pages, of 256,000
# After the host's wish one batch may be on its way and another begin, and a third is for emulators that serve
# themselves late: 192 MiB, which real hosts take in about 0.1 s.
FOLLOWED=$((3 * 16384))
VM=/proc/sys/vm

# during_inflation PAGES FILE: what was seen is in BEFORE, AFTER, TOOK and SINCE.
during_inflation() {
	balloon_to 0
	# shellcheck disable=SC2034 # what the host is asked for is looked for in lib.sh
	TARGET=$((BIG * PAGES_PER_MIB))
	during $BIG "$1" "$2" 2>/tmp/during || not_ok "during: $(cat /tmp/during)"
	read -r BEFORE AFTER TOOK SINCE </tmp/during
	say "${2##*/} took $TOOK cs: the balloon had $BEFORE pages, and then $AFTER"
}

# Statistics that the host has got up to now, and since it was asked this last, are at least so many.
statistics() {
	LEDGERS=$((LEDGERS + 1))
	ledger_blocks -M $LEDGERS
	echo "# host: statistics $1 $LEDGERS"
}

# not_held_up PROCESSORS: each file waits for a work item on every processor, as statistics do on one, and would wait for
# the end of the inflation.
not_held_up() {
	echo "# host: stats poll 1"
	echo 0 >"$ORDER"
	for file in stat_refresh drop_caches; do
		during_inflation $EARLY $VM/$file
		check "$1: $file is not held up" [ "$AFTER" -lt $((BIG * PAGES_PER_MIB)) ]
	done
	statistics 0
	during_inflation $LATE $VM/stat_refresh
	check "$1: stat_refresh is not held up" [ "$AFTER" -lt $((BIG * PAGES_PER_MIB)) ]
	if [ "$SINCE" -gt 200 ]; then
		statistics 1
	else
		skip "$1: statistics are not held up" "the inflation is too short for one, $SINCE cs"
	fi
	echo "# host: stats poll 0"
}

load_driver
wait_until 10 [ -e "$CLASS/balloon0" ]
for cpus in two one; do
	[ $cpus = two ] || echo 0 >/sys/devices/system/cpu/cpu1/online
	not_held_up $cpus
	for pieces in 0 9; do
		balloon_to 0
		ledger
		echo $pieces >"$ORDER"
		host_retarget $BIG $EARLY $SMALL
		check "pieces of order $pieces, $cpus: balloon of $SMALL MiB" wait_until 60 target_seen
		ledger
		echo "# host: followed $FOLLOWED"
	done
done
