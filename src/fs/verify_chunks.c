/* SPDX-License-Identifier: ISC */
/* Checks the chunks of one inode, and the patches over them, in the walk of
 * verify.c. */
#include <inttypes.h>

#include "fs/verify.h"

/* An inode's chunk rows, and beside them its patches. */
struct chunks_walk {
	struct verify *v;
	struct kv_iter *patches; /* NULL: none */
	bool has_patch;
	struct patch_key patch; /* the next one */
	uint64_t alloc;
	uint64_t end; /* of the last chunk beyond the size */
	uint64_t found; /* patches */
	bool all_read;
};

/* Read one patch, and report it if it is damaged. 1: it can be used. */
static int
take_patch(struct chunks_walk *w, const struct kv_key *key)
{
	struct slice value, data;
	int rc = key_patch_place(key, &w->patch);

	w->found++;
	w->v->has_patches = true;
	if (rc == 0)
		rc = kv_iter_value(w->patches, &value);
	if (rc == 0)
		rc = schema_get_bytes(value, &data);
	if (rc == 0 && data.len != w->patch.len)
		rc = -KVFS_ECORRUPT;
	return rc == 0 ? 1 : verify_bad_row(w->v, key, rc);
}

/* Go to the next patch that can be used. */
static int
next_patch(struct chunks_walk *w)
{
	struct kv_key key;
	int rc = 0;

	w->has_patch = false;
	while (w->patches != NULL && rc == 0) {
		rc = kv_iter_next(w->patches);
		if (rc <= 0)
			return rc;
		key = kv_iter_key(w->patches);
		rc = take_patch(w, &key);
	}
	w->has_patch = rc == 1;
	return rc < 0 ? rc : 0;
}

/* Pass over patches of chunks before index, which have no row. */
static int
report_alone(struct chunks_walk *w, uint64_t index)
{
	int rc = 0;

	while (rc == 0 && w->has_patch && w->patch.index < index) {
		struct verify_fault f = { .kind = FAULT_PATCH_ALONE,
			.key = kv_iter_key(w->patches) };

		f.ino = f.key.group;
		verify_problem(w->v, &f, "is a patch of a chunk without a row");
		w->all_read = false;
		rc = next_patch(w);
	}
	return rc;
}

/* Take the patches of chunk index; *endp gets their end. */
static int
take_patches(struct chunks_walk *w, uint64_t index, uint32_t *endp)
{
	uint32_t count = 0, bytes = 0, end;
	int rc = 0;

	*endp = 0;
	while (rc == 0 && w->has_patch && w->patch.index == index) {
		end = (uint32_t)w->patch.start + w->patch.len;
		bytes += w->patch.len;
		if (++count > PATCH_ROWS_MAX || bytes > PATCH_BYTES_MAX) {
			struct kv_key key = kv_iter_key(w->patches);

			rc = verify_bad_row(w->v, &key, -KVFS_ECORRUPT);
			w->all_read = false;
		} else if (end > *endp) {
			*endp = end;
		}
		if (rc == 0)
			rc = next_patch(w);
	}
	return rc;
}

static int
check_chunk(struct chunks_walk *w, const struct kv_key *key, struct kv_iter *it,
    const struct attr_rec *rec)
{
	struct slice value, data = { 0 };
	uint64_t index, len;
	uint32_t patched = 0;
	int rc = key_chunk_index(key, &index), rc2;

	if (rc < 0) {
		w->all_read = false;
		return verify_bad_row(w->v, key, rc);
	}
	rc = kv_iter_value(it, &value);
	if (rc == 0)
		rc = schema_get_chunk(value, &data);
	if (rc == 0 && (data.len == 0 || index >= chunks_of(SIZE_LIMIT)))
		rc = -KVFS_ECORRUPT;
	rc2 = report_alone(w, index);
	if (rc2 == 0)
		rc2 = take_patches(w, index, &patched);
	if (rc2 < 0)
		return rc2;
	if (rc != 0) {
		w->all_read = false;
		return verify_bad_row(w->v, key, rc);
	}
	len = patched > data.len ? patched : data.len;
	if (index * CHUNK_SIZE + len > rec->size)
		w->end = index * CHUNK_SIZE + len;
	w->alloc += alloc_of(len);
	return 0;
}

static int
walk_rows(struct chunks_walk *w, uint64_t ino, const struct attr_rec *rec)
{
	uint8_t space[8];
	struct kv_key key = key_chunk(ino, 0, space);
	struct kv_iter *it;
	int rc = kv_iter_open(w->v->kv, &key, KV_SCOPE_GROUP, w->v->snap, &it);

	if (rc < 0)
		return rc;
	rc = next_patch(w);
	while (rc == 0 && (rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = check_chunk(w, &key, it, rec);
	}
	kv_iter_close(it);
	return rc < 0 ? rc : report_alone(w, UINT64_MAX);
}

/* Report what the sums over the rows say. */
static void
report_sums(struct chunks_walk *w, struct verify_fault *f,
    const struct attr_rec *rec)
{
	if (w->found != 0 && (rec->flags & ATTR_PATCHES) == 0) {
		f->kind = FAULT_PATCHES;
		verify_problem(w->v, f,
		    "has patches, which its attributes do not say");
	}
	if (w->end != 0) {
		f->kind = FAULT_SIZE;
		f->number = w->end;
		verify_problem(w->v, f,
		    "has contents up to byte %" PRIu64
		    ", its attributes say %" PRIu64,
		    w->end, rec->size);
	}
	if (w->all_read && w->alloc != rec->alloc) {
		f->kind = FAULT_ALLOC;
		f->number = w->alloc;
		verify_problem(w->v, f,
		    "takes %" PRIu64 " bytes, its attributes say %" PRIu64,
		    w->alloc, rec->alloc);
	}
}

int
verify_chunks(struct verify *v, const struct kv_key *row, uint64_t ino,
    const struct attr_rec *rec, bool has_patches)
{
	struct verify_fault f = { .key = *row, .ino = ino };
	struct kv_key key = { .space = SPACE_PATCH, .group = ino };
	struct chunks_walk w = { .v = v, .all_read = true };
	int rc = 0;

	if (has_patches)
		rc = kv_iter_open(v->kv, &key, KV_SCOPE_GROUP, v->snap,
		    &w.patches);
	if (rc == 0)
		rc = walk_rows(&w, ino, rec);
	kv_iter_close(w.patches);
	if (rc == 0)
		report_sums(&w, &f, rec);
	return rc;
}
