#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon that goes up and down and is compacted while the host looks at each instruction.
# timeout: 900
# icount: 1
# mem: 300
# smp: 1
# append: nokaslr init_on_alloc=0
#
# The bench sets PIECES, as in bench.sh. What is between the lines "# profile NAME" and "# profile end PAGES" is looked at; the
# lines "# symbol ADDRESS NAME [MODULE]" come first. The host's trace is switched off by that, so there is no ledger.

profiled() {
	say "profile $1"
	check "balloon of $2 MiB" busy "$2"
	say "profile end $((64 * PAGES_PER_MIB))"
}

scatter() {
	fragment_start 150
	[ ! -e "$ORDER" ] || echo 0 >"$ORDER"
	check "scattered balloon" busy 60
	fragment_stop
}

# The kernel compacts memory once.
migrated() {
	scatter
	before=$(migrated_pages)
	say "profile migrate"
	compact_once
	say "profile end $(($(migrated_pages) - before))"
}

# The balloon compacts itself.
compacted() {
	check "balloon of 0 MiB" busy 0
	scatter
	before=$(balloon_value stats/exchanged)
	say "profile compact"
	echo 1 >"$CLASS/balloon0/compact"
	say "profile end $(($(balloon_value stats/exchanged) - before))"
}

[ "$DRIVER" != ours ] || load_module ours/balloon_compaction inflate_order="$PIECES" || not_ok "core loaded"
load_driver
hold_still	# what is measured here is asked for
sed -nE 's/^([0-9a-f]+) [tT] /# symbol \1 /p' /proc/kallsyms
# What the driver does for the first time is not what is asked for.
check "balloon of 64 MiB" busy 64
check "balloon of 0 MiB" busy 0
sleep 5
profiled inflate 64
profiled deflate 0
migrated
[ "$DRIVER" != ours ] || compacted
