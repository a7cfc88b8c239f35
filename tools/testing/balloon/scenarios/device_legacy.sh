#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device of the time before virtio 1.0.
# balloon-options: disable-modern=on,disable-legacy=off,free-page-reporting=on,page-poison=on,deflate-on-oom=on
# timeout: 180

device_test "$VERSION_1=0" "$RING_PACKED=0" 2=1 3=0 4=0 5=0
