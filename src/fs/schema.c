/* SPDX-License-Identifier: ISC */
/*
 * Keys and values of the file system's rows; see schema.h. Numbers are
 * varints, times are differences to each other, and for a time equal to the
 * one before there is a flag only: the row of a new file has some 30 bytes.
 */
#include "fs/schema.h"

#include "fs/fs.h"
#include "fs/fs_time.h"
#include "util/clock.h"

#define VERSION_MASK 0x0fu

/* On disk: never renumber. */
enum dentry_kind {
	KIND_EMBEDDED = 0,
	KIND_REF = 1,
};

static uint64_t
zigzag_encode(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t
zigzag_decode(uint64_t v)
{
	return (int64_t)(v >> 1 ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

bool
schema_is_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return true;
	default:
		return false;
	}
}

/* Seconds are a wrapped difference to base, so any 64-bit time is possible. */
static uint8_t *
put_time(uint8_t *p, const struct timespec *t, time_t base)
{
	p += put_varint(p,
	    zigzag_encode((int64_t)((uint64_t)t->tv_sec - (uint64_t)base)));
	return p + put_varint(p, (uint64_t)t->tv_nsec);
}

static struct timespec
get_time(struct cursor *c, time_t base)
{
	struct timespec t;
	uint64_t ns;

	t.tv_sec = (time_t)((uint64_t)zigzag_decode(cursor_varint(c)) +
	    (uint64_t)base);
	ns = cursor_varint(c);
	if (ns >= NS_PER_S)
		c->ok = false;
	t.tv_nsec = (long)ns;
	return t;
}

/* A varint that must fit in 32 bits. */
static uint32_t
get_varint32(struct cursor *c)
{
	uint64_t v = cursor_varint(c);

	if (v > UINT32_MAX)
		c->ok = false;
	return (uint32_t)v;
}

int
schema_get_tag(struct cursor *c)
{
	uint8_t tag = cursor_u8(c);

	if (!c->ok || (tag & VERSION_MASK) == 0)
		return -KVFS_ECORRUPT;
	return tag == SCHEMA_TAG ? 0 : -EPROTO;
}

static uint8_t *
put_rec(uint8_t *p, const struct attr_rec *rec)
{
	bool is_dir = S_ISDIR(rec->mode);
	uint32_t flags = rec->flags & ATTR_KEPT;

	if (rec->rdev != 0)
		flags |= ATTR_RDEV;
	if (rec->nxattrs != 0)
		flags |= ATTR_XATTRS;
	if (rec->inline_len != 0)
		flags |= ATTR_INLINE;
	if (fs_time_cmp(&rec->atime, &rec->btime) == 0)
		flags |= ATTR_ATIME_SAME;
	if (fs_time_cmp(&rec->mtime, &rec->atime) == 0)
		flags |= ATTR_MTIME_SAME;
	if (fs_time_cmp(&rec->ctime, &rec->mtime) == 0)
		flags |= ATTR_CTIME_SAME;
	p += put_varint(p, flags);
	p += put_varint(p, rec->mode);
	p += put_varint(p, rec->nlink);
	p += put_varint(p, rec->uid);
	p += put_varint(p, rec->gid);
	if ((flags & ATTR_RDEV) != 0)
		p += put_varint(p, rec->rdev);
	p += put_varint(p, is_dir ? rec->entries : rec->size);
	if (S_ISREG(rec->mode))
		p += put_varint(p, rec->alloc / ALLOC_UNIT);
	if ((flags & ATTR_XATTRS) != 0)
		p += put_varint(p, rec->nxattrs);
	if ((flags & ATTR_EXPIRES) != 0)
		p += put_varint(p, zigzag_encode(rec->expires));
	p = put_time(p, &rec->btime, 0);
	if ((flags & ATTR_ATIME_SAME) == 0)
		p = put_time(p, &rec->atime, rec->btime.tv_sec);
	if ((flags & ATTR_MTIME_SAME) == 0)
		p = put_time(p, &rec->mtime, rec->atime.tv_sec);
	if ((flags & ATTR_CTIME_SAME) == 0)
		p = put_time(p, &rec->ctime, rec->mtime.tv_sec);
	return p;
}

/* Are the fields of a decoded record consistent with each other? */
static bool
is_plausible(const struct attr_rec *rec)
{
	if (!schema_is_type(rec->mode) || (rec->mode & ~(S_IFMT | 07777u)) != 0)
		return false;
	if (rec->size > SIZE_LIMIT || rec->alloc > SIZE_LIMIT)
		return false;
	/* What is patched is a chunk. */
	if ((rec->flags & (ATTR_CHUNKS | ATTR_PATCHES)) == ATTR_PATCHES)
		return false;
	switch (rec->mode & S_IFMT) {
	case S_IFREG:
		/* Contents are inline or in chunks, never both. */
		return rec->inline_len == 0 ||
		    (rec->inline_len <= rec->size &&
			rec->size <= INLINE_LIMIT &&
			(rec->flags & ATTR_CHUNKS) == 0);
	case S_IFLNK:
		return rec->inline_len == rec->size && rec->size != 0 &&
		    rec->size <= FS_SYMLINK_MAX &&
		    (rec->flags & ATTR_CHUNKS) == 0;
	default:
		return rec->inline_len == 0 && rec->size == 0 &&
		    (rec->flags & ATTR_CHUNKS) == 0;
	}
}

static int
get_rec(struct cursor *c, struct attr_rec *rec, struct slice *inlinep)
{
	uint64_t flags = cursor_varint(c), number;

	*rec = (struct attr_rec){ 0 };
	*inlinep = (struct slice){ 0 };
	if (!c->ok)
		return -KVFS_ECORRUPT;
	if ((flags & ~(uint64_t)ATTR_KNOWN) != 0)
		return -EPROTO;
	rec->flags = (uint32_t)flags & ATTR_KEPT;
	rec->mode = get_varint32(c);
	rec->nlink = get_varint32(c);
	rec->uid = get_varint32(c);
	rec->gid = get_varint32(c);
	if ((flags & ATTR_RDEV) != 0)
		rec->rdev = cursor_varint(c);
	number = cursor_varint(c);
	if (S_ISDIR(rec->mode))
		rec->entries = number;
	else
		rec->size = number;
	if (S_ISREG(rec->mode)) {
		number = cursor_varint(c);
		if (number > SIZE_LIMIT / ALLOC_UNIT)
			return -KVFS_ECORRUPT;
		rec->alloc = number * ALLOC_UNIT;
	}
	if ((flags & ATTR_XATTRS) != 0)
		rec->nxattrs = get_varint32(c);
	if ((flags & ATTR_EXPIRES) != 0)
		rec->expires = zigzag_decode(cursor_varint(c));
	rec->btime = get_time(c, 0);
	rec->atime = (flags & ATTR_ATIME_SAME) != 0 ?
	    rec->btime :
	    get_time(c, rec->btime.tv_sec);
	rec->mtime = (flags & ATTR_MTIME_SAME) != 0 ?
	    rec->atime :
	    get_time(c, rec->atime.tv_sec);
	rec->ctime = (flags & ATTR_CTIME_SAME) != 0 ?
	    rec->mtime :
	    get_time(c, rec->mtime.tv_sec);
	if (!c->ok)
		return -KVFS_ECORRUPT;
	if (cursor_left(c) > INLINE_LIMIT ||
	    (cursor_left(c) != 0) != ((flags & ATTR_INLINE) != 0))
		return -KVFS_ECORRUPT;
	rec->inline_len = (uint32_t)cursor_left(c);
	*inlinep = cursor_bytes(c, rec->inline_len);
	return is_plausible(rec) ? 0 : -KVFS_ECORRUPT;
}

size_t
schema_put_dentry(uint8_t *dst, uint64_t ino, const struct attr_rec *rec)
{
	uint8_t *p = dst;

	*p++ = SCHEMA_TAG;
	*p++ = KIND_EMBEDDED;
	p += put_varint(p, ino);
	p = put_rec(p, rec);
	return (size_t)(p - dst);
}

size_t
schema_put_ref(uint8_t *dst, uint64_t ino, uint32_t type)
{
	uint8_t *p = dst;

	*p++ = SCHEMA_TAG;
	*p++ = KIND_REF;
	p += put_varint(p, ino);
	*p++ = (uint8_t)((type & S_IFMT) >> 12);
	return (size_t)(p - dst);
}

int
schema_get_dentry(struct slice value, struct dentry_row *rowp)
{
	struct cursor c = cursor_make(value);
	uint8_t kind;
	int rc;

	*rowp = (struct dentry_row){ 0 };
	rc = schema_get_tag(&c);
	if (rc < 0)
		return rc;
	kind = cursor_u8(&c);
	rowp->ino = cursor_varint(&c);
	if (!c.ok || rowp->ino <= FS_ROOT_INO)
		return -KVFS_ECORRUPT;
	switch (kind) {
	case KIND_EMBEDDED:
		rc = get_rec(&c, &rowp->rec, &rowp->inline_data);
		rowp->type = rowp->rec.mode & S_IFMT;
		return rc;
	case KIND_REF:
		rowp->is_ref = true;
		rowp->type = (uint32_t)cursor_u8(&c) << 12;
		/* A directory has one name, so it is never a reference. */
		if (!c.ok || cursor_left(&c) != 0 ||
		    !schema_is_type(rowp->type) ||
		    (rowp->type & ~S_IFMT) != 0 || S_ISDIR(rowp->type))
			return -KVFS_ECORRUPT;
		return 0;
	default:
		return -EPROTO;
	}
}

size_t
schema_put_inode(uint8_t *dst, const struct attr_rec *rec)
{
	*dst = SCHEMA_TAG;
	return (size_t)(put_rec(dst + 1, rec) - dst);
}

int
schema_get_inode(struct slice value, struct attr_rec *recp,
    struct slice *inlinep)
{
	struct cursor c = cursor_make(value);
	int rc = schema_get_tag(&c);

	*recp = (struct attr_rec){ 0 };
	*inlinep = (struct slice){ 0 };
	return rc < 0 ? rc : get_rec(&c, recp, inlinep);
}

int
schema_get_bytes(struct slice value, struct slice *bytesp)
{
	struct cursor c = cursor_make(value);
	int rc = schema_get_tag(&c);

	*bytesp = (struct slice){ 0 };
	if (rc == 0)
		*bytesp = cursor_bytes(&c, cursor_left(&c));
	return rc;
}

int
schema_get_chunk(struct slice value, struct slice *bytesp)
{
	int rc = schema_get_bytes(value, bytesp);

	if (rc == 0 && bytesp->len > CHUNK_SIZE) {
		*bytesp = (struct slice){ 0 };
		rc = -KVFS_ECORRUPT;
	}
	return rc;
}

int
key_chunk_index(const struct kv_key *key, uint64_t *indexp)
{
	*indexp = 0;
	if (key->space != SPACE_CHUNK || key->name.len != 8)
		return -KVFS_ECORRUPT;
	*indexp = get_be64(key->name.data);
	return 0;
}

int
key_patch_place(const struct kv_key *key, struct patch_key *pp)
{
	const uint8_t *p = key->name.data;

	*pp = (struct patch_key){ 0 };
	if (key->space != SPACE_PATCH || key->name.len != PATCH_NAME_LEN)
		return -KVFS_ECORRUPT;
	pp->index = get_be64(p);
	pp->number = get_be16(p + 8);
	pp->start = get_be16(p + 10);
	pp->len = get_be16(p + 12);
	if (pp->len == 0 || pp->start + pp->len > CHUNK_SIZE ||
	    pp->index >= chunks_of(SIZE_LIMIT))
		return -KVFS_ECORRUPT;
	return 0;
}

bool
schema_is_name(struct slice name)
{
	if (name.len == 0 || name.len > FS_NAME_MAX)
		return false;
	if (memchr(name.data, '/', name.len) != NULL ||
	    memchr(name.data, '\0', name.len) != NULL)
		return false;
	return !slice_eq(name, slice_str(".")) &&
	    !slice_eq(name, slice_str(".."));
}
