# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Shell functions for scenarios. Results and requests to the host are lines of KTAP on standard output; nothing
# comes back from the host, so effects are waited for in the guest, always with a bound.

# shellcheck source=/dev/null
. /scenario.env
export DRIVER BALLOONS MEM_MIB

CLASS=/sys/class/balloon
NULL=/sys/kernel/config/null_balloon
PART=${PART:-1}		# of a scenario that goes on after a reboot
RESULTS=${RESULTS:-0}
LEDGERS=${LEDGERS:-0}
TARGET=0		# pages, as last asked for
COMPACTOR_PIDS=		# of endless ones
UNDER_WAY=0
PAGES_PER_MIB=256

# --- results -----------------------------------------------------------------------------------------------

echo "KTAP version 1"

ok() { RESULTS=$((RESULTS + 1)); echo "ok $RESULTS - $*"; }
not_ok() { RESULTS=$((RESULTS + 1)); echo "not ok $RESULTS - $*"; }
skip() { RESULTS=$((RESULTS + 1)); echo "ok $RESULTS - $1 # SKIP $2"; }
plan() { echo "1..$RESULTS"; }
say() { echo "# $*"; }

# check TEXT COMMAND...: the command's success is the result.
check() {
	text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text ($*)"; fi
}

# equal TEXT WANTED FOUND
equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: wanted '$2', found '$3'"; fi
}

# note KEY=VALUE...: figures for a report.
note() { echo "# host: note $*"; }

# What a kernel that measures coverage has counted. Its files claim to be empty, so tar gets copies.
send_coverage() {
	cd /sys/kernel/debug/gcov 2>/dev/null || return
	find . -name '*.gcda' | while read -r file; do
		mkdir -p "/tmp/gcov/${file%/*}"
		cat "$file" >"/tmp/gcov/$file"
	done
	echo "# host: coverage begin"
	tar -C /tmp/gcov -czf - . | base64
	echo "# host: coverage end"
}

# --- waiting -----------------------------------------------------------------------------------------------

# The 1 keeps "08" from being taken for octal.
centiseconds() { read -r up _ </proc/uptime; echo $((${up%.*} * 100 + 1${up#*.} - 100)); }

# wait_until SECONDS COMMAND...: poll until the command succeeds. What it is given are twenty polls for each second, however
# long they take: on a busy machine the guest does less in a second, and polls less often. Slow kernels have more of them.
wait_until() {
	polls=$(($1 * 20 * SLOW))
	shift
	until "$@"; do
		polls=$((polls - 1))
		[ $polls -gt 0 ] || return 1
		sleep 0.05
	done
}

# pause SECONDS: for what gives no sign when it is over. Longer on a busy machine, since it is made of small pieces of work.
pause() {
	for _ in $(seq $(($1 * 20))); do
		sleep 0.05
	done
}

not() { ! "$@"; }
gone() { ! [ -e "$1" ]; }

# --- modules -----------------------------------------------------------------------------------------------

# load_module PLACE/NAME [PARAMETER...]: with everything that it needs; a module that is there already is left alone.
load_module() {
	wanted=$1
	shift
	# shellcheck disable=SC2013 # words are wanted
	for module in $(sed -n "s|^$wanted: ||p" /modules/order); do
		[ -d "/sys/module/${module#*/}" ] && continue
		if [ "$module" = "$wanted" ]; then
			insmod "/modules/$module.ko" "$@" || return
		else
			insmod "/modules/$module.ko" || return
		fi
	done
}

# What the kernel package has as modules and every scenario needs.
load_base() {
	load_module kernel/virtio_pci
	load_module kernel/virtio_mmio
	load_module kernel/virtio_blk
	load_module kernel/configfs
	mount -t configfs configfs /sys/kernel/config
}

load_driver() {
	case $DRIVER in
	ours) load_module ours/virtio_balloon ;;
	stock) load_module kernel/virtio_balloon ;;
	esac
}

loaded() { grep -q "^$1 " /proc/modules; }

unload_driver() {
	rmmod virtio_balloon || return
	! loaded balloon_compaction || rmmod balloon_compaction
}

# --- the balloon ---------------------------------------------------------------------------------------------

ORDER=/sys/module/balloon_compaction/parameters/inflate_order

# balloon_value FILE [DEVICE]: one number of our core's sysfs contract.
balloon_value() { cat "$CLASS/${2:-balloon0}/$1"; }

vmstat() { sed -n "s/^$1 //p" /proc/vmstat; }

# Does nothing tell of the balloon but the kernel's counters of events? So it is with the stock driver, and without sysfs.
events_only() { [ ! -d $CLASS ]; }

# balloon_pages [DEVICE]: ballooned pages right now.
# shellcheck disable=SC2120 # the argument is for scenarios
balloon_pages() {
	if events_only; then
		echo $(($(vmstat balloon_inflate) - $(vmstat balloon_deflate)))
	else
		balloon_value actual_pages "$1"
	fi
}

host_balloon() {
	TARGET=$(($1 * PAGES_PER_MIB))
	echo "# host: balloon $1"
}

# host_retarget MIB PAGES OTHER: the host asks for a balloon of MIB, and for another as soon as it was told of so many pages.
host_retarget() {
	TARGET=$(($3 * PAGES_PER_MIB))
	echo "# host: retarget $*"
}

# host_migrate MIB...: the host moves the guest to another QEMU, and asks for balloons of these sizes on the way. When it
# asks for the last one, which should be another, the guest has arrived.
host_migrate() {
	echo "# host: migrate $*"
	for mib in "$@"; do
		TARGET=$((mib * PAGES_PER_MIB))
	done
}

# balloon_towards MIB: ask for a balloon of this size, and be back when it is on its way. UNDER_WAY counts how often it
# was not yet there.
balloon_towards() {
	before=$(balloon_pages)
	host_balloon "$1"
	wait_until 20 not balloon_has "$before" || not_ok "balloon on its way to $1 MiB"
	now=$(balloon_pages)
	say "$now of $TARGET pages"
	[ "$now" = "$TARGET" ] || UNDER_WAY=$((UNDER_WAY + 1))
}

balloon_has() { [ "$(balloon_pages)" = "$1" ]; }

# standing: two looks, a second apart, see a balloon of the same size.
# shellcheck disable=SC2119
standing() {
	before=$(balloon_pages)
	pause 1
	[ "$before" -gt 0 ] && [ "$before" = "$(balloon_pages)" ]
}

# at_rest [DEVICE]: our driver says so itself.
at_rest() {
	[ "$(balloon_value target_pages "$1")" = "$(balloon_value actual_pages "$1")" ] && quiet "$1"
}

# quiet [DEVICE]: nothing is on its way, whatever the target is.
quiet() { [ "$(balloon_value pending_pages "$1")" = 0 ] && [ "$(balloon_value isolated_pages "$1")" = 0 ]; }

all_quiet() {
	for device in $(devices); do
		quiet "$device" || return
	done
}

# The stock driver counts a page before it tells the host, so one look at the count is too early by up to 256
# pages: the count and the device's interrupts must also have stood still since the look before.
events_at_rest() {
	# shellcheck disable=SC2119
	now="$(balloon_pages) $(grep virtio /proc/interrupts)"
	[ "$now" = "$seen" ] && return
	seen=$now
	return 1
}

# shellcheck disable=SC2119
target_seen() {
	if events_only; then
		[ "$(balloon_pages)" = "$TARGET" ] && events_at_rest
	else
		[ "$(balloon_value target_pages)" = "$TARGET" ] && at_rest
	fi
}

# balloon_to MIB [SECONDS]: ask the host for a balloon of this size, wait for it and say whether it came.
balloon_to() {
	host_balloon "$1"
	if wait_until "${2:-20}" target_seen; then
		ok "balloon of $1 MiB"
	else
		not_ok "balloon of $1 MiB: has $(balloon_pages) of $TARGET pages, $(grep MemAvailable /proc/meminfo)"
	fi
}

settle() {
	if events_only; then wait_until 10 events_at_rest; else wait_until 10 at_rest; fi
}

# shellcheck disable=SC2120 # the argument is for scenarios
# ledger [FOREIGN]: wait for rest, then have the host compare. FOREIGN pages are ballooned by a device of another kind.
ledger() {
	hold_still
	settle || not_ok "balloon at rest before its ledger is read"
	ledger_now "$@"
	let_go
}

# hold_still, let_go: what a balloon does by itself ends, until it may do so again.
PROACTIVENESS="compact_proactiveness"
hold_still() {
	for balloon in "$CLASS"/balloon*; do
		[ -e "$balloon/$PROACTIVENESS" ] || continue
		cp "$balloon/$PROACTIVENESS" "/tmp/${balloon##*/}.$PROACTIVENESS"
		echo 0 >"$balloon/$PROACTIVENESS"
	done
}

let_go() {
	for balloon in "$CLASS"/balloon*; do
		[ -e "$balloon/$PROACTIVENESS" ] || continue
		cat "/tmp/${balloon##*/}.$PROACTIVENESS" >"$balloon/$PROACTIVENESS"
	done
}

ledger_now() {
	LEDGERS=$((LEDGERS + 1))
	echo "# host: ledger begin $LEDGERS ${1:-0}"
	ledger_blocks -m $LEDGERS
	echo "# host: ledger end"
}

# balloon_walk MIB...: balloons of these sizes, one after the other, and of each the ledger.
balloon_walk() {
	for mib in "$@"; do
		balloon_to "$mib"
		ledger
	done
}

# node_pages NODE: pages of a balloon there
node_pages() { zones | sed -n "s|^$1/.* ||p" | awk '{ sum += $1 } END { print sum + 0 }'; }

ledger_blocks() { command ledger "$@"; }
offline_pages() { command ledger -c; }
offline_pages_among() { command ledger -c "$1" "$2"; }	# FIRST COUNT

# --- load ----------------------------------------------------------------------------------------------------

compact_once() { echo 1 >/proc/sys/vm/compact_memory; }

# Free pages on the processors' own lists look like pages in use, and can be a twentieth of all memory. With a low
# limit for these lists, each refresh of the counters gives a part of their pages back.
drain() {
	echo 1000 >/proc/sys/vm/percpu_pagelist_high_fraction
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
		echo 1 >/proc/sys/vm/stat_refresh
	done
	echo 0 >/proc/sys/vm/percpu_pagelist_high_fraction
}

# Four compactors at once, and wait for them.
compact() {
	pids=
	for _ in 1 2 3 4; do
		compact_once &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086 # one word per process
	wait $pids
}

has_scanned() { [ "$(vmstat compact_migrate_scanned)" -gt "$1" ]; }

# compact_start, compact_stop: four compactors that go on and on, and have begun.
compact_start() {
	scanned=$(vmstat compact_migrate_scanned)
	COMPACTOR_PIDS=
	for _ in 1 2 3 4; do
		while :; do compact_once; done &
		COMPACTOR_PIDS="$COMPACTOR_PIDS $!"
	done
	wait_until 20 has_scanned "$scanned" || not_ok "compactors begin"
}

compact_stop() {
	# shellcheck disable=SC2086 # one word per process
	kill $COMPACTOR_PIDS
	# shellcheck disable=SC2086
	wait $COMPACTOR_PIDS 2>/dev/null
	COMPACTOR_PIDS=
}

# compacted_walk MIB...: a balloon_walk during which compactors go on, but while the ledger is read.
compacted_walk() {
	for mib in "$@"; do
		compact_start
		balloon_to "$mib"
		compact_stop
		ledger
	done
}

ready_or_gone() { grep -q ready "/tmp/$1" || ! kill -0 "$(cat "/tmp/$1.pid")" 2>/dev/null; }

# start NAME PROGRAM [ARGUMENT...]: run one of our programs until stop NAME, and wait for its "ready". The shell's child
# opens the file some time later, so a program of this name that ran before must not have left its own "ready" there.
start() {
	name=$1
	shift
	: >"/tmp/$name"
	"$@" >>"/tmp/$name" 2>&1 &
	echo $! >"/tmp/$name.pid"
	wait_until 60 ready_or_gone "$name"
	grep -q ready "/tmp/$name" || not_ok "$* starts: $(cat "/tmp/$name")"
}

stop() {
	kill -TERM "$(cat "/tmp/$1.pid")"
	wait "$(cat "/tmp/$1.pid")"
}

# verify_start MIB, verify_stop: a process that notices when somebody else writes to its memory.
verify_start() { start verify verify "$1"; }

verify_stop() {
	stop verify
	status=$?
	sed 's/^/# /' /tmp/verify
	equal "memory of a bystander is intact" 0 $status
}

# fragment_start MIB, fragment_stop: hold a random half of the memory, so that what comes between gets the other half.
fragment_start() { start fragment fragment "$1"; }
fragment_stop() { stop fragment; }

# in_single_pages COMMAND...: what the command inflates is taken page by page.
in_single_pages() {
	[ ! -e "$ORDER" ] || echo 0 >"$ORDER"
	"$@"
	[ ! -e "$ORDER" ] || echo 9 >"$ORDER"
}

# scattered MIB COMMAND...: COMMAND MIB inflates a balloon, which sits in the holes; the memory around it is free again.
scattered() {
	holes=$1
	shift
	fragment_start $((holes * 2))
	in_single_pages "$@" "$holes"
	fragment_stop
}

# Where all is slower by ten a third must do: four compactors wait for each other's locks there, and most of the time
# goes into that.
scaled() { if [ "$SLOW" -lt 10 ]; then echo "$1"; else echo $(($1 / 3)); fi; }

scattered_balloon() { scattered "$(scaled "$1")" balloon_to; }	# MIB

# lonely_balloon COMMAND...: the command inflates a balloon that is scattered, and compaction will find room in blocks that
# have none of it: it fills only blocks that are partly free, upwards. Until lonely_balloon_stop.
lonely_balloon() {
	start around fragment 200
	in_single_pages "$@"
	start above fragment 200
	stop around
}

lonely_balloon_stop() { stop above; }

# migrated_pages [DEVICE]
# shellcheck disable=SC2120 # the argument is for scenarios
migrated_pages() {
	if events_only; then vmstat balloon_migrate; else balloon_value stats/compact_balloon_migrated "$1"; fi
}

# still_works: after whatever it was, pages migrate and all goes back.
# shellcheck disable=SC2119
still_works() {
	migrated=$(migrated_pages)
	scattered_balloon 100
	compact
	check "pages migrate: $migrated before" [ "$(migrated_pages)" -gt "$migrated" ]
	ledger
	balloon_to 0
	ledger
}

# The kernel's tests of huge pages, beside a balloon that is scattered. The second takes nearly all memory, and the OOM killer
# may come whatever the driver: then it has no result. Debug kernels leave it too little.
huge_pages_test() {
	load_driver
	fragment_start 850
	balloon_to 400
	fragment_stop
	for file in enabled defrag; do
		echo always >/sys/kernel/mm/transparent_hugepage/$file
	done
	fallback=$(vmstat thp_fault_fallback) huge=$(vmstat thp_fault_alloc) killed=$(vmstat oom_kill)
	transhuge-stress -d 3 420 >/tmp/stress 2>&1
	sed 's/^/# /' /tmp/stress
	huge=$(($(vmstat thp_fault_alloc) - huge)) fallback=$(($(vmstat thp_fault_fallback) - fallback))
	# The kernel's own driver misses some in a few boots, so of it nine tenths are asked for.
	if [ "$DRIVER" = stock ]; then
		check "huge pages: $huge, faults that got none: $fallback" [ "$huge" -ge 189 ]
	else
		check "huge pages: $huge" [ "$huge" -ge 210 ]
		equal "faults that got no huge page" 0 "$fallback"
	fi
	[ "$SLOW" -ge 10 ] || check "compaction_test passes, or is killed" compaction_test_passes
	ledger
}

compaction_test_passes() {
	compaction_test >/tmp/compaction 2>&1
	status=$?
	sed 's/^/# /' /tmp/compaction
	[ $status = 0 ] || [ "$(vmstat oom_kill)" -gt "$killed" ]
}

# Percent of the processors' time that nobody wanted in the last SECONDS but a loop of the lowest priority on each of them; a
# balloon that waits must not spin. The loops have the guest's processors always wanted, so that on a busy machine all the
# guest's tasks are slower alike.
idle_percent() {
	loops=
	for _ in $(seq "$(nproc)"); do
		nice -n 19 sh -c 'while :; do :; done' >/dev/null &
		loops="$loops $!"
	done
	before=$(cpu_times)
	sleep "$1"
	# shellcheck disable=SC2086,SC2046 # two words each: all, idle
	set -- $before $(cpu_times)
	# shellcheck disable=SC2086 # one word per process
	kill $loops
	echo $((($4 - $2) * 100 / ($3 - $1)))
}

cpu_times() { awk '/^cpu / { print $2 + $3 + $4 + $5 + $6 + $7 + $8, $3 + $5 }' /proc/stat; }

# features FIRST [LAST]: of these bits, a 1 for each on which driver and device have agreed, else a 0.
features() { cut -c $(($1 + 1))-$((${2:-$1} + 1)) "/sys/bus/virtio/devices/$(virtio_name)/features"; }

# Bits of the ring and the transport.
# shellcheck disable=SC2034 # they are for scenarios
EVENT_IDX=29 VERSION_1=32 RING_PACKED=34

# device_test [BIT=0|1...]: after a look at features, the balloon goes up, is moved, and goes down again.
# shellcheck disable=SC2119
device_test() {
	managed=$(managed_pages)
	verify_start 64
	load_driver
	wait_until 10 [ -d $CLASS/balloon0 ] || { not_ok "no driver takes the device"; return; }
	balloon_to 40
	ledger
	for bit in "$@"; do
		equal "feature ${bit%=*}" "${bit#*=}" "$(features "${bit%=*}")"
	done
	scattered_balloon 300
	ledger
	# A small balloon can lie where the first round does not come to: that moved the memory of others.
	for _ in 1 2 3; do
		compact
		[ "$(migrated_pages)" -le 1000 ] || break
	done
	check "pages migrated" [ "$(migrated_pages)" -gt 1000 ]
	ledger
	balloon_walk 120 0
	equal "no page is left offline" 0 "$(offline_pages)"
	equal "no page is left out of the zones' count" "$managed" "$(managed_pages)"
	verify_stop
}

virtio_name() { basename /sys/bus/virtio/drivers/virtio_balloon/virtio[0-9]*; }
bind() { echo "$2" >"/sys/bus/virtio/drivers/virtio_balloon/$1"; }

# --- sleep -----------------------------------------------------------------------------------------------------

LPC_BRIDGE=/sys/bus/pci/devices/0000:00:1f.0/config

# suspend_guest: to memory, until the host wakes us. The firmware does not tell the chipset again where its power management
# is (PMBASE and ACPI_CNTL), so we do.
suspend_guest() {
	dd if=$LPC_BRIDGE of=/tmp/pmbase bs=4 skip=16 count=2 2>/dev/null
	echo deep >/sys/power/mem_sleep
	echo "# host: wakeup"
	echo mem >/sys/power/state || return
	dd if=/tmp/pmbase of=$LPC_BRIDGE bs=4 seek=16 conv=notrunc 2>/dev/null
}

# In centiseconds, how long it took last to freeze what may be frozen: work items among it.
freezing_took() {
	dmesg | sed -n 's/.*Freezing remaining freezable tasks.*elapsed \([0-9.]*\).*/\1/p' | tail -n 1 | awk '{ print int($1 * 100) }'
}

# frozen_before LIMIT [TEXT]: when the guest slept last, no work item that was busy with the balloon was waited for. LIMIT
# (hundredths of a second) is what that would have taken on a machine that is as busy.
frozen_before() {
	took=$(freezing_took)
	check "$2frozen after $took cs, less than $1" [ "${took:-99999}" -lt "$1" ]
}

# hibernate: to the disk. Our host ends, and we go on in another one.
hibernate() {
	grep -q /dev/vda /proc/swaps || { mkswap /dev/vda >/dev/null && swapon /dev/vda; } || return
	echo shutdown >/sys/power/disk
	echo "# host: boot RESUME=/dev/vda maxcpus=1"
	echo disk >/sys/power/state
}

# --- reboot ----------------------------------------------------------------------------------------------------

# The words on the next kernel's command line with which the scenario starts again as its next part. Results that come
# after this are not counted. Later boots are not repeated, so they keep off what emulated processors do to each other
# while a kernel patches itself.
next_part() { echo "PART=$((PART + 1)) RESULTS=$RESULTS LEDGERS=$LEDGERS maxcpus=1"; }

# All processors, when the boot is over.
online_cpus() {
	for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
		! grep -q 0 "$cpu/online" || echo 1 >"$cpu/online"
	done
}

reboot_now() {
	echo "# host: boot $(next_part)"
	stty -F /dev/ttyS1 drain 2>/dev/null
	reboot -f
}

kexec_load() { kexec /kexec/kernel /kexec/initramfs "$(cat /proc/cmdline) $(next_part)"; }

# crash [WORD...]: the kernel that saves the dump goes on with the next part, these words on its command line.
crash() {
	kexec -p /kexec/kernel /kexec/initramfs \
		"$(sed 's/crashkernel=[^ ]*//' /proc/cmdline) $(next_part) nr_cpus=1 reset_devices $*" ||
		not_ok "a kernel for the dump is loaded"
	echo "# host: kexec"
	stty -F /dev/ttyS1 drain 2>/dev/null
	echo c >/proc/sysrq-trigger
	not_ok "a crash"
}

kexec_now() {
	echo "# host: kexec"
	stty -F /dev/ttyS1 drain 2>/dev/null
	kexec
}

# --- injected faults -------------------------------------------------------------------------------------------

DEBUG=/sys/kernel/debug

# fault failslab|fail_page_alloc PERCENT [MODULE...]: so many allocations fail that are made by these modules, or by
# others on their behalf: one of them must be on the stack. Without modules those last named stay.
fault() {
	kind=$1 percent=$2
	shift 2
	echo 0 >"$DEBUG/$kind/probability"
	if [ $# -gt 0 ]; then
		fault_aim "$kind" "$@"
	fi
	echo "$percent" >"$DEBUG/$kind/probability"
}

# Every allocation counts, without a word in the log.
fault_aim() {
	dir=$DEBUG/$1
	shift
	# shellcheck disable=SC2046 # two words: addresses of the first and the last function
	set -- $(module_functions "$@" | sed -n '1p;$p')
	echo "0x$1" >"$dir/require-start"
	echo "$(((0x$2 | 4095) + 1))" >"$dir/require-end"
	echo 32 >"$dir/stacktrace-depth"
	echo 0 >"$dir/verbose"
	echo -1 >"$dir/times"
	echo N >"$dir/ignore-gfp-wait"
	if [ -e "$dir/ignore-gfp-highmem" ]; then
		echo N >"$dir/ignore-gfp-highmem"
		echo 0 >"$dir/min-order"
	fi
}

module_functions() {
	for module in "$@"; do
		grep -i " t .*\[$module\]" /proc/kallsyms
	done | cut -c 1-16 | sort
}

# fail_nth N COMMAND...: the Nth allocation fails that the shell makes in COMMAND in the modules aimed at. The result
# tells whether there was one.
fail_nth() {
	echo "$1" >/proc/self/fail-nth
	shift
	"$@" 2>/dev/null
	read -r left </proc/self/fail-nth
	echo 0 >/proc/self/fail-nth
	[ "$left" = 0 ]
}

# --- null_balloon --------------------------------------------------------------------------------------------

null_set() { echo "$3" >"$NULL/$1/$2"; }
null_get() { cat "$NULL/$1/$2"; }

# null_create NAME [ATTRIBUTE=VALUE...]: a device without a host, switched on. DEVICE is its name in our class.
null_create() {
	name=$1
	shift
	load_module ours/null_balloon || return
	mkdir "$NULL/$name" || return
	for setting in "$@"; do
		null_set "$name" "${setting%%=*}" "${setting#*=}" || return
	done
	before=$(devices)
	null_set "$name" power 1 || return
	DEVICE=$(devices | grep -vxF "${before:-none}")
}

devices() { (cd $CLASS && echo *) | tr ' ' '\n'; }

null_destroy() {
	null_set "$1" power 0
	rmdir "$NULL/$1"
}

# null_target NAME MIB
null_target() { null_set "$1" target_pages $(($2 * PAGES_PER_MIB)); }

# null_balloon_to NAME MIB [SECONDS]
null_balloon_to() {
	null_target "$1" "$2"
	check "$1 has $2 MiB" wait_until "${3:-20}" null_at_rest "$DEVICE" $(($2 * PAGES_PER_MIB))
}

null_at_rest() { [ "$(balloon_value actual_pages "$1")" = "$2" ] && at_rest "$1"; }

# null_ledger NAME [FOREIGN]: wait for rest, then hold the device's own record against the guest's page flags.
null_ledger() {
	hold_still
	wait_until 10 all_quiet || not_ok "balloons at rest before the ledger of $1 is read"
	null_ledger_now "$@"
	let_go
}

null_ledger_now() {
	equal "ledger of $1 equals the guest's" "$(null_get "$1" ledger_pages)" $(($(offline_pages) - ${2:-0}))
	equal "so many pages more were inflated than deflated" "$(null_get "$1" ledger_pages)" \
		$(($(null_get "$1" ledger_inflated) - $(null_get "$1" ledger_deflated)))
	for counter in double_inflate unknown_deflate used_while_inflated; do
		equal "$1: no $counter" 0 "$(null_get "$1" ledger_$counter)"
	done
}

# --- the page-level test driver ------------------------------------------------------------------------------

PAGE_LEVEL=/sys/kernel/debug/page_level_balloon

page_level_value() { cat "$PAGE_LEVEL/$1"; }
page_level_resize() { echo "$1" >"$PAGE_LEVEL/target_pages"; }

# page_level_to MIB: returns when the balloon has this size.
page_level_to() { check "page-level balloon of $1 MiB" page_level_resize $(($1 * PAGES_PER_MIB)); }

# page_level_ledger MIB: the driver's own record, the guest's page flags and the size that was asked for.
page_level_ledger() {
	equal "the ledger has $1 MiB" $(($1 * PAGES_PER_MIB)) "$(page_level_value ledger_pages)"
	equal "the ledger equals the guest's" "$(page_level_value ledger_pages)" "$(offline_pages)"
	equal "no violations" 0 "$(page_level_value violations)"
}

# Resize a balloon while it is compacted, and take the driver away.
page_level_test() {
	managed=$(managed_pages)
	fragment_start 600
	page_level_to 300
	fragment_stop
	page_level_ledger 300
	compact
	page_level_ledger 300
	check "pages migrated: $(page_level_value migrated)" [ "$(page_level_value migrated)" -gt 1000 ]
	compact_start
	for mib in 20 150 149 300 77; do
		page_level_to $mib
	done
	compact_stop
	page_level_ledger 77
	equal "r20: balloon_migrate counts them" "$(page_level_value migrated)" "$(vmstat balloon_migrate)"
	compact_start
	check "driver unloaded under load" rmmod "$(sed -n 's/^\(page_level[a-z_]*\) .*/\1/p' /proc/modules)"
	compact_stop
	equal "no page is left offline" 0 "$(offline_pages)"
	equal "r21: all that was inflated was deflated" "$(vmstat balloon_inflate)" "$(vmstat balloon_deflate)"
	equal "no page is left out of the zones' count" "$managed" "$(managed_pages)"
}

managed_pages() { awk '$1 == "managed" { sum += $2 } END { print sum }' /proc/zoneinfo; }
