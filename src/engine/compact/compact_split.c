/* SPDX-License-Identifier: ISC */
/*
 * Divides a large job into parts for several threads (RocksDB's
 * subcompactions). Parts are cut between two groups, so that the deletion of a
 * group and what it deletes are in one part. A single group is never divided.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"

/* The least size of a part: worth a thread, and large enough for tables of
 * normal size. */
#define PART_MIN_MEMTABLES 2

/* A group in which an input begins, and the weight of that input. */
struct boundary {
	uint8_t prefix[KEY_PREFIX_LEN];
	uint64_t bytes;
};

static int
boundary_cmp(const void *va, const void *vb)
{
	const struct boundary *a = va, *b = vb;

	return memcmp(a->prefix, b->prefix, KEY_PREFIX_LEN);
}

static struct boundary *
boundaries_make(const struct compact_job *job, size_t *countp, uint64_t *totalp)
{
	size_t n = 0;
	struct boundary *bounds = calloc(job->input_count[0] +
		job->input_count[1] + 1,
	    sizeof(*bounds));

	*totalp = 0;
	*countp = 0;
	if (bounds == NULL)
		return NULL;
	for (int i = 0; i < 2; i++) {
		for (size_t j = 0; j < job->input_count[i]; j++) {
			const struct table_file *f = job->inputs[i][j];

			memcpy(bounds[n].prefix, f->smallest.data,
			    KEY_PREFIX_LEN);
			bounds[n++].bytes = f->props.file_bytes;
			*totalp += f->props.file_bytes;
		}
	}
	qsort(bounds, n, sizeof(*bounds), boundary_cmp);
	*countp = n;
	return bounds;
}

/* End the last part before prefix, and begin the next one there. */
static void
cut_at(struct compact_job *job, const uint8_t prefix[KEY_PREFIX_LEN])
{
	struct compact_part *last = &job->parts[job->part_count - 1];

	memcpy(last->to, prefix, KEY_PREFIX_LEN);
	last->to_len = KEY_PREFIX_LEN;
	job->part_count++;
	last++;
	memcpy(last->from, prefix, KEY_PREFIX_LEN);
	last->from_len = KEY_PREFIX_LEN;
}

int
compact_split(struct compact_job *job, uint64_t memtable_bytes,
    size_t max_parts)
{
	uint64_t least = PART_MIN_MEMTABLES * memtable_bytes;
	struct boundary *bounds;
	uint64_t total, share, sum = 0;
	size_t count;

	job->parts = calloc(max_parts + 1, sizeof(*job->parts));
	bounds = boundaries_make(job, &count, &total);
	if (job->parts == NULL || bounds == NULL) {
		free(bounds);
		return -ENOMEM;
	}
	job->part_count = 1;
	if (max_parts > total / least)
		max_parts = (size_t)(total / least);
	if (job->in_place)
		max_parts = 1;
	share = max_parts > 1 ? total / max_parts : UINT64_MAX;
	for (size_t i = 0; i < count && job->part_count < max_parts; i++) {
		if (sum >= share * job->part_count &&
		    boundary_cmp(&bounds[i], &bounds[i - 1]) != 0)
			cut_at(job, bounds[i].prefix);
		sum += bounds[i].bytes;
	}
	free(bounds);
	return 0;
}
