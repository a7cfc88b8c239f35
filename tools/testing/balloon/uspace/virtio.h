/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a virtio driver is compiled with, in userspace.  There is no virtio core
 * behind it: the suite brings one.
 */
#ifndef _BALLOON_USPACE_VIRTIO_H
#define _BALLOON_USPACE_VIRTIO_H

#include <linux/virtio_types.h>

#include "kernel.h"
/* What the system's headers may be too old for. */
#include "../../../../compat-include/linux/virtio_balloon.h"

/* This machine is little-endian. */
#define cpu_to_le32(x)		((__le32)(x))
#define le32_to_cpu(x)		((u32)(x))

#define __virtio16_to_cpu(little_endian, value) \
	((little_endian) ? (value) : __builtin_bswap16(value))
#define __cpu_to_virtio16(little_endian, value) \
	__virtio16_to_cpu(little_endian, value)
#define __virtio64_to_cpu(little_endian, value) \
	((little_endian) ? (value) : __builtin_bswap64(value))
#define __cpu_to_virtio64(little_endian, value) \
	__virtio64_to_cpu(little_endian, value)

static inline __virtio32 __cpu_to_virtio32(bool little_endian, u32 value)
{
	return little_endian ? value : __builtin_bswap32(value);
}
#define __virtio32_to_cpu(little_endian, value) \
	__cpu_to_virtio32(little_endian, value)

struct scatterlist {
	void *address;
	struct page *page;
	unsigned int offset;
	unsigned int length;
	bool last;
};
#define sg_virt(sg)		((sg)->address)
#define sg_is_last(sg)		((sg)->last)
#define sg_mark_end(sg)		((sg)->last = true)
#define sg_unmark_end(sg)	((sg)->last = false)
#define sg_page(sg)		((sg)->page)

static inline void sg_init_table(struct scatterlist *sg, unsigned int nr)
{
	memset(sg, 0, nr * sizeof(*sg));
	sg_mark_end(&sg[nr - 1]);
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int length, unsigned int offset)
{
	sg->address = (char *)page_address(page) + offset;
	sg->page = page;
	sg->length = length;
	sg->offset = offset;
}

static inline void sg_set_buf(struct scatterlist *sg, void *address,
			      unsigned int length)
{
	sg->address = address;
	sg->length = length;
}

static inline void sg_init_one(struct scatterlist *sg, void *address,
			       unsigned int length)
{
	sg_set_buf(sg, address, length);
	sg->last = true;
}

#define PAGE_REPORTING_ORDER_UNSPECIFIED	-1
struct page_reporting_dev_info {
	unsigned int order;
	int (*report)(struct page_reporting_dev_info *dev,
		      struct scatterlist *sg, unsigned int nr);
};

struct virtio_device;
struct virtqueue;
typedef void vq_callback_t(struct virtqueue *vq);

struct virtqueue {
	vq_callback_t *callback;
	const char *name;
	struct virtio_device *vdev;
	unsigned int index;
	unsigned int num_free;
};

struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
	bool ctx;
};

struct virtio_config_ops {
	void (*get)(struct virtio_device *vdev, unsigned int offset, void *buf,
		    unsigned int len);
	void (*set)(struct virtio_device *vdev, unsigned int offset,
		    const void *buf, unsigned int len);
	u8 (*get_status)(struct virtio_device *vdev);
	void (*del_vqs)(struct virtio_device *vdev);
};

struct virtio_device {
	struct device dev;
	const struct virtio_config_ops *config;
	u64 features;
	void *priv;
};
#define dev_to_virtio(d)	container_of(d, struct virtio_device, dev)

/* Words, as the balloon's are. */
#define virtio_cread_le(vdev, type, member, to)				\
do {									\
	__le32 _le;							\
									\
	_Static_assert(sizeof(((type *)0)->member) == sizeof(_le), #member); \
	(vdev)->config->get(vdev, offsetof(type, member), &_le, sizeof(_le)); \
	*(to) = le32_to_cpu(_le);					\
} while (0)
#define virtio_cwrite_le(vdev, type, member, from)			\
do {									\
	__le32 _le = cpu_to_le32(*(from));				\
									\
	_Static_assert(sizeof(((type *)0)->member) == sizeof(_le), #member); \
	(vdev)->config->set(vdev, offsetof(type, member), &_le, sizeof(_le)); \
} while (0)
#define __virtio_clear_bit(vdev, bit)	((vdev)->features &= ~BIT_ULL(bit))

#define VIRTIO_DEV_ANY_ID	0xffffffff
struct virtio_device_id { u32 device, vendor; };

struct virtio_driver {
	struct {
		const char *name;
		void *owner;
	} driver;
	const struct virtio_device_id *id_table;
	const unsigned int *feature_table;
	unsigned int feature_table_size;
	const unsigned int *feature_table_legacy;
	unsigned int feature_table_size_legacy;
	int (*validate)(struct virtio_device *vdev);
	int (*probe)(struct virtio_device *vdev);
	void (*remove)(struct virtio_device *vdev);
	void (*config_changed)(struct virtio_device *vdev);
	int (*freeze)(struct virtio_device *vdev);
	int (*restore)(struct virtio_device *vdev);
};

#endif /* _BALLOON_USPACE_VIRTIO_H */
