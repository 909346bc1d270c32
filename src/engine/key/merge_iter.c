/* SPDX-License-Identifier: ISC */
/*
 * K-way merge; see merge_iter.h. A binary heap of the sources that are not at
 * their end, smallest key first. The smaller child of the root is remembered:
 * as long as one source has the smallest keys, a step costs one comparison and
 * changes nothing in the heap. Threading: one thread.
 */
#include "engine/key/merge_iter.h"

#include <stdlib.h>

#include "engine/key/key.h"

struct merge_iter {
	struct iter base;
	size_t count; /* sources */
	size_t live; /* in the heap */
	size_t second; /* smaller child of the root; 0: unknown */
	struct merge_source *sources;
	struct iter **heap; /* [0..live) */
};

static bool
is_before(const struct iter *a, const struct iter *b)
{
	return key_cmp(a->key, b->key) < 0;
}

static void
sift_down(struct merge_iter *m, size_t i)
{
	struct iter *it = m->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= m->live)
			break;
		if (child + 1 < m->live &&
		    is_before(m->heap[child + 1], m->heap[child]))
			child++;
		if (!is_before(m->heap[child], it))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = it;
}

/* Make the root's entry the current one. */
static void
merge_show_root(struct merge_iter *m)
{
	m->base.valid = m->live != 0;
	if (m->base.valid) {
		m->base.key = m->heap[0]->key;
		m->base.value = m->heap[0]->value;
	}
}

static void
merge_fail(struct merge_iter *m, int status)
{
	m->base.status = status;
	m->base.valid = false;
	m->live = 0;
}

/* Build the heap anew, after all sources may have moved. */
static void
heap_rebuild(struct merge_iter *m)
{
	m->live = 0;
	m->second = 0;
	for (size_t i = 0; i < m->count; i++) {
		struct iter *it = m->sources[i].it;

		if (it->status < 0) {
			merge_fail(m, it->status);
			return;
		}
		if (it->valid)
			m->heap[m->live++] = it;
	}
	for (size_t i = m->live / 2; i-- > 0;)
		sift_down(m, i);
	merge_show_root(m);
}

static void
merge_seek(struct iter *it, struct slice ikey)
{
	struct merge_iter *m = (struct merge_iter *)it;

	if (it->status < 0)
		return;
	for (size_t i = 0; i < m->count; i++)
		iter_seek(m->sources[i].it, ikey);
	heap_rebuild(m);
}

static void
merge_seek_first(struct iter *it)
{
	struct merge_iter *m = (struct merge_iter *)it;

	if (it->status < 0)
		return;
	for (size_t i = 0; i < m->count; i++)
		iter_seek_first(m->sources[i].it);
	heap_rebuild(m);
}

/* Whether the root is still the smallest after its source has moved. */
static bool
is_root_smallest(struct merge_iter *m)
{
	if (m->live < 2)
		return true;
	if (m->second == 0)
		m->second = m->live > 2 && is_before(m->heap[2], m->heap[1]) ?
		    2 :
		    1;
	return is_before(m->heap[0], m->heap[m->second]);
}

static void
merge_next(struct iter *it)
{
	struct merge_iter *m = (struct merge_iter *)it;
	struct iter *root = m->heap[0];

	iter_next(root);
	if (root->valid) {
		if (!is_root_smallest(m)) {
			sift_down(m, 0);
			m->second = 0;
		}
	} else if (root->status < 0) {
		merge_fail(m, root->status);
		return;
	} else {
		m->heap[0] = m->heap[--m->live];
		if (m->live != 0)
			sift_down(m, 0);
		m->second = 0;
	}
	merge_show_root(m);
}

static void
merge_close(struct iter *it)
{
	struct merge_iter *m = (struct merge_iter *)it;

	for (size_t i = 0; i < m->count; i++)
		iter_close(m->sources[i].it);
	free(m->sources);
	free(m->heap);
	free(m);
}

static const struct iter_ops merge_ops = {
	.seek = merge_seek,
	.seek_first = merge_seek_first,
	.next = merge_next,
	.close = merge_close,
};

struct iter *
merge_iter_create(const struct merge_source *sources, size_t count)
{
	struct merge_iter *m = calloc(1, sizeof(*m));

	if (m == NULL)
		goto fail;
	m->base.ops = &merge_ops;
	m->sources = calloc(count + 1, sizeof(*m->sources));
	m->heap = calloc(count + 1, sizeof(*m->heap));
	if (m->sources == NULL || m->heap == NULL)
		goto fail;
	for (size_t i = 0; i < count; i++)
		m->sources[i] = sources[i];
	m->count = count;
	return &m->base;
fail:
	for (size_t i = 0; i < count; i++)
		iter_close(sources[i].it);
	if (m != NULL)
		merge_close(&m->base); /* count is still 0 */
	return NULL;
}

void
merge_iter_skip_hidden(struct iter *it, struct slice end, uint64_t seq)
{
	struct merge_iter *m = (struct merge_iter *)it;
	uint8_t key[KEY_INTERNAL_MAX];
	struct slice target = key_first(key, end);
	bool moved = false;

	for (size_t i = 0; i < m->count; i++) {
		struct merge_source *s = &m->sources[i];

		if (!s->it->valid || s->max_seq >= seq ||
		    key_cmp(s->it->key, target) >= 0)
			continue;
		iter_seek(s->it, target);
		moved = true;
	}
	if (moved)
		heap_rebuild(m);
}
