// SPDX-License-Identifier: GPL-2.0
/*
 * busy MIB [SECONDS] - ask the host for a balloon of MIB and say what the way there
 * cost.
 *
 * Prints the request, waits until /proc/vmstat has counted the pages that were
 * missing or too many and nothing else happens, and prints
 *
 *	# busy PAGES RUN NS
 *
 * RUN is how long other tasks than this program ran, as /proc/PID/schedstat has
 * it, from right before the device's interrupt; with QEMU's -icount a nanosecond
 * is a guest instruction.  NS is how long it took until the last page was counted.
 *
 * What goes on afterwards is watched for so many SECONDS, and then comes
 *
 *	# rest RUN SHARE
 *
 * RUN is how long other tasks ran in all, from the interrupt on; SHARE is what they
 * ran of the busiest of these seconds, in parts of a thousand.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_US		5000
#define SETTLE_US	300000
#define TIMEOUT_NS	2000000000000LL	/* emulated time runs while the host does other things */
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

/* The first number of a task's line: how long it ran. */
static long long run_ns(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[300];
	long long sum = 0;

	while (proc && (entry = readdir(proc))) {
		if (atoi(entry->d_name) == 0 || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/schedstat", entry->d_name);
		sum += atoll(read_file(path));
	}
	closedir(proc);
	return sum;
}

/* Of virtio's first line, whichever processors had them. */
static long long interrupts(void)
{
	char *at = strstr(read_file("/proc/interrupts"), "virtio"), *end;
	long long number, sum = 0;

	if (!at) {
		fprintf(stderr, "no interrupt of virtio\n");
		exit(1);
	}
	while (at > text && at[-1] != '\n')
		at--;
	at = strchr(at, ':') + 1;
	while (number = strtoll(at, &end, 10), end != at) {
		sum += number;
		at = end;
	}
	return sum;
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

static void watch(int seconds, long long ran)
{
	long long before = run_ns(), from = clock_ns(CLOCK_MONOTONIC_RAW);
	long long share, most = 0;

	while (seconds-- > 0) {
		long long now, to;

		sleep(1);
		now = run_ns();
		to = clock_ns(CLOCK_MONOTONIC_RAW);
		share = (now - before) * 1000 / (to - from);
		most = share > most ? share : most;
		before = now;
		from = to;
	}
	printf("# rest %lld %lld\n", before - ran, most);
}

int main(int argc, char **argv)
{
	long long target = argc == 2 || argc == 3 ? atoll(argv[1]) * PAGES_PER_MIB : -1;
	long long pages, seen, ran, now, start, end;
	int asked = 0;

	if (target < 0) {
		fprintf(stderr, "usage: busy MIB [SECONDS]\n");
		return 2;
	}
	pages = target - pages_now();
	seen = interrupts();
	ran = run_ns();
	start = clock_ns(CLOCK_MONOTONIC_RAW);
	printf("# host: balloon %s\n", argv[1]);
	fflush(stdout);
	while (pages_now() != target) {
		if (clock_ns(CLOCK_MONOTONIC_RAW) - start > TIMEOUT_NS) {
			fprintf(stderr, "busy: no balloon of %s MiB\n", argv[1]);
			return 1;
		}
		/* What runs before the guest is told is not the balloon's. */
		if (!asked) {
			now = run_ns();
			asked = interrupts() != seen;
			ran = asked ? ran : now;
		}
		usleep(POLL_US);
	}
	end = clock_ns(CLOCK_MONOTONIC_RAW);
	usleep(SETTLE_US);
	printf("# busy %lld %lld %lld\n", pages, run_ns() - ran, end - start);
	if (argc == 3)
		watch(atoi(argv[2]), ran);
	return 0;
}
