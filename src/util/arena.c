/* SPDX-License-Identifier: ISC */
/* Allocate many, free at once; see arena.h. */
#include "util/arena.h"

#include <stdlib.h>

/* Large enough that malloc maps and returns each block by itself. */
#define ARENA_BLOCK_BYTES (256u << 10)
#define ARENA_ALIGN 8

struct arena_block {
	struct arena_block *next;
	_Alignas(ARENA_ALIGN) char data[];
};

void
arena_init(struct arena *a)
{
	a->blocks = NULL;
	a->next = NULL;
	a->left = 0;
	atomic_init(&a->bytes, 0);
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	arena_init(a);
}

static char *
arena_add_block(struct arena *a, size_t data_bytes)
{
	struct arena_block *b = malloc(sizeof(*b) + data_bytes);

	if (b == NULL)
		return NULL;
	b->next = a->blocks;
	a->blocks = b;
	return b->data;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	char *p;

	n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	/* One thread writes it: no read-modify-write is needed. */
	atomic_store_explicit(&a->bytes, arena_bytes(a) + n,
	    memory_order_relaxed);
	if (n <= a->left) {
		p = a->next;
		a->next += n;
		a->left -= n;
		return p;
	}
	/* What would waste much of a block gets one of its own. */
	if (n > ARENA_BLOCK_BYTES / 4)
		return arena_add_block(a, n);
	p = arena_add_block(a, ARENA_BLOCK_BYTES);
	if (p == NULL)
		return NULL;
	a->next = p + n;
	a->left = ARENA_BLOCK_BYTES - n;
	return p;
}

size_t
arena_bytes(const struct arena *a)
{
	return atomic_load_explicit(&a->bytes, memory_order_relaxed);
}
