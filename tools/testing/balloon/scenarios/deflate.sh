#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Deflate in steps down to nothing; every page comes back.

verify_start 64
load_driver
balloon_walk 400 300 7 0
equal "no page is left offline" 0 "$(offline_pages)"
verify_stop
