/* SPDX-License-Identifier: ISC */
/* One inode of the walk of verify.c: its attributes, and the chunks and
 * extended attributes that belong to them. */
#include <inttypes.h>

#include "fs/verify.h"

int
verify_bad_row(struct verify *v, const struct row_id *id, int rc)
{
	switch (rc) {
	case -KVFS_ECORRUPT:
		verify_problem(v, id, "damaged");
		return 0;
	case -KVFS_ECHECKSUM:
		verify_problem(v, id, "does not match its checksum");
		return 0;
	case -EPROTO:
		verify_problem(v, id, "of a newer version");
		return 0;
	default:
		return rc;
	}
}

static int
check_chunks(struct verify *v, const struct row_id *id, uint64_t ino,
    const struct attr_rec *rec)
{
	uint64_t index, alloc = 0, left;
	struct slice value, data;
	struct kv_iter *it;
	struct kv_key key;
	uint8_t space[8];
	bool all_read = true;
	int rc;

	key = key_chunk(ino, 0, space);
	rc = kv_iter_open(v->kv, &key, KV_SCOPE_GROUP, v->snap, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = key_chunk_index(&key, &index);
		if (rc == 0)
			rc = kv_iter_value(it, &value);
		if (rc == 0)
			rc = schema_get_chunk(value, &data);
		if (rc != 0) {
			rc = verify_bad_row(v,
			    &(struct row_id){ "chunk", ino, key.name }, rc);
			if (rc < 0)
				break;
			all_read = false;
			continue;
		}
		if (index >= chunks_of(rec->size)) {
			verify_problem(v, id,
			    "chunk %" PRIu64 " is behind its end", index);
			continue;
		}
		left = rec->size - index * CHUNK_SIZE;
		if (data.len == 0 || data.len > left)
			verify_problem(v, id,
			    "chunk %" PRIu64 " has %zu bytes of %" PRIu64,
			    index, data.len,
			    left < CHUNK_SIZE ? left : CHUNK_SIZE);
		alloc += alloc_of(data.len);
	}
	kv_iter_close(it);
	if (rc == 0 && all_read && alloc != rec->alloc)
		verify_problem(v, id,
		    "takes %" PRIu64 " bytes, its attributes say %" PRIu64,
		    alloc, rec->alloc);
	return rc;
}

static int
check_xattrs(struct verify *v, const struct row_id *id, uint64_t ino,
    const struct attr_rec *rec)
{
	struct kv_key key = key_xattr(ino, (struct slice){ 0 });
	struct slice value, data;
	struct kv_iter *it;
	uint64_t n = 0;
	int rc;

	rc = kv_iter_open(v->kv, &key, KV_SCOPE_GROUP, v->snap, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		n++;
		rc = kv_iter_value(it, &value);
		if (rc == 0)
			rc = schema_get_bytes(value, &data);
		if (rc == 0 &&
		    (key.name.len == 0 || key.name.len > FS_NAME_MAX ||
			data.len > FS_XATTR_SIZE_MAX))
			rc = -KVFS_ECORRUPT;
		rc = verify_bad_row(v,
		    &(struct row_id){ "xattr", ino, key.name }, rc);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	if (rc == 0 && n != rec->nxattrs)
		verify_problem(v, id,
		    "has %" PRIu64
		    " extended attributes, its attributes say %" PRIu32,
		    n, rec->nxattrs);
	return rc;
}

int
verify_inode(struct verify *v, const struct row_id *id, uint64_t ino,
    const struct attr_rec *rec)
{
	int rc;

	v->inodes++;
	rc = verify_map_put(&v->map, SET_INODES, ino);
	if (rc == 1)
		verify_problem(v, id, "inode %" PRIu64 " has attributes twice",
		    ino);
	if (rc >= 0 && ino >= v->next_ino)
		verify_problem(v, id,
		    "inode %" PRIu64 " is not below the next number %" PRIu64,
		    ino, v->next_ino);
	if (rc >= 0 && (rec->flags & ATTR_CHUNKS) != 0) {
		rc = verify_map_put(&v->map, SET_CHUNKS, ino);
		if (rc >= 0)
			rc = check_chunks(v, id, ino, rec);
	} else if (rc >= 0 && S_ISREG(rec->mode) &&
	    rec->alloc != alloc_of(rec->inline_len)) {
		verify_problem(v, id,
		    "takes %" PRIu64 " bytes, its attributes say %" PRIu64,
		    alloc_of(rec->inline_len), rec->alloc);
	}
	if (rc >= 0 && rec->nxattrs != 0) {
		rc = verify_map_put(&v->map, SET_XATTRS, ino);
		if (rc >= 0)
			rc = check_xattrs(v, id, ino, rec);
	}
	return rc < 0 ? rc : 0;
}
