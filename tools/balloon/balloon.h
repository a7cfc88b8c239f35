/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The balloons of a guest: those on the core, in /sys/class/balloon, and virtio
 * devices that the kernel's own driver has.
 */
#ifndef BALLOONCTL_BALLOON_H
#define BALLOONCTL_BALLOON_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tree.h"

#define CLASS		"/sys/class/balloon"
#define VIRTIO		"/sys/bus/virtio/devices"
#define CORE_MODULE	"/sys/module/balloon_compaction"

enum kind {
	KIND_CORE,
	KIND_STOCK,
};

struct balloon {
	enum kind kind;
	char name[NAME_MAX + 1];	/* balloon0; of a stock one virtio1 */
	char path[PATH_MAX];
	bool alone;			/* counters of the kernel are its own */
};

struct balloons {
	unsigned int nr;
	struct balloon *balloon;
};

/*
 * Find all, or those that are named; says why not, and sets the exit code, when
 * there is none.
 * Return: whether there is one to go on with.
 */
bool balloons_find(struct balloons *balloons, char *const *names,
		   unsigned int nr_names);

/* The same, and exactly those; for what changes something. */
bool balloons_find_named(struct balloons *balloons, char *const *names,
			 unsigned int nr_names);

/* What there is, in silence, if it is nothing, too. */
void balloons_find_all(struct balloons *balloons);

/* Has it left while it was read? */
bool balloon_is_gone(const struct balloon *balloon);

/* Pages that the kernel counts in all balloons together, or -ENOENT. */
int balloon_counted_pages(uint64_t *nr_pages);

/* Say which figures a stock driver leaves out. */
void balloons_explain_stock(const struct balloons *balloons);

#endif
