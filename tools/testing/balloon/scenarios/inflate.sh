#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Inflate in steps beside a busy process; after each step both ledgers agree.

verify_start 64
load_driver
balloon_walk 16 128 400
verify_stop
ledger
