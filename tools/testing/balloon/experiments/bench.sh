#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon that goes up and down, and what each step costs.
# timeout: 280
# append: init_on_alloc=0
# trace: memory_region_ops_read memory_region_ops_write
#
# The bench sets STEPS (MiB, one after the other), PIECES (the order of what our driver takes at once) and TOUCHED (MiB of
# memory that a process has used before, so that the host has to drop it). Lines "# step N" and "# busy PAGES RUN NS" are
# of one step; what the host counted is between the counts "N" and "Nend".

# mark LABEL: what the host has seen until now.
mark() {
	LEDGERS=$((LEDGERS + 1))
	ledger_blocks -m $LEDGERS >/dev/null
	echo "# host: count $1 $LEDGERS"
}

[ "$DRIVER" != ours ] || load_module ours/balloon_compaction inflate_order="$PIECES" || not_ok "core loaded"
load_driver
[ "$TOUCHED" = 0 ] || { start touch verify "$TOUCHED" && stop touch; }
rm -rf /modules /bin/fragment /bin/verify
# Until the kernel has reported what is free, and done what else it puts off.
sleep 5
number=0
for mib in $STEPS; do
	number=$((number + 1))
	# shellcheck disable=SC2034 # target_seen compares with it
	TARGET=$((mib * PAGES_PER_MIB))
	mark $number
	say "step $number"
	check "balloon of $mib MiB" busy "$mib"
	settle
	mark ${number}end
	ledger
done
