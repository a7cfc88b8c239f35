// SPDX-License-Identifier: GPL-2.0
/*
 * busy MIB - ask the host for a balloon of MIB and say what the way there cost.
 *
 * Prints the request, waits until /proc/vmstat has counted the pages that were
 * missing or too many and nothing else happens, and prints
 *
 *	# busy PAGES RUN NS
 *
 * RUN is how long the processors did not idle, less what this program itself
 * ran, as /proc/schedstat has it; with QEMU's -icount a nanosecond is a guest
 * instruction.  NS is how long it took until the last page was counted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_US		5000
#define SETTLE_US	300000
#define TIMEOUT_NS	280000000000LL
#define PAGES_PER_MIB	256LL

static char text[65536];

static const char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t got, length = 0;

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length] = 0;
	return text;
}

static long long clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The seventh number of each processor's line: how long tasks ran. */
static long long run_ns(void)
{
	long long ran, sum = 0;
	const char *line;

	for (line = read_file("/proc/schedstat"); line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "cpu%*d %*u %*u %*u %*u %*u %*u %lld", &ran) == 1)
			sum += ran;
		if (!*line)
			break;
	}
	return sum - clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static long long counted(const char *name)
{
	const char *at = strstr(read_file("/proc/vmstat"), name);

	return at ? atoll(at + strlen(name)) : 0;
}

static long long pages_now(void)
{
	return counted("\nballoon_inflate ") - counted("\nballoon_deflate ");
}

int main(int argc, char **argv)
{
	long long target = argc == 2 ? atoll(argv[1]) * PAGES_PER_MIB : -1;
	long long pages, ran, start, end;

	if (target < 0) {
		fprintf(stderr, "usage: busy MIB\n");
		return 2;
	}
	pages = target - pages_now();
	ran = run_ns();
	start = clock_ns(CLOCK_MONOTONIC_RAW);
	printf("# host: balloon %s\n", argv[1]);
	fflush(stdout);
	while (pages_now() != target) {
		if (clock_ns(CLOCK_MONOTONIC_RAW) - start > TIMEOUT_NS) {
			fprintf(stderr, "busy: no balloon of %s MiB\n", argv[1]);
			return 1;
		}
		usleep(POLL_US);
	}
	end = clock_ns(CLOCK_MONOTONIC_RAW);
	usleep(SETTLE_US);
	printf("# busy %lld %lld %lld\n", pages, run_ns() - ran, end - start);
	return 0;
}
