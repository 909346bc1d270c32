/* SPDX-License-Identifier: ISC */
/*
 * Sizes: the goals of the levels, what deletions of a table free, what a table
 * overlaps.
 */
#include "engine/compact/compact_internal.h"

#include "engine/tree/version.h"

int
compact_targets(uint64_t memtable_bytes, const struct version *v,
    uint64_t targets[LEVELS])
{
	uint64_t base_bytes = memtable_bytes * 4, size = 0;
	int level = LEVEL_LAST, first = LEVEL_LAST;

	for (int i = LEVEL_LAST; i >= 1; i--) {
		if (v->levels[i].bytes > size)
			size = v->levels[i].bytes;
		if (v->levels[i].count != 0)
			first = i;
		targets[i] = 0;
	}
	targets[0] = 0;
	while (size > base_bytes && level > 1) {
		targets[level--] = size;
		size /= LEVEL_FANOUT;
	}
	targets[level] = base_bytes;
	/* A level above the base, left over from a larger store, is emptied. */
	return first < level ? first : level;
}

uint64_t
compact_debt(uint64_t memtable_bytes, const struct version *v)
{
	uint64_t targets[LEVELS], debt = v->levels[0].bytes;
	int base = compact_targets(memtable_bytes, v, targets);

	for (int i = base; i < LEVEL_LAST; i++)
		if (v->levels[i].bytes > targets[i])
			debt += v->levels[i].bytes - targets[i];
	return debt;
}

uint64_t
compact_gain(const struct pick *p, const struct table_file *f)
{
	return f->props.deletes * p->entry_bytes + f->reclaim_bytes;
}

uint64_t
compact_weight(const struct pick *p, const struct table_file *f)
{
	return f->props.file_bytes + compact_gain(p, f);
}

uint64_t
compact_overlap(const struct version *v, int level, struct slice smallest,
    struct slice limit)
{
	const struct level *l = &v->levels[level];
	uint64_t n = 0;

	for (size_t i = level_lower_bound(l, smallest); i < l->count; i++) {
		if (slice_cmp(l->files[i]->smallest, limit) >= 0)
			break;
		n += l->files[i]->props.file_bytes;
	}
	return n;
}

void
compact_range(struct table_file *const *files, size_t count,
    struct slice *smallestp, struct slice *limitp)
{
	*smallestp = files[0]->smallest;
	*limitp = files[0]->limit;
	for (size_t i = 1; i < count; i++) {
		if (slice_cmp(files[i]->smallest, *smallestp) < 0)
			*smallestp = files[i]->smallest;
		if (slice_cmp(files[i]->limit, *limitp) > 0)
			*limitp = files[i]->limit;
	}
}
