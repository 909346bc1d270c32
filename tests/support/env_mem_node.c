/* SPDX-License-Identifier: ISC */
/* See env_mem_node.h. */
#include "support/env_mem_node.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (16u << 10)

void *
mem_alloc(size_t n)
{
	void *p = calloc(1, n != 0 ? n : 1);

	if (p == NULL)
		abort();
	return p;
}

static char *
copy_string(const char *s)
{
	return s != NULL ? strcpy(mem_alloc(strlen(s) + 1), s) : NULL;
}

/* splitmix64 */
uint64_t
mem_random_next(struct mem_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* ---- Bytes ---- */

static void
bytes_fini(struct mem_bytes *b)
{
	for (size_t i = 0; i < b->chunk_count; i++)
		free(b->chunks[i]);
	free(b->chunks);
	*b = (struct mem_bytes){ 0 };
}

static void
bytes_read(const struct mem_bytes *b, uint8_t *dst, size_t len, uint64_t off)
{
	while (len > 0) {
		size_t i = off / CHUNK_BYTES;
		size_t at = off % CHUNK_BYTES;
		size_t n = CHUNK_BYTES - at < len ? CHUNK_BYTES - at : len;

		if (i < b->chunk_count && b->chunks[i] != NULL)
			memcpy(dst, b->chunks[i] + at, n);
		else
			memset(dst, 0, n);
		dst += n;
		len -= n;
		off += n;
	}
}

static uint8_t *
bytes_chunk(struct mem_bytes *b, size_t i)
{
	size_t count = b->chunk_count;

	if (i >= count) {
		count = i + 1 > 2 * count ? i + 1 : 2 * count;
		b->chunks = realloc(b->chunks, count * sizeof(*b->chunks));
		if (b->chunks == NULL)
			abort();
		memset(b->chunks + b->chunk_count, 0,
		    (count - b->chunk_count) * sizeof(*b->chunks));
		b->chunk_count = count;
	}
	if (b->chunks[i] == NULL)
		b->chunks[i] = mem_alloc(CHUNK_BYTES);
	return b->chunks[i];
}

void
mem_bytes_write(struct mem_bytes *b, const void *data, size_t len, uint64_t off)
{
	const uint8_t *src = data;

	if (len > 0 && off + len > b->size)
		b->size = off + len;
	while (len > 0) {
		size_t at = off % CHUNK_BYTES;
		size_t n = CHUNK_BYTES - at < len ? CHUNK_BYTES - at : len;

		memcpy(bytes_chunk(b, off / CHUNK_BYTES) + at, src, n);
		src += n;
		len -= n;
		off += n;
	}
}

/* Bytes beyond the size are always zero. */
void
mem_bytes_resize(struct mem_bytes *b, uint64_t size)
{
	size_t first = size / CHUNK_BYTES;

	b->size = size;
	if (first < b->chunk_count && b->chunks[first] != NULL)
		memset(b->chunks[first] + size % CHUNK_BYTES, 0,
		    CHUNK_BYTES - size % CHUNK_BYTES);
	for (size_t i = first + 1; i < b->chunk_count; i++) {
		free(b->chunks[i]);
		b->chunks[i] = NULL;
	}
}

void
mem_bytes_copy(struct mem_bytes *dst, const struct mem_bytes *src)
{
	*dst = (struct mem_bytes){ .chunk_count = src->chunk_count,
		.size = src->size };
	dst->chunks = mem_alloc(src->chunk_count * sizeof(*dst->chunks));
	for (size_t i = 0; i < src->chunk_count; i++) {
		if (src->chunks[i] != NULL)
			dst->chunks[i] = memcpy(mem_alloc(CHUNK_BYTES),
			    src->chunks[i], CHUNK_BYTES);
	}
}

/* ---- Directory entries ---- */

static struct mem_entry *
entries_find(const struct mem_entries *entries, const char *name)
{
	struct mem_entry *e;

	TAILQ_FOREACH (e, entries, link) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

static void
entry_remove(struct mem_entries *entries, struct mem_entry *e)
{
	TAILQ_REMOVE(entries, e, link);
	mem_node_unref(e->node);
	free(e);
}

void
mem_entries_set(struct mem_entries *entries, const char *name,
    struct mem_node *node)
{
	struct mem_entry *e = entries_find(entries, name);

	node->refs++;
	if (e != NULL) {
		mem_node_unref(e->node);
	} else {
		e = mem_alloc(sizeof(*e) + strlen(name) + 1);
		strcpy(e->name, name);
		TAILQ_INSERT_TAIL(entries, e, link);
	}
	e->node = node;
}

void
mem_entries_apply(struct mem_entries *entries, const struct mem_dir_change *c)
{
	struct mem_entry *e;

	if (c->to != NULL)
		mem_entries_set(entries, c->to, c->node);
	if (c->from != NULL) {
		e = entries_find(entries, c->from);
		if (e != NULL)
			entry_remove(entries, e);
	}
}

static void
entries_fini(struct mem_entries *entries)
{
	while (!TAILQ_EMPTY(entries))
		entry_remove(entries, TAILQ_FIRST(entries));
}

/* ---- Nodes ---- */

struct mem_node *
mem_node_create(bool is_dir)
{
	struct mem_node *node = mem_alloc(sizeof(*node));

	node->refs = 1;
	node->is_dir = is_dir;
	STAILQ_INIT(&node->changes);
	STAILQ_INIT(&node->dir_changes);
	TAILQ_INIT(&node->entries_now);
	TAILQ_INIT(&node->entries_sure);
	return node;
}

static void
drop_changes(struct mem_node *node)
{
	struct mem_change *c;
	struct mem_dir_change *d;

	while ((c = STAILQ_FIRST(&node->changes)) != NULL) {
		STAILQ_REMOVE_HEAD(&node->changes, link);
		free(c);
	}
	while ((d = STAILQ_FIRST(&node->dir_changes)) != NULL) {
		STAILQ_REMOVE_HEAD(&node->dir_changes, link);
		if (d->node != NULL)
			mem_node_unref(d->node);
		free(d->from);
		free(d->to);
		free(d);
	}
}

void
mem_node_unref(struct mem_node *node)
{
	if (--node->refs > 0)
		return;
	drop_changes(node);
	entries_fini(&node->entries_now);
	entries_fini(&node->entries_sure);
	bytes_fini(&node->now);
	bytes_fini(&node->sure);
	free(node);
}

/* ---- Files ---- */

static void
apply_change(struct mem_bytes *b, const struct mem_change *c)
{
	if (c->is_resize)
		mem_bytes_resize(b, c->off);
	else
		mem_bytes_write(b, c->data, c->len, c->off);
}

static void
add_change(struct mem_node *node, bool is_resize, const void *data, size_t len,
    uint64_t off)
{
	struct mem_change *c = mem_alloc(sizeof(*c) + len);

	c->is_resize = is_resize;
	c->off = off;
	c->len = len;
	if (len > 0)
		memcpy(c->data, data, len);
	STAILQ_INSERT_TAIL(&node->changes, c, link);
	apply_change(&node->now, c);
}

/* Record a change that the present state has already. */
void
mem_node_append_change(struct mem_node *node, const struct mem_change *change)
{
	size_t n = sizeof(*change) + change->len;
	struct mem_change *c = memcpy(mem_alloc(n), change, n);

	STAILQ_INSERT_TAIL(&node->changes, c, link);
}

void
mem_file_read(const struct mem_node *node, void *buf, size_t len, uint64_t off)
{
	bytes_read(&node->now, buf, len, off);
}

void
mem_file_write(struct mem_node *node, const void *data, size_t len,
    uint64_t off)
{
	if (len > 0)
		add_change(node, false, data, len, off);
}

void
mem_file_resize(struct mem_node *node, uint64_t size)
{
	if (size != node->now.size)
		add_change(node, true, NULL, 0, size);
}

void
mem_file_sync(struct mem_node *node)
{
	struct mem_change *c;

	STAILQ_FOREACH (c, &node->changes, link)
		apply_change(&node->sure, c);
	drop_changes(node);
}

/* ---- Directories ---- */

struct mem_node *
mem_dir_find(const struct mem_node *dir, const char *name)
{
	struct mem_entry *e = entries_find(&dir->entries_now, name);

	return e != NULL ? e->node : NULL;
}

void
mem_dir_change(struct mem_node *dir, const char *from, const char *to,
    struct mem_node *node)
{
	struct mem_dir_change *c = mem_alloc(sizeof(*c));

	c->from = copy_string(from);
	c->to = copy_string(to);
	c->node = node;
	if (node != NULL)
		node->refs++;
	STAILQ_INSERT_TAIL(&dir->dir_changes, c, link);
	mem_entries_apply(&dir->entries_now, c);
}

void
mem_dir_sync(struct mem_node *dir)
{
	struct mem_dir_change *c;

	STAILQ_FOREACH (c, &dir->dir_changes, link)
		mem_entries_apply(&dir->entries_sure, c);
	drop_changes(dir);
}
