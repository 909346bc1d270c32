/* SPDX-License-Identifier: ISC */
/* Sorted entries for tests; see entries.h. */
#include "support/entries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state = 1;

void
random_init(void)
{
	const char *text = getenv("KVFS_SEED");

	state = text != NULL ? strtoull(text, NULL, 10) :
			       (uint64_t)time(NULL) * 1000003;
	if (state == 0)
		state = 1;
	printf("KVFS_SEED=%llu\n", (unsigned long long)state);
	fflush(stdout);
}

uint64_t
random_u64(void)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

uint64_t
random_below(uint64_t n)
{
	return random_u64() % n;
}

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void
entries_fini(struct entries *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->recs[i].value);
	free(e->recs);
	*e = (struct entries){ 0 };
}

void
entries_add(struct entries *e, uint8_t space, uint64_t group, struct slice name,
    uint64_t seq, enum key_type type, struct slice value)
{
	struct kv_key k = { space, group, name };
	struct entry_rec *r;

	if (e->count == e->cap) {
		e->cap = e->cap != 0 ? e->cap * 2 : 64;
		e->recs = must(reallocarray(e->recs, e->cap, sizeof(*e->recs)));
	}
	r = &e->recs[e->count++];
	r->key_len = key_append_trailer(r->key, key_encode(r->key, &k), seq,
	    type);
	r->value_len = value.len;
	/* Allocated exactly, so that a sanitizer detects any access beyond. */
	r->value = must(malloc(value.len != 0 ? value.len : 1));
	if (value.len != 0)
		memcpy(r->value, value.data, value.len);
}

static int
rec_cmp(const void *a, const void *b)
{
	const struct entry_rec *x = a, *y = b;

	return key_cmp(slice_make(x->key, x->key_len),
	    slice_make(y->key, y->key_len));
}

void
entries_sort(struct entries *e)
{
	size_t n = 0;

	if (e->count == 0)
		return;
	qsort(e->recs, e->count, sizeof(*e->recs), rec_cmp);
	for (size_t i = 1; i < e->count; i++) {
		if (rec_cmp(&e->recs[n], &e->recs[i]) == 0)
			free(e->recs[i].value);
		else
			e->recs[++n] = e->recs[i];
	}
	e->count = n + 1;
}

static size_t
random_name(char *name)
{
	size_t len;

	if (random_below(20) == 0)
		return 0;
	if (random_below(50) == 0) {
		len = (size_t)random_below(KV_NAME_MAX + 1);
		memset(name, (int)random_below(256), KV_NAME_MAX);
		return len;
	}
	len = (size_t)snprintf(name, KV_NAME_MAX, "%s%llu",
	    random_below(2) != 0 ? "file" : "",
	    (unsigned long long)random_below(2000));
	if (random_below(30) == 0)
		name[len - 1] = (char)0xff;
	return len;
}

static uint64_t
random_group(void)
{
	return random_below(10) == 0 ? random_u64() : random_below(20);
}

void
entries_add_random(struct entries *e, size_t count, size_t value_max)
{
	uint8_t *value = must(malloc(value_max + 1));

	for (size_t i = 0; i < count; i++) {
		char name[KV_NAME_MAX + 1];
		size_t name_len = random_name(name);
		enum key_type type = KEY_VALUE;
		size_t len = 0;
		uint64_t roll = random_below(20);

		if (roll == 0)
			type = KEY_DELETE;
		else if (roll == 1) {
			type = KEY_DELETE_GROUP;
			name_len = 0;
		} else {
			len = (size_t)random_below(value_max + 1);
			if (random_below(2) != 0)
				memset(value, 'v', len);
			else
				for (size_t k = 0; k < len; k++)
					value[k] = (uint8_t)random_u64();
		}
		entries_add(e, (uint8_t)(1 + random_below(3)), random_group(),
		    slice_make(name, name_len), 1 + random_below(1000), type,
		    slice_make(value, len));
	}
	free(value);
	entries_sort(e);
}

size_t
entries_find(const struct entries *e, struct slice ikey)
{
	size_t lo = 0, hi = e->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (key_cmp(entry_key(e, mid), ikey) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct slice
entries_random_key(const struct entries *e, uint8_t *key)
{
	size_t len;

	if (e->count != 0 && random_below(2) == 0) {
		struct slice user = key_user(
		    entry_key(e, (size_t)random_below(e->count)));

		memcpy(key, user.data, user.len);
		len = user.len;
		if (random_below(3) == 0) /* an adjacent sequence number */
			key[len - 1] += (uint8_t)(random_below(3) - 1);
		if (random_below(8) == 0 && len > KEY_PREFIX_LEN)
			len--;
	} else {
		char name[KV_NAME_MAX + 1];
		size_t name_len = random_name(name);
		struct kv_key k = { (uint8_t)random_below(5), random_group(),
			slice_make(name, name_len) };

		len = key_encode(key, &k);
	}
	put_le64(key + len, (1 + random_below(1000)) << 8 | 0xff);
	return slice_make(key, len + KEY_TRAILER_LEN);
}

/* ---- Iterator ---- */

struct entries_walk {
	struct iter it;
	const struct entries *e;
	size_t at, fail_at;
	int *closedp;
};

static void
show(struct entries_walk *w)
{
	w->it.valid = false;
	if (w->at < w->e->count && w->at >= w->fail_at)
		w->it.status = -EIO;
	else if (w->at < w->e->count) {
		w->it.valid = true;
		w->it.key = entry_key(w->e, w->at);
		w->it.value = entry_val(w->e, w->at);
	}
}

static void
walk_seek(struct iter *it, struct slice ikey)
{
	struct entries_walk *w = (struct entries_walk *)it;

	w->at = entries_find(w->e, ikey);
	show(w);
}

static void
walk_seek_first(struct iter *it)
{
	struct entries_walk *w = (struct entries_walk *)it;

	w->at = 0;
	show(w);
}

static void
walk_next(struct iter *it)
{
	struct entries_walk *w = (struct entries_walk *)it;

	w->at++;
	show(w);
}

static void
walk_close(struct iter *it)
{
	struct entries_walk *w = (struct entries_walk *)it;

	if (w->closedp != NULL)
		(*w->closedp)++;
	free(w);
}

static const struct iter_ops walk_ops = {
	.seek = walk_seek,
	.seek_first = walk_seek_first,
	.next = walk_next,
	.close = walk_close,
};

struct iter *
entries_iter(const struct entries *e, size_t fail_at, int *closedp)
{
	struct entries_walk *w = must(calloc(1, sizeof(*w)));

	w->it.ops = &walk_ops;
	w->e = e;
	w->fail_at = fail_at;
	w->closedp = closedp;
	return &w->it;
}
