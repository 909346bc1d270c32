/* SPDX-License-Identifier: ISC */
/* Checks one inode in the walk of verify.c: its attributes and extended
 * attributes. Its chunks are in verify_chunks.c. */
#include <inttypes.h>

#include "fs/verify.h"

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
is_suspect(struct verify *v, enum verify_set set, uint64_t ino)
{
	return v->suspects != NULL && verify_map_has(v->suspects, set, ino);
}

static int
check_contents(struct verify *v, const struct kv_key *key, uint64_t ino,
    const struct attr_rec *rec)
{
	bool has_patches = (rec->flags & ATTR_PATCHES) != 0 ||
	    is_suspect(v, SET_PATCHES, ino);
	int rc = verify_map_put(&v->map, SET_CHUNKS, ino);

	if (rc >= 0 && has_patches)
		rc = verify_map_put(&v->map, SET_PATCHES, ino);
	return rc < 0 ? rc : verify_chunks(v, key, ino, rec, has_patches);
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
		rc = check_contents(v, key, ino, rec);
	} else if (rc >= 0 && S_ISREG(rec->mode) &&
	    rec->alloc != alloc_of(rec->inline_len)) {
		f.kind = FAULT_ALLOC;
		f.number = alloc_of(rec->inline_len);
		verify_problem(v, &f,
		    "takes %" PRIu64 " bytes, its attributes say %" PRIu64,
		    f.number, rec->alloc);
	}
	if (rc >= 0 && (rec->nxattrs != 0 || is_suspect(v, SET_XATTRS, ino))) {
		rc = verify_map_put(&v->map, SET_XATTRS, ino);
		if (rc >= 0)
			rc = check_xattrs(v, key, ino, rec);
	}
	return rc < 0 ? rc : 0;
}
