// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest adapter: a balloon of a hypervisor that agrees to everything.
 *
 *	make adapter M=samples/balloon KVER=V
 *	insmod balloon_sample.ko
 *	echo 25600 >/sys/module/balloon_sample/parameters/target_pages
 *
 * Begin with a copy of it, and put your hypervisor in the place of sample_submit().
 * Documentation/mm/balloon_drivers.rst has the rest.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>

#if BALLOON_API_VERSION != 1
#error "this adapter is for version 1 of the balloon interface"
#endif

static struct balloon *sample;
static struct device *parent;

/* The guest gives up batch->inflate and takes back batch->deflate. */
static int sample_submit(struct balloon *b, struct balloon_batch *batch)
{
	/* An answer may come later, too, from an interrupt for instance. */
	balloon_batch_complete(batch, 0);
	return 0;
}

static const struct balloon_dev_ops sample_ops = {
	.driver = "balloon_sample",
	.submit = sample_submit,
};

/* A hypervisor says this in a message, or in its configuration space. */
static int set_target(const char *value, const struct kernel_param *param)
{
	unsigned long nr_pages;
	int err = kstrtoul(value, 0, &nr_pages);

	if (IS_ERR_OR_NULL(sample))
		return -ENODEV;
	if (!err)
		balloon_set_target(sample, nr_pages);
	return err;
}

static const struct kernel_param_ops target_ops = { .set = set_target };
module_param_cb(target_pages, &target_ops, NULL, 0200);
MODULE_PARM_DESC(target_pages, "Size of the balloon, in pages; to be written when the module is loaded");

static int __init sample_init(void)
{
	parent = root_device_register("balloon_sample");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	sample = balloon_register_device(parent, &sample_ops, NULL);
	if (IS_ERR(sample))
		root_device_unregister(parent);
	return PTR_ERR_OR_ZERO(sample);
}
module_init(sample_init);

static void __exit sample_exit(void)
{
	struct balloon *b = sample;

	kernel_param_lock(THIS_MODULE);	/* set_target() has it, and may come later */
	sample = NULL;
	kernel_param_unlock(THIS_MODULE);
	balloon_unregister_device(b);
	root_device_unregister(parent);
}
module_exit(sample_exit);

MODULE_DESCRIPTION("The smallest balloon driver");
MODULE_LICENSE("GPL");
