// SPDX-License-Identifier: GPL-2.0
/*
 * Write to a file in the middle of an inflation, and say how far the balloon came
 * meanwhile: a shell would be too slow for that.
 *
 *	during MIB PAGES FILE
 *
 * Asks the host, on standard output, for a balloon of MIB, and writes a 1 to FILE
 * when PAGES more are inflated.  On standard error it says, in one line: pages inflated
 * before and after, centiseconds that it took, and centiseconds of inflation before.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INFLATED	"/sys/class/balloon/balloon0/stats/inflated"
#define LIMIT_CS	6000

static void die(const char *what)
{
	fprintf(stderr, "during: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		die(path);
	return fd;
}

static unsigned long value(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die("read");
	return strtoul(text, NULL, 10);
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 100 + time.tv_nsec / 10000000;
}

/*
 * Does not sleep: a timer can be late for as long as an emulator is busy with the
 * balloon.
 */
static void wait_for(int fd, unsigned long least)
{
	long deadline = now() + LIMIT_CS;

	while (value(fd) < least) {
		if (now() > deadline) {
			errno = ETIMEDOUT;
			die("inflation");
		}
		sched_yield();
	}
}

int main(int argc, char **argv)
{
	unsigned long base, before;
	int inflated, file;
	long first, begun;

	if (argc != 4) {
		fprintf(stderr, "usage: during MIB PAGES FILE\n");
		return 2;
	}
	inflated = open_or_die(INFLATED, O_RDONLY);
	file = open_or_die(argv[3], O_WRONLY);
	base = value(inflated);
	printf("# host: balloon %s\n", argv[1]);
	fflush(stdout);
	wait_for(inflated, base + 1);
	first = now();
	wait_for(inflated, base + strtoul(argv[2], NULL, 10));
	before = value(inflated);
	begun = now();
	if (write(file, "1\n", 2) != 2)
		die(argv[3]);
	fprintf(stderr, "%lu %lu %ld %ld\n", before - base, value(inflated) - base,
		now() - begun, begun - first);
	return 0;
}
