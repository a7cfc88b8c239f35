#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that speaks virtio 1 and what was before; the driver takes the former.
# balloon-options: driver=virtio-balloon-pci-transitional
# timeout: 180

device_test "$VERSION_1=1"
