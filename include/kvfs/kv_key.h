/* SPDX-License-Identifier: ISC */
/* Keys and values of the ordered store (kvfs/kv.h), and their limits. */
#ifndef KVFS_KV_KEY_H
#define KVFS_KV_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "kvfs/slice.h"

/* Longest name within a group, in bytes; commit refuses more (-EINVAL). */
#define KV_NAME_MAX 512
/* Largest single value and largest batch in bytes (-E2BIG). */
#define KV_VALUE_MAX (16u << 20)
#define KV_BATCH_MAX (64u << 20)

struct kv_key {
	uint8_t space;
	uint64_t group;
	struct slice name;
};

/*
 * A pinned value: data is valid until kv_value_release(). A zeroed struct is
 * empty and may be released.
 */
struct kv_value {
	struct slice data;
	void (*release)(void *pin);
	void *pin;
};

static inline void
kv_value_release(struct kv_value *v)
{
	if (v->release != NULL)
		v->release(v->pin);
	*v = (struct kv_value){ 0 };
}

#endif
