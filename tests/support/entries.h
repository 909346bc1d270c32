/* SPDX-License-Identifier: ISC */
/*
 * A sorted array of internal keys with values, with which tests of blocks,
 * tables and merges compare; and random entries. One thread.
 */
#ifndef KVFS_SUPPORT_ENTRIES_H
#define KVFS_SUPPORT_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/key/iter.h"
#include "engine/key/key.h"

struct entry_rec {
	uint8_t key[KEY_INTERNAL_MAX];
	size_t key_len;
	uint8_t *value;
	size_t value_len;
};

struct entries {
	struct entry_rec *recs;
	size_t count, cap;
};

/* Random numbers, reproducible: the seed is KVFS_SEED or the time, and is
 * printed. */
void random_init(void);
uint64_t random_u64(void);
/* 0 .. n-1. */
uint64_t random_below(uint64_t n);

/* Zeroed, it is empty and valid. All abort without memory. */
void entries_fini(struct entries *e);
void entries_add(struct entries *e, uint8_t space, uint64_t group,
    struct slice name, uint64_t seq, enum key_type type, struct slice value);
/* Sort, and remove equal keys. */
void entries_sort(struct entries *e);
/* Add count random entries (fewer, where keys collide) and sort: few groups,
 * names that share prefixes, several versions of many keys, all kinds. */
void entries_add_random(struct entries *e, size_t count, size_t value_max);

static inline struct slice
entry_key(const struct entries *e, size_t i)
{
	return slice_make(e->recs[i].key, e->recs[i].key_len);
}
static inline struct slice
entry_val(const struct entries *e, size_t i)
{
	return slice_make(e->recs[i].value, e->recs[i].value_len);
}
/* Index of the first entry at or after ikey; count: none. */
size_t entries_find(const struct entries *e, struct slice ikey);
/* A user key near those in e, or one of them, with a random sequence
 * number; written to key (KEY_INTERNAL_MAX), which is returned. */
struct slice entries_random_key(const struct entries *e, uint8_t *key);

/* An iterator over e, which must outlive it. Its close adds 1 to *closedp,
 * unless that is NULL. At entry fail_at it fails (SIZE_MAX: never). */
struct iter *entries_iter(const struct entries *e, size_t fail_at,
    int *closedp);

#endif
