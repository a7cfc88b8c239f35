#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# iommu
# driver: ours
# balloon-options: driver=virtio-balloon-pci-non-transitional,iommu_platform=on
# timeout: 30

load_driver
sleep 3
dmesg | grep -i virtio | sed 's/^/# /'
ls -l /sys/bus/virtio/devices/*/driver | sed 's/^/# /'
cat /sys/bus/virtio/devices/*/status | sed 's/^/# /'
ok x
