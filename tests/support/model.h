/* SPDX-License-Identifier: ISC */
/*
 * A simple model of an ordered store with a small set of keys, with which the
 * engine is compared, and random batches for both. One thread.
 */
#ifndef KVFS_SUPPORT_MODEL_H
#define KVFS_SUPPORT_MODEL_H

#include <stdint.h>

#include "kvfs/kv.h"

#define MODEL_SPACES 3
#define MODEL_GROUPS 8
#define MODEL_NAMES 24
#define MODEL_KEYS (MODEL_SPACES * MODEL_GROUPS * MODEL_NAMES)

/* A value's bytes follow from a seed and a length; 0: absent. */
struct model_value {
	uint32_t seed;
	uint32_t len;
};

/* values[0] belongs to the smallest key, and so on in order. */
struct model {
	struct model_value values[MODEL_KEYS];
};

struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *r);
/* 0 .. n-1. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* KVFS_SEED, or one from the clock; printed. */
uint64_t test_seed(void);
/* A number from the environment, or the default. */
uint64_t test_number(const char *name, uint64_t otherwise);

/* The key of an index; buf (at least 32 bytes) holds its name. */
struct kv_key model_key(unsigned index, char *buf);

/* One change of a batch. */
struct model_change {
	enum kv_op_type type;
	unsigned index; /* of the key, or of any key of the group */
	struct model_value value;
};
#define MODEL_BATCH_MAX 64
struct model_batch {
	struct model_change changes[MODEL_BATCH_MAX];
	unsigned count;
};

/* A random batch; large values (to 100 KiB) are rare. */
void model_batch_make(struct model_batch *b, struct rng *r);
void model_apply(struct model *m, const struct model_batch *b);
/* Commit it to kv, with values made from the seeds. */
int model_commit(struct kv *kv, const struct model_batch *b, uint64_t *seqp);
/* The same with one more key in the batch, whose value is n's 8 bytes. */
int model_commit_with(struct kv *kv, const struct model_batch *b,
    const struct kv_key *extra, uint64_t n, uint64_t *seqp);

/* Fail the test unless kv, as of snap, equals m, by a scan and by gets of all
 * keys. what is part of the message. Spaces above the model's are ignored. */
void model_expect_equal(const struct model *m, struct kv *kv,
    struct kv_snapshot *snap, const char *what);
/* Does it, by a scan? */
bool model_is_equal(const struct model *m, struct kv *kv);

#endif
