/* SPDX-License-Identifier: ISC */
/* Open directories and control files; see handle.h. */
#include "fuse/reply/handle.h"

#include <stddef.h>

#include "fuse/session.h"

void
handle_add(struct session *s, struct handle *h)
{
	mutex_lock(&s->mu);
	LIST_INSERT_HEAD(&s->handles, h, link);
	mutex_unlock(&s->mu);
}

void
handle_end(struct session *s, struct handle *h)
{
	if (h == NULL)
		return;
	mutex_lock(&s->mu);
	LIST_REMOVE(h, link);
	mutex_unlock(&s->mu);
	h->close(s, h);
}

void
handle_end_all(struct session *s)
{
	struct handle *h;

	while ((h = LIST_FIRST(&s->handles)) != NULL)
		handle_end(s, h);
}
