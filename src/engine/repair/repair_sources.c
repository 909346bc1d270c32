/* SPDX-License-Identifier: ISC */
/* The sources of the new store; see repair_sources.h. */
#include "engine/repair/repair_sources.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/key/key.h"

int
repair_sources_add(struct repair_sources *sources, struct iter *it)
{
	if (it == NULL)
		return -ENOMEM;
	if (sources->count == sources->cap) {
		size_t cap = sources->cap != 0 ? sources->cap * 2 : 16;
		struct merge_source *s = realloc(sources->v, cap * sizeof(*s));

		if (s == NULL) {
			iter_close(it);
			return -ENOMEM;
		}
		sources->v = s;
		sources->cap = cap;
	}
	sources->v[sources->count++] = (struct merge_source){ it, SEQ_MAX };
	return 0;
}

struct iter *
repair_sources_merge(struct repair_sources *sources)
{
	struct iter *it = merge_iter_create(sources->v, sources->count);

	sources->count = 0;
	return it;
}

void
repair_sources_fini(struct repair_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		iter_close(sources->v[i].it);
	free(sources->v);
}
