// SPDX-License-Identifier: GPL-2.0
/*
 * zones - the zones of this guest's memory, a line each: "NODE/NAME FIRST SPANNED MANAGED BALLOON".
 *
 * FIRST is the number of its first page.  Of the SPANNED pages from there on the zone manages so many, by its own
 * count, and so many are in a balloon, by /proc/kpageflags.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONEINFO	"/proc/zoneinfo"
#define KPAGEFLAGS	"/proc/kpageflags"
#define KPF_OFFLINE	23	/* from <linux/kernel-page-flags.h> */
#define CHUNK		8192

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* How many of @nr pages from @first on are in a balloon. */
static unsigned long ballooned(int fd, unsigned long first, unsigned long nr)
{
	static uint64_t flags[CHUNK];
	unsigned long sum = 0;

	while (nr) {
		size_t want = nr < CHUNK ? nr : CHUNK;
		ssize_t got = pread(fd, flags, want * sizeof(flags[0]), first * sizeof(flags[0]));

		if (got < 0)
			die(KPAGEFLAGS);
		got /= sizeof(flags[0]);
		if (!got) {
			fprintf(stderr, "zones: %s ends at page %lu, %lu before the zone does\n", KPAGEFLAGS, first, nr);
			exit(1);
		}
		for (ssize_t i = 0; i < got; i++)
			sum += flags[i] >> KPF_OFFLINE & 1;
		first += got;
		nr -= got;
	}
	return sum;
}

int main(int argc, char **argv)
{
	unsigned long first, spanned, managed;
	FILE *zoneinfo;
	char line[256], name[32];
	int fd, node, known = 0, zones = 0;

	if (argc > 1) {
		fprintf(stderr, "usage: zones (no argument is known, not '%s')\n", argv[1]);
		return 2;
	}
	zoneinfo = fopen(ZONEINFO, "r");
	if (!zoneinfo)
		die(ZONEINFO);
	fd = open(KPAGEFLAGS, O_RDONLY);
	if (fd < 0)
		die(KPAGEFLAGS);
	/* Of a zone without pages all is said but where it starts. */
	while (fgets(line, sizeof(line), zoneinfo)) {
		if (sscanf(line, "Node %d, zone %31s", &node, name) == 2)
			known = 1;
		known += sscanf(line, " spanned %lu", &spanned) == 1;
		known += sscanf(line, " managed %lu", &managed) == 1;
		if (sscanf(line, " start_pfn: %lu", &first) != 1)
			continue;
		if (known != 3) {
			fprintf(stderr, "zones: %s has a start_pfn before a zone's name, spanned and managed\n", ZONEINFO);
			return 1;
		}
		printf("%d/%s %lu %lu %lu %lu\n", node, name, first, spanned, managed, ballooned(fd, first, spanned));
		zones++;
	}
	if (!zones) {
		fprintf(stderr, "zones: %s has no zone with pages\n", ZONEINFO);
		return 1;
	}
	return 0;
}
