// SPDX-License-Identifier: GPL-2.0
/*
 * compactors N - compact all memory from N processes at once.
 *
 * Each writes 1 to /proc/sys/vm/compact_memory once.  Prints the nanoseconds
 * from the common start until the last one has returned; with QEMU's -icount
 * a nanosecond is a guest instruction.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Waits at the gate, so that creating processes is not part of the round. */
static int compact(int gate)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	char c;

	if (fd < 0 || read(gate, &c, 1) < 0)
		return 1;
	return write(fd, "1", 1) != 1;
}

int main(int argc, char **argv)
{
	int i, status, failed = 0, gate[2], n = argc > 1 ? atoi(argv[1]) : 0;
	long long start;

	if (n < 1) {
		fprintf(stderr, "usage: compactors N\n");
		return 2;
	}
	if (pipe(gate)) {
		perror("compactors");
		return 1;
	}
	for (i = 0; i < n; i++) {
		switch (fork()) {
		case -1:
			perror("compactors");
			return 1;
		case 0:
			close(gate[1]);
			_exit(compact(gate[0]));
		}
	}
	usleep(100000);
	start = now();
	close(gate[1]);
	for (i = 0; i < n; i++) {
		wait(&status);
		failed += status != 0;
	}
	printf("%lld\n", now() - start);
	return failed != 0;
}
