#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that insists on the platform's addresses, which a balloon's pages have not: it refuses, the driver gives up.
# balloon-options: driver=virtio-balloon-pci-non-transitional,iommu_platform=on

refused() { dmesg | grep -q "$1.*device refuses features"; }

managed=$(managed_pages)
verify_start 64
device=$(basename /sys/bus/virtio/devices/virtio[0-9]*)
host_balloon 100
load_driver
check "the device refuses" wait_until 20 refused "$device"
check "it has no driver" gone "/sys/bus/virtio/devices/$device/driver"
check "there is no balloon" gone "$CLASS/balloon0"
check "driver unloaded" unload_driver
equal "no page is left offline" 0 "$(offline_pages)"
equal "no page is left out of the zones' count" "$managed" "$(managed_pages)"
ledger_now
verify_stop
