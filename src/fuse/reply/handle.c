/* SPDX-License-Identifier: ISC */
/* Open directories; see handle.h. */
#include "fuse/reply/handle.h"

#include <stddef.h>

void
handle_list_init(struct handle_list *l)
{
	mutex_init(&l->mu);
	LIST_INIT(&l->open);
}

void
handle_list_fini(struct handle_list *l)
{
	mutex_fini(&l->mu);
}

void
handle_add(struct handle_list *l, struct handle *h)
{
	mutex_lock(&l->mu);
	LIST_INSERT_HEAD(&l->open, h, link);
	mutex_unlock(&l->mu);
}

void
handle_end(struct handle_list *l, struct handle *h)
{
	if (h == NULL)
		return;
	mutex_lock(&l->mu);
	LIST_REMOVE(h, link);
	mutex_unlock(&l->mu);
	h->close(h);
}

void
handle_end_all(struct handle_list *l)
{
	struct handle *h;

	do {
		mutex_lock(&l->mu);
		h = LIST_FIRST(&l->open);
		mutex_unlock(&l->mu);
		handle_end(l, h);
	} while (h != NULL);
}
