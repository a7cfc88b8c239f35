# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The kernel's own balloon alone, for comparison, and for the harness to prove itself: the sets are equal there, too.

create pvh 600 || return
to 450
sets "inflated"
before=$(free_blocks)
compact
echo "# free blocks: $before before, $(free_blocks) after"
sets "compacted"
to 600
sets "deflated"
destroy
