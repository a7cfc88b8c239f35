/* SPDX-License-Identifier: GPL-2.0 */
/* Shrinkers that the kernel allocates, as since 6.7, for kernels before. */
#ifndef _COMPAT_LINUX_SHRINKER_H
#define _COMPAT_LINUX_SHRINKER_H

#include <linux/slab.h>
#include_next <linux/shrinker.h>

#ifndef HAVE_SHRINKER_ALLOC
static inline struct shrinker *compat_shrinker_alloc(unsigned int flags,
						     const char *name)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (shrinker) {
		shrinker->flags = flags;
		shrinker->seeks = DEFAULT_SEEKS;
	}
	return shrinker;
}

/* One that could not be registered is never called, which does no harm. */
static inline void shrinker_register(struct shrinker *shrinker)
{
	if (register_shrinker(shrinker, KBUILD_MODNAME))
		pr_warn(KBUILD_MODNAME ": no shrinker\n");
}

static inline void shrinker_free(struct shrinker *shrinker)
{
	/* Safe for one that is not registered, too. */
	unregister_shrinker(shrinker);
	kfree(shrinker);
}

#define shrinker_alloc(flags, name)	compat_shrinker_alloc(flags, name)
#endif

#endif /* _COMPAT_LINUX_SHRINKER_H */
