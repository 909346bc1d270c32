/* SPDX-License-Identifier: ISC */
/* The invariants of a version; see version.h. */
#include "engine/tree/version.h"
#include "util/invariant.h"

typedef unsigned long long ull;

static void
check_pair(int level, const struct table_file *a, const struct table_file *b)
{
	if (level == 0)
		invariant(a->props.max_seq >= b->props.max_seq,
		    "version: level 0: table %llu is older than %llu after it",
		    (ull)a->number, (ull)b->number);
	else
		invariant(slice_cmp(a->limit, b->smallest) <= 0,
		    "version: level %d: tables %llu and %llu overlap", level,
		    (ull)a->number, (ull)b->number);
	invariant(a->number != b->number,
	    "version: level %d: table %llu is there twice", level,
	    (ull)a->number);
}

void
version_check(const struct version *v)
{
	invariant(atomic_load_explicit(&v->refs, memory_order_relaxed) != 0,
	    "version: nobody holds it");
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &v->levels[i];
		uint64_t bytes = 0, group_deletes = 0;

		for (size_t j = 0; j < l->count; j++) {
			const struct table_file *f = l->files[j];

			invariant(slice_cmp(f->smallest, f->limit) < 0,
			    "version: level %d: table %llu covers no key", i,
			    (ull)f->number);
			invariant(atomic_load_explicit(&f->refs,
				      memory_order_relaxed) != 0,
			    "version: level %d: nobody holds table %llu", i,
			    (ull)f->number);
			if (j > 0)
				check_pair(i, l->files[j - 1], f);
			bytes += f->props.file_bytes;
			group_deletes += f->props.group_deletes;
		}
		invariant(l->bytes == bytes,
		    "version: level %d: tables have %llu bytes, not %llu", i,
		    (ull)bytes, (ull)l->bytes);
		invariant(l->group_deletes == group_deletes,
		    "version: level %d: %llu deletions of groups, not %llu", i,
		    (ull)group_deletes, (ull)l->group_deletes);
	}
}
