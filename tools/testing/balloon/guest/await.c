// SPDX-License-Identifier: GPL-2.0
/*
 * await FILE VALUE - poll() a file of sysfs until it has this value
 *
 * Nothing but the kernel's word makes it look again, so a change that is not told
 * is waited for in vain.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char value[64];
	struct pollfd file = { .events = POLLPRI };
	ssize_t len;

	if (argc != 3) {
		fprintf(stderr, "usage: await FILE VALUE\n");
		return 2;
	}
	file.fd = open(argv[1], O_RDONLY);
	for (;;) {
		len = pread(file.fd, value, sizeof(value) - 1, 0);
		if (len < 0) {
			perror(argv[1]);
			return 1;
		}
		value[len] = 0;
		value[strcspn(value, "\n")] = 0;
		if (!strcmp(value, argv[2]))
			return 0;
		poll(&file, 1, -1);
	}
}
