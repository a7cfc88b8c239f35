#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A day in the life: anything that can happen to a balloon, in the order that a seed gives; the ledgers agree at every rest.
# minutes: 1
# seed: 1
# hotplug: 1
# balloon-options: deflate-on-oom=on,free-page-reporting=on
# needs: ours/null_balloon
# timeout: 240
# long: 1
# expect: ktime_get_seconds

# random N: a number below N in R. Not in a subshell, which would forget the seed.
random() {
	SEED=$(((SEED * 1103515245 + 12345) & 0x7fffffff))
	R=$(((SEED >> 8) % $1))
}

# Pages that went into a balloon, out of it, or from one place to another.
operations() { echo $(($(vmstat balloon_inflate) + $(vmstat balloon_deflate) + $(vmstat balloon_migrate))); }

step() {
	random 17
	case $R in
	0 | 1 | 2)	random 500; host_balloon "$R" ;;
	3 | 4)		flap ;;
	5 | 6)		compact ;;
	7)		random 400; pressure $((R + 50)) ;;
	8)		shortage ;;
	9)		random 200; null_target second "$R" ;;
	10)		replug ;;
	11)		rebind ;;
	12)		reload ;;
	13)		sleep_and_wake ;;
	14)		echo 3 >/proc/sys/vm/drop_caches ;;
	15)		random 100; sleep "0.$R" ;;
	16)		tune ;;
	esac
	steps=$((steps + 1))
}

# What is taken at once, and how the host hears of it.
tune() {
	random 10
	echo "$R" >"$ORDER"
	random 2
	echo "$R" >/sys/module/virtio_balloon/parameters/report_blocks
}

# The host changes its mind before anything is done.
flap() {
	for _ in 1 2 3 4 5 6; do
		random 500
		host_balloon "$R"
		usleep 30000
	done
}

# pressure MIB: a process that uses memory, for as long as compaction takes. It may be the one that is killed.
pressure() {
	verify 32 >/tmp/small 2>&1 &
	small=$!
	verify "$1" >/tmp/pressure 2>&1 &
	pid=$!
	compact
	kill -TERM $pid $small 2>/dev/null
	wait $pid
	killed_or_intact $? pressure
	wait $small
	killed_or_intact $? small
}

# 137: killed for the want of memory. 143: it had no time to begin.
killed_or_intact() {
	case $1 in
	0 | 137 | 143) ;;
	*) not_ok "memory of a process was changed: $(cat "/tmp/$2")" ;;
	esac
}

# More than there is, unless the balloon gives it.
shortage() {
	host_balloon 500
	wait_until 5 target_seen
	pressure 600
}

# Not every kernel can.
sleep_and_wake() {
	[ -e /sys/power/mem_sleep ] || return
	suspend_guest || not_ok "suspend"
	slept=1
}

# After a sleep the slot hears of no request to unplug any more, whatever the driver.
replug() {
	if [ $slept = 1 ]; then
		rebind
		return
	fi
	device=$(readlink -f "/sys/bus/virtio/devices/$(virtio_name)")
	echo "# host: device_del"
	wait_until 30 gone "$device" || not_ok "device is gone"
	echo "# host: device_add"
	wait_until 30 [ -e "$CLASS/balloon0" ] || not_ok "device is back"
}

rebind() {
	device=$(virtio_name)
	bind unbind "$device"
	bind bind "$device"
}

reload() {
	rmmod virtio_balloon || not_ok "unloaded"
	load_driver
}

second_at_rest() { [ "$(null_get second ledger_pages)" = "$(null_get second target_pages)" ] && quiet "$second"; }

# What left the device and what it has are what entered it.
conserved() {
	has=$(($(balloon_value stats/enqueued "$1") - $(balloon_value stats/dequeued "$1")))
	[ $has = "$(balloon_value actual_pages "$1")" ] ||
		not_ok "$1: $has pages by its counters, $(balloon_value actual_pages "$1") in the balloon"
}

rest() {
	random 300
	host_balloon "$R"
	wait_until 90 target_seen || not_ok "balloon of $R MiB"
	random 100
	null_target second "$R"
	wait_until 90 second_at_rest || not_ok "second balloon of $R MiB"
	conserved balloon0
	conserved "$second"
	ledger "$(null_get second ledger_pages)"
}

say "seed $SEED"
load_driver
managed=$(managed_pages)
null_create second
# shellcheck disable=SC2153
second=$DEVICE
steps=0
slept=0
rests=0
finish=$(($(centiseconds) + MINUTES * 6000))
verify_start 64
while [ "$(centiseconds)" -lt $finish ]; do
	random 2
	[ "$R" = 0 ] || compact_start
	random 8
	for _ in $(seq $((R + 2))); do
		step
	done
	[ -z "$COMPACTOR_PIDS" ] || compact_stop
	rest
	rests=$((rests + 1))
done
null_ledger second "$(balloon_pages)"
null_destroy second
rmmod null_balloon
balloon_to 0 90
ledger
verify_stop
check "unloaded" unload_driver
equal "no page is left offline" 0 "$(offline_pages)"
equal "no page is left out of the zones' count" "$managed" "$(managed_pages)"
equal "all that was inflated was deflated" "$(vmstat balloon_inflate)" "$(vmstat balloon_deflate)"
say "$steps steps, $rests rests, $(operations) page operations"
