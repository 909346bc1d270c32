/* SPDX-License-Identifier: ISC */
/* See verify_map.h. */
#include "fs/verify_map.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fs/content.h"
#include "fs/verify.h"

/* Inode numbers in one page of the sets. */
#define PAGE_INOS 512u

struct verify_page {
	RB_ENTRY(verify_page) link;
	uint64_t number; /* ino / PAGE_INOS */
	uint64_t bits[SET_COUNT][PAGE_INOS / 64];
};

static int
verify_dir_cmp(struct verify_dir *a, struct verify_dir *b)
{
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

static int
verify_link_cmp(struct verify_link *a, struct verify_link *b)
{
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

static int
verify_page_cmp(struct verify_page *a, struct verify_page *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_GENERATE(verify_dirs, verify_dir, link, verify_dir_cmp)
RB_GENERATE(verify_links, verify_link, link, verify_link_cmp)
RB_PROTOTYPE(verify_pages, verify_page, link, verify_page_cmp)
RB_GENERATE(verify_pages, verify_page, link, verify_page_cmp)

void
verify_map_init(struct verify_map *m)
{
	RB_INIT(&m->dirs);
	RB_INIT(&m->links);
	RB_INIT(&m->pages);
	m->last = NULL;
}

void
verify_map_fini(struct verify_map *m)
{
	struct verify_dir *d, *next_dir;
	struct verify_link *l, *next_link;
	struct verify_page *p, *next_page;

	RB_FOREACH_SAFE (d, verify_dirs, &m->dirs, next_dir) {
		RB_REMOVE(verify_dirs, &m->dirs, d);
		free(d);
	}
	RB_FOREACH_SAFE (l, verify_links, &m->links, next_link) {
		RB_REMOVE(verify_links, &m->links, l);
		free(l);
	}
	RB_FOREACH_SAFE (p, verify_pages, &m->pages, next_page) {
		RB_REMOVE(verify_pages, &m->pages, p);
		free(p);
	}
	verify_map_init(m);
}

struct verify_dir *
verify_map_find_dir(struct verify_map *m, uint64_t ino)
{
	struct verify_dir key = { .ino = ino };

	return RB_FIND(verify_dirs, &m->dirs, &key);
}

struct verify_dir *
verify_map_dir(struct verify_map *m, uint64_t ino)
{
	struct verify_dir *d = verify_map_find_dir(m, ino);

	if (d != NULL)
		return d;
	d = calloc(1, sizeof(*d));
	if (d != NULL) {
		d->ino = ino;
		RB_INSERT(verify_dirs, &m->dirs, d);
	}
	return d;
}

struct verify_link *
verify_map_find_link(struct verify_map *m, uint64_t ino)
{
	struct verify_link key = { .ino = ino };

	return RB_FIND(verify_links, &m->links, &key);
}

struct verify_link *
verify_map_add_link(struct verify_map *m, uint64_t ino)
{
	struct verify_link *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		l->ino = ino;
		RB_INSERT(verify_links, &m->links, l);
	}
	return l;
}

static struct verify_page *
find_page(struct verify_map *m, uint64_t ino)
{
	struct verify_page key = { .number = ino / PAGE_INOS };

	if (m->last == NULL || m->last->number != key.number)
		m->last = RB_FIND(verify_pages, &m->pages, &key);
	return m->last;
}

int
verify_map_put(struct verify_map *m, enum verify_set set, uint64_t ino)
{
	struct verify_page *p = find_page(m, ino);
	uint64_t *word, bit = 1ULL << (ino % 64);

	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return -ENOMEM;
		p->number = ino / PAGE_INOS;
		RB_INSERT(verify_pages, &m->pages, p);
		m->last = p;
	}
	word = &p->bits[set][ino % PAGE_INOS / 64];
	if ((*word & bit) != 0)
		return 1;
	*word |= bit;
	return 0;
}

bool
verify_map_has(struct verify_map *m, enum verify_set set, uint64_t ino)
{
	const struct verify_page *p = find_page(m, ino);

	return p != NULL &&
	    (p->bits[set][ino % PAGE_INOS / 64] >> (ino % 64) & 1) != 0;
}
