# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Functions for the scenarios, which run in dom0.

PAGES_PER_MIB=256
# shellcheck disable=SC2034 # of scenarios
STOCK=/sys/devices/system/xen_memory/xen_memory0
OURS=/sys/class/balloon/balloon0
RESULTS=0

echo "KTAP version 1"

ok() {
	RESULTS=$((RESULTS + 1))
	echo "ok $RESULTS - $1"
}

not_ok() {
	RESULTS=$((RESULTS + 1))
	echo "not ok $RESULTS - $1"
}

plan() { echo "1..$RESULTS"; }

# check TEXT COMMAND...
check() {
	text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}

# equal TEXT A B
equal() { if [ "$2" = "$3" ]; then ok "$1: $2"; else not_ok "$1: $2 is not $3"; fi; }

# wait_until SECONDS COMMAND...: polls, each of which is a piece of work, are counted.
wait_until() {
	polls=$(($1 * 5))
	shift
	until "$@"; do
		polls=$((polls - 1))
		[ $polls -gt 0 ] || return 1
		sleep 0.2
	done
}

# --- a guest ---------------------------------------------------------------------------------------------------

# create TYPE MIB [LINE...]: start a guest; further lines of its configuration. MIB is all that it may have.
create() {
	TYPE=$1
	MIB=$2
	shift 2
	{
		echo "name=\"domu\" type=\"$TYPE\" kernel=\"/domu/kernel\" ramdisk=\"/domu/initramfs\""  | tr ' ' '\n'
		echo "memory=$MIB"
		echo "maxmem=$MIB"
		echo "vcpus=1"
		# QEMU's SVM: an intercepted RDTSCP arrives as RDTSC, and XSAVE's state is not right.
		echo 'tsc_mode="native"'
		[ "$TYPE" = pv ] || echo 'cpuid="host,rdtscp=0,xsave=0"'
		echo 'extra="console=hvc0 panic=-1 loglevel=4 init_on_alloc=0 noxsave"'
		for line in "$@"; do echo "$line"; done
	} >/run/domu.cfg
	xl create -q /run/domu.cfg || { not_ok "a guest is started"; return 1; }
	DOMID=$(xl domid domu)
	LOG=/var/log/xen/console/guest-domu.log
	TTY=$(xenstore-read "/local/domain/$DOMID/console/tty")
	# If nobody reads, the guest waits for ever.
	cat "$TTY" >/dev/null &
	READER=$!
	check "the guest is up" wait_until 120 grep -q '^@@ ready' "$LOG"
	oracle "$DOMID" holes $((MIB * PAGES_PER_MIB)) >/run/start
	FRAMES=$(frames)
}

destroy() {
	xl destroy domu
	kill "$READER"
}

has_answered() { grep -q "^@@ $1 " "$LOG"; }

# guest COMMAND [SECONDS]: have the guest run it; prints what it prints, returns what it returns. The number of lines that
# the guest has said before is the command's own, also in a subshell.
guest() {
	said=$(wc -l <"$LOG")
	# shellcheck disable=SC2016 # the guest's
	printf '%s\nresult=$?; echo; echo "@@ %d $result"\n' "$1" "$said" >"$TTY"
	wait_until "${2:-120}" has_answered "$said" || { echo "no answer to: $1"; return 1; }
	tail -n +$((said + 1)) "$LOG" | tr -d '\r' | sed "/^@@ $said /,\$d" | sed '/^$/d'
	return "$(tr -d '\r' <"$LOG" | sed -n "s/^@@ $said //p")"
}

# load [PARAMETER...]: our modules, in the guest.
load() {
	check "our balloon is loaded" guest "insmod /modules/balloon_compaction.ko && insmod /modules/xen_balloon_compaction.ko $*"
}

# value FILE: a number of our balloon. stat FILE: one of its statistics.
value() { guest "cat $OURS/$1" | tail -n 1; }
counted() { value "stats/$1"; }
at_rest() { guest "[ \$(cat $OURS/target_pages) = \$(cat $OURS/actual_pages) ] && [ \$(cat $OURS/pending_pages) = 0 ] && [ \$(cat $OURS/isolated_pages) = 0 ]"; }

nothing_pending() { guest "[ \$(cat $OURS/pending_pages) = 0 ]"; }

# frames: of the guest, as the hypervisor counts them.
frames() { oracle "$DOMID" pages; }
has_frames() { [ "$(frames)" = "$1" ]; }

# to MIB: the host lets the guest have so much, and waits until it has, to the page.
to() {
	xl mem-set domu "$1"
	reaches "$1"
}

reaches() {
	check "the guest has $1 MiB, as Xen counts" wait_until 120 has_frames $((FRAMES - (MIB - $1) * PAGES_PER_MIB))
}

# sets TEXT: the hypervisor's own list of page frames without a frame is the guest's list of balloon pages, page by page.
sets() {
	oracle "$DOMID" holes $((MIB * PAGES_PER_MIB)) /run/start | md5sum >/run/xen.md5
	guest "ledger | md5sum" | tail -n 1 >/run/guest.md5
	equal "$1: hypervisor and guest have the same pages" "$(cut -c 1-32 /run/guest.md5)" "$(cut -c 1-32 /run/xen.md5)"
}

# --- load in the guest -------------------------------------------------------------------------------------------

# scatter MIB COMMAND...: COMMAND makes a balloon, which sits in the holes of so much memory.
scatter() {
	guest "echo 0 >/proc/sys/vm/compaction_proactiveness; echo 0 >/proc/sys/vm/watermark_boost_factor"
	guest "fragment $1 >/tmp/fragment & until grep -q ready /tmp/fragment; do sleep 0.2; done"
	guest "echo 0 >/sys/module/balloon_compaction/parameters/inflate_order; echo 0 >$OURS/compact_proactiveness"
	shift
	"$@"
	guest "kill \$(pidof fragment); while pidof fragment >/dev/null; do sleep 0.1; done; echo 9 >/sys/module/balloon_compaction/parameters/inflate_order"
}

# free_blocks: of 2 MiB, in the guest.
free_blocks() { guest "awk '{ n += \$(NF - 1) + 2 * \$NF } END { print n }' /proc/buddyinfo" | tail -n 1; }

compact() { guest "compactors 4" 300 >/dev/null; }
