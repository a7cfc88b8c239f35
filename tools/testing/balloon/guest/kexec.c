// SPDX-License-Identifier: GPL-2.0
/*
 * kexec KERNEL INITRAMFS COMMAND_LINE - load a second kernel
 * kexec - jump to it, through the drivers' shutdown, without a reset
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc == 4) {
		if (!syscall(SYS_kexec_file_load, open(argv[1], O_RDONLY),
			     open(argv[2], O_RDONLY), strlen(argv[3]) + 1,
			     argv[3], 0UL))
			return 0;
	} else if (argc == 1) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
	} else {
		fprintf(stderr, "usage: kexec [KERNEL INITRAMFS COMMAND_LINE]\n");
		return 2;
	}
	perror("kexec");
	return 1;
}
