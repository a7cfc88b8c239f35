# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A PVH guest: our balloon beside the kernel's own, inflated, compacted, with a host that is full, deflated, unloaded.

create pvh 600 || return
guest "verify 64 >/tmp/verify & echo started"
load
sets "before"

scatter 400 to 450
sets "scattered"
before=$(free_blocks)
full=$(frames)
# The host has not a page to give, and takes none back.
oracle "$DOMID" max $((full * 4))
compact
check "the balloon comes to rest" wait_until 60 at_rest
equal "the guest has as many frames as before" "$full" "$(frames)"
sets "compacted"
check "pages were migrated: $(counted compact_balloon_migrated)" [ "$(counted compact_balloon_migrated)" -gt 1000 ]
equal "none was refused" 0 "$(counted refused)"
echo "# free blocks: $before before, $(free_blocks) after; batches: $(counted batches)"

# Nor does it give any: the pages stay in the balloon.
guest "echo $(((600 - 100) * 1024)) >$STOCK/target_kb"
refuses() { [ "$(counted refused)" -gt 0 ]; }
check "the host refuses" wait_until 60 refuses
check "the balloon comes to rest" wait_until 60 nothing_pending
equal "a full host gives nothing" "$full" "$(frames)"
sets "refused"
to 500
sets "partly deflated"

# Whole blocks, and the balloon moves itself.
to 300
sets "whole blocks"
guest "echo 1 >$OURS/compact" 300
sets "moved together"
to 600
sets "deflated"
equal "our balloon is empty" 0 "$(value actual_pages)"

# Unloaded with pages in it, which become the kernel's own balloon's.
to 450
check "our balloon is unloaded" guest "rmmod xen_balloon_compaction balloon_compaction" 300
reaches 450
sets "unloaded"
to 600
sets "without our balloon"
check "no page was lost" guest "kill \$(pidof verify); wait; grep ' 0 errors' /tmp/verify"
destroy
