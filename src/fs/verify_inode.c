/* SPDX-License-Identifier: ISC */
/* Checks one inode in the walk of verify.c: its attributes, chunks and
 * extended attributes. */
#include <inttypes.h>

#include "fs/verify.h"

/* Sums over the chunk rows of an inode. */
struct chunks {
	uint64_t alloc;
	uint64_t end; /* of the last chunk beyond the size */
	bool all_read;
};

static int
check_chunk(struct verify *v, const struct kv_key *key, struct kv_iter *it,
    const struct attr_rec *rec, struct chunks *c)
{
	struct slice value, data;
	uint64_t index, end;
	int rc = key_chunk_index(key, &index);

	if (rc == 0)
		rc = kv_iter_value(it, &value);
	if (rc == 0)
		rc = schema_get_chunk(value, &data);
	if (rc == 0 && (data.len == 0 || index >= chunks_of(SIZE_LIMIT)))
		rc = -KVFS_ECORRUPT;
	if (rc != 0) {
		c->all_read = false;
		return verify_bad_row(v, key, rc);
	}
	end = index * CHUNK_SIZE + data.len;
	if (end > rec->size)
		c->end = end;
	c->alloc += alloc_of(data.len);
	return 0;
}

static int
check_chunks(struct verify *v, const struct kv_key *row, uint64_t ino,
    const struct attr_rec *rec)
{
	struct verify_fault f = { .key = *row, .ino = ino };
	struct chunks c = { .all_read = true };
	struct kv_iter *it;
	struct kv_key key;
	uint8_t space[8];
	int rc;

	key = key_chunk(ino, 0, space);
	rc = kv_iter_open(v->kv, &key, KV_SCOPE_GROUP, v->snap, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = check_chunk(v, &key, it, rec, &c);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	if (rc < 0)
		return rc;
	if (c.end != 0) {
		f.kind = FAULT_SIZE;
		f.number = c.end;
		verify_problem(v, &f,
		    "has contents up to byte %" PRIu64
		    ", its attributes say %" PRIu64,
		    c.end, rec->size);
	}
	if (c.all_read && c.alloc != rec->alloc) {
		f.kind = FAULT_ALLOC;
		f.number = c.alloc;
		verify_problem(v, &f,
		    "takes %" PRIu64 " bytes, its attributes say %" PRIu64,
		    c.alloc, rec->alloc);
	}
	return 0;
}

static int
check_xattrs(struct verify *v, const struct kv_key *row, uint64_t ino,
    const struct attr_rec *rec)
{
	struct verify_fault f = { FAULT_XATTRS, *row, ino, 0 };
	struct kv_key key = key_xattr(ino, (struct slice){ 0 });
	struct slice value, data;
	struct kv_iter *it;
	int rc;

	rc = kv_iter_open(v->kv, &key, KV_SCOPE_GROUP, v->snap, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		f.number++;
		rc = kv_iter_value(it, &value);
		if (rc == 0)
			rc = schema_get_bytes(value, &data);
		if (rc == 0 &&
		    (key.name.len == 0 || key.name.len > FS_NAME_MAX ||
			data.len > FS_XATTR_SIZE_MAX))
			rc = -KVFS_ECORRUPT;
		rc = verify_bad_row(v, &key, rc);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	if (rc == 0 && f.number != rec->nxattrs)
		verify_problem(v, &f,
		    "has %" PRIu64
		    " extended attributes, its attributes say %" PRIu32,
		    f.number, rec->nxattrs);
	return rc;
}

static bool
may_have_xattrs(struct verify *v, uint64_t ino, const struct attr_rec *rec)
{
	return rec->nxattrs != 0 ||
	    (v->suspects != NULL &&
		verify_map_has(v->suspects, SET_XATTRS, ino));
}

int
verify_inode(struct verify *v, const struct kv_key *key, uint64_t ino,
    const struct attr_rec *rec)
{
	struct verify_fault f = { .key = *key, .ino = ino };
	int rc;

	v->inodes++;
	if (ino > v->max_ino)
		v->max_ino = ino;
	rc = verify_map_put(&v->map, SET_INODES, ino);
	if (rc == 1) {
		f.kind = FAULT_TWICE;
		verify_problem(v, &f, "inode %" PRIu64 " has attributes twice",
		    ino);
	}
	if (rc >= 0 && ino >= v->next_ino) {
		f.kind = FAULT_NEXT_INO;
		verify_problem(v, &f,
		    "inode %" PRIu64 " is not below the next number %" PRIu64,
		    ino, v->next_ino);
	}
	if (rc >= 0 && (rec->flags & ATTR_CHUNKS) != 0) {
		rc = verify_map_put(&v->map, SET_CHUNKS, ino);
		if (rc >= 0)
			rc = check_chunks(v, key, ino, rec);
	} else if (rc >= 0 && S_ISREG(rec->mode) &&
	    rec->alloc != alloc_of(rec->inline_len)) {
		f.kind = FAULT_ALLOC;
		f.number = alloc_of(rec->inline_len);
		verify_problem(v, &f,
		    "takes %" PRIu64 " bytes, its attributes say %" PRIu64,
		    f.number, rec->alloc);
	}
	if (rc >= 0 && may_have_xattrs(v, ino, rec)) {
		rc = verify_map_put(&v->map, SET_XATTRS, ino);
		if (rc >= 0)
			rc = check_xattrs(v, key, ino, rec);
	}
	return rc < 0 ? rc : 0;
}
