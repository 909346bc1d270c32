/* SPDX-License-Identifier: ISC */
/* Skip list in an arena: nodes and reading; see skiplist.h. */
#include <errno.h>

#include "engine/memtable/skiplist_internal.h"

struct skip_node *
skip_node_create(struct skiplist *s, int height, size_t key_len,
    size_t value_len)
{
	skip_link *links = arena_alloc(s->arena,
	    (size_t)height * sizeof(*links) + sizeof(struct skip_node) +
		key_len + value_len);
	struct skip_node *n;

	if (links == NULL)
		return NULL;
	for (int i = 0; i < height; i++)
		atomic_init(&links[i], NULL);
	n = (struct skip_node *)(links + height);
	n->key_len = (uint32_t)key_len;
	n->value_len = (uint32_t)value_len;
	return n;
}

int
skiplist_init(struct skiplist *s, struct arena *arena)
{
	*s = (struct skiplist){ .arena = arena, .random = 0x9e3779b97f4a7c15 };
	atomic_init(&s->height, 1);
	s->head = skip_node_create(s, SKIPLIST_MAX_HEIGHT, 0, 0);
	return s->head != NULL ? 0 : -ENOMEM;
}

const struct skip_node *
skiplist_seek(const struct skiplist *s, struct slice user, uint64_t trailer)
{
	struct target t = target_make(user, trailer);

	return skiplist_descend(s, &t, NULL);
}

const struct skip_node *
skiplist_first(const struct skiplist *s)
{
	return next_of(s->head, 0);
}

const struct skip_node *
skip_node_next(const struct skip_node *n)
{
	return next_of(n, 0);
}

struct slice
skip_node_key(const struct skip_node *n)
{
	return slice_make(n->key, n->key_len);
}

struct slice
skip_node_value(const struct skip_node *n)
{
	return slice_make(n->key + n->key_len, n->value_len);
}
