# SPDX-License-Identifier: GPL-2.0
"""Boot stock Debian kernels in QEMU and check a balloon driver against the host's own records."""
