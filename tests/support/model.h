/* SPDX-License-Identifier: ISC */
/*
 * A plain model of an ordered store over a small universe of keys, and the
 * random batches that drive it: what the engine must agree with. One thread.
 */
#ifndef KVFS_SUPPORT_MODEL_H
#define KVFS_SUPPORT_MODEL_H

#include <stdint.h>

#include "kvfs/kv.h"

#define MODEL_SPACES 3
#define MODEL_GROUPS 8
#define MODEL_NAMES 24
#define MODEL_KEYS (MODEL_SPACES * MODEL_GROUPS * MODEL_NAMES)

/* A value is a seed and a length; 0 means absent. */
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

/* The key of an index; its name lies in buf (at least 32 bytes). */
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
/* Commit it; the value bytes are made from the seeds. */
int model_commit(struct kv *kv, const struct model_batch *b, uint64_t *seqp);
/* The same with one more key in the batch, whose value is n's 8 bytes. */
int model_commit_with(struct kv *kv, const struct model_batch *b,
    const struct kv_key *extra, uint64_t n, uint64_t *seqp);

/* Abort the test (check) unless kv, as of snap, equals m: by a scan and by
 * gets of all keys. what stands in the message. Spaces above the model's
 * are left out. */
void model_expect_equal(const struct model *m, struct kv *kv,
    struct kv_snapshot *snap, const char *what);
/* Whether it does, by a scan. */
bool model_is_equal(const struct model *m, struct kv *kv);

#endif
