// SPDX-License-Identifier: GPL-2.0
/*
 * kexec [-p] KERNEL INITRAMFS COMMAND_LINE - load a second kernel; -p: for a crash
 * kexec - jump to it, through the drivers' shutdown, without a reset
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long flags = 0;

	/* To be started when this one crashes. */
	if (argc == 5 && !strcmp(argv[1], "-p")) {
		flags = KEXEC_FILE_ON_CRASH;
		argv++;
		argc--;
	}
	if (argc == 4) {
		if (!syscall(SYS_kexec_file_load, open(argv[1], O_RDONLY),
			     open(argv[2], O_RDONLY), strlen(argv[3]) + 1,
			     argv[3], flags))
			return 0;
	} else if (argc == 1) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
	} else {
		fprintf(stderr, "usage: kexec [[-p] KERNEL INITRAMFS COMMAND_LINE]\n");
		return 2;
	}
	perror("kexec");
	return 1;
}
