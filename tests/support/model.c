/* SPDX-License-Identifier: ISC */
/* See model.h. */
#include "support/model.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

uint64_t
rng_next(struct rng *r)
{
	/* splitmix64 (Steele, Lea, Flood) */
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t
rng_below(struct rng *r, uint64_t n)
{
	return rng_next(r) % n;
}

uint64_t
test_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t
test_seed(void)
{
	struct timespec ts;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &ts);
	seed = test_number("KVFS_SEED",
	    (uint64_t)ts.tv_sec * 1000003 ^ (uint64_t)ts.tv_nsec);
	printf("KVFS_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

struct kv_key
model_key(unsigned index, char *buf)
{
	unsigned name = index % MODEL_NAMES;
	unsigned group = index / MODEL_NAMES % MODEL_GROUPS;

	/* The first name of each group is empty; the others sort by number
	 * and share prefixes of different lengths. */
	buf[0] = '\0';
	if (name != 0)
		snprintf(buf, 32, "%c%02u%s", 'a' + (int)name / 8, name,
		    name % 3 == 0 ? "-longer-than-the-others" : "");
	return (struct kv_key){
		.space = (uint8_t)(1 + index / MODEL_NAMES / MODEL_GROUPS),
		.group = 1 + (uint64_t)group * 0x100000001,
		.name = slice_str(buf),
	};
}

/* Fill with bytes that compress to about a half. */
static void
fill_value(uint8_t *dst, struct model_value v)
{
	struct rng r = { v.seed };

	for (uint32_t i = 0; i < v.len; i += 8) {
		uint64_t x = rng_next(&r) & 0xffffffff;
		uint32_t n = v.len - i < 8 ? v.len - i : 8;

		memcpy(dst + i, &x, n);
	}
}

void
model_batch_make(struct model_batch *b, struct rng *r)
{
	static const uint32_t lengths[] = { 1, 20, 100, 500, 3000, 5000, 40000,
		100000 };
	unsigned count = rng_below(r, 8) == 0 ?
	    1 + (unsigned)rng_below(r, MODEL_BATCH_MAX) :
	    1 + (unsigned)rng_below(r, 4);

	b->count = count;
	for (unsigned i = 0; i < count; i++) {
		struct model_change *c = &b->changes[i];
		uint64_t dice = rng_below(r, 100);

		*c = (struct model_change){
			.index = (unsigned)rng_below(r, MODEL_KEYS),
		};
		if (dice < 3) {
			c->type = KV_OP_DELETE_GROUP;
		} else if (dice < 25) {
			c->type = KV_OP_DELETE;
		} else {
			unsigned max = dice < 90 ? 4 : 8;

			c->type = KV_OP_PUT;
			c->value.seed = (uint32_t)rng_next(r);
			c->value.len = 1 +
			    (uint32_t)rng_below(r, lengths[rng_below(r, max)]);
		}
	}
}

void
model_apply(struct model *m, const struct model_batch *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		const struct model_change *c = &b->changes[i];
		unsigned first = c->index / MODEL_NAMES * MODEL_NAMES;

		if (c->type == KV_OP_DELETE_GROUP)
			memset(&m->values[first], 0,
			    MODEL_NAMES * sizeof(m->values[0]));
		else
			m->values[c->index] = c->value;
	}
}

int
model_commit(struct kv *kv, const struct model_batch *b, uint64_t *seqp)
{
	return model_commit_with(kv, b, NULL, 0, seqp);
}

int
model_commit_with(struct kv *kv, const struct model_batch *b,
    const struct kv_key *extra, uint64_t n, uint64_t *seqp)
{
	struct kv_batch batch;
	size_t bytes = 0;
	uint8_t *data, *p;
	int rc;

	for (unsigned i = 0; i < b->count; i++)
		bytes += b->changes[i].value.len;
	data = p = malloc(bytes + 1);
	ck_assert_ptr_nonnull(data);
	kv_batch_init(&batch);
	for (unsigned i = 0; i < b->count; i++) {
		const struct model_change *c = &b->changes[i];
		char name[32];
		struct kv_key key = model_key(c->index, name);

		switch (c->type) {
		case KV_OP_PUT:
			fill_value(p, c->value);
			kv_batch_put(&batch, &key, slice_make(p, c->value.len));
			p += c->value.len;
			break;
		case KV_OP_DELETE:
			kv_batch_delete(&batch, &key);
			break;
		case KV_OP_DELETE_GROUP:
			kv_batch_delete_group_hint(&batch, key.space, key.group,
			    1000);
			break;
		}
	}
	if (extra != NULL)
		kv_batch_put(&batch, extra, slice_make(&n, sizeof(n)));
	rc = kv_commit(kv, &batch, seqp);
	kv_batch_fini(&batch);
	free(data);
	return rc;
}

static bool
value_is(struct slice got, struct model_value want)
{
	uint8_t *bytes;
	bool same;

	if (got.len != want.len)
		return false;
	bytes = malloc(want.len + 1);
	ck_assert_ptr_nonnull(bytes);
	fill_value(bytes, want);
	same = memcmp(bytes, got.data, got.len) == 0;
	free(bytes);
	return same;
}

static bool
key_is(struct kv_key got, unsigned index)
{
	char name[32];
	struct kv_key want = model_key(index, name);

	return got.space == want.space && got.group == want.group &&
	    slice_eq(got.name, want.name);
}

/* The index of the first key that differs; MODEL_KEYS if none does; or a
 * negative errno. */
static int
compare_scan(const struct model *m, struct kv *kv, struct kv_snapshot *snap)
{
	struct kv_key from = { 0 };
	struct kv_iter *it;
	unsigned i = 0;
	int rc = kv_iter_open(kv, &from, KV_SCOPE_ALL, snap, &it);

	for (; rc >= 0 && i < MODEL_KEYS; i++) {
		struct slice value;

		if (m->values[i].len == 0)
			continue;
		rc = kv_iter_next(it);
		if (rc <= 0)
			break;
		if (!key_is(kv_iter_key(it), i))
			break;
		rc = kv_iter_value(it, &value);
		if (rc < 0 || !value_is(value, m->values[i]))
			break;
	}
	if (rc >= 0 && i == MODEL_KEYS) {
		rc = kv_iter_next(it);
		if (rc > 0 && kv_iter_key(it).space <= MODEL_SPACES)
			i = MODEL_KEYS + 1; /* kv has keys that m has not */
	}
	kv_iter_close(it);
	return rc < 0 ? rc : (int)i;
}

bool
model_is_equal(const struct model *m, struct kv *kv)
{
	return compare_scan(m, kv, NULL) == MODEL_KEYS;
}

void
model_expect_equal(const struct model *m, struct kv *kv,
    struct kv_snapshot *snap, const char *what)
{
	char name[32];

	ck_assert_msg(compare_scan(m, kv, snap) == MODEL_KEYS,
	    "%s: scan differs at key %d of %d", what, compare_scan(m, kv, snap),
	    MODEL_KEYS);
	for (unsigned i = 0; i < MODEL_KEYS; i++) {
		struct kv_key key = model_key(i, name);
		struct kv_value v;
		int rc = kv_get(kv, &key, snap, &v);

		if (m->values[i].len == 0)
			ck_assert_msg(rc == -ENOENT,
			    "%s: get of absent key %u gives %d", what, i, rc);
		else
			ck_assert_msg(rc == 0 && value_is(v.data, m->values[i]),
			    "%s: get of key %u gives %d or a wrong value", what,
			    i, rc);
		kv_value_release(&v);
	}
}
