#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two balloons in one guest, of two kinds because QEMU refuses a second virtio balloon: neither disturbs the other.
# needs: ours/null_balloon

verify_start 64
load_driver
balloon_to 150
null_create second
null_balloon_to second 100
compact
compact
ledger "$(null_get second ledger_pages)"
null_ledger second "$(balloon_pages)"
balloon_to 20
ledger "$(null_get second ledger_pages)"
check "second keeps its pages" [ "$(null_get second ledger_pages)" = $((100 * PAGES_PER_MIB)) ]
null_destroy second
ledger
verify_stop
