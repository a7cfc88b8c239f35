# SPDX-License-Identifier: GPL-2.0
"""Measure one round of compaction with a balloon in the guest: the kernel's own driver beside ours."""
