/* SPDX-License-Identifier: ISC */
/*
 * Read-only consistency walk over all rows of one view of the store: once
 * over each space in key order, with the contents and extended attributes
 * of an inode looked at beside its attributes. What is remembered is in
 * verify_map.h.
 *
 * A problem is a fact about rows that the rest of src/fs never leaves
 * behind, at any prefix of its commits.
 */
#include <inttypes.h>

#include "fs/verify.h"

/* Keys of one group that are passed one by one before it is jumped over. */
#define GROUP_STEPS 16u

/* The row of a directory, in parent. */
static int
add_dir(struct verify *v, const struct row_id *id, uint64_t ino,
    uint64_t parent, const struct attr_rec *rec)
{
	struct verify_dir *d = verify_map_dir(&v->map, ino);

	if (d == NULL)
		return -ENOMEM;
	if (d->has_row)
		verify_problem(v, id, "directory %" PRIu64 " has two names",
		    ino);
	d->has_row = true;
	d->parent = parent;
	d->want_entries = rec->entries;
	d->want_nlink = rec->nlink;
	return 0;
}

/* ---- One walk for each space ---- */

static int
visit_inode(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct row_id id = { "inode", key->group, { 0 } };
	struct verify_link *l;
	struct attr_rec rec;
	struct slice data;
	int rc;

	rc = schema_get_inode(value, &rec, &data);
	if (rc == 0 && key->name.len != 0)
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		return verify_bad_row(v, &id, rc);
	rc = verify_inode(v, &id, key->group, &rec);
	if (rc < 0)
		return rc;
	/* A removed directory that somebody stood in is as a removed file. */
	if (S_ISDIR(rec.mode) &&
	    (rec.nlink != 0 || key->group == FS_ROOT_INO)) {
		if (key->group != FS_ROOT_INO)
			verify_problem(v, &id,
			    "is a directory in an inode row");
		return add_dir(v, &id, key->group, key->group, &rec);
	}
	if (key->group == FS_ROOT_INO)
		verify_problem(v, &id, "the root is not a directory");
	l = verify_map_add_link(&v->map, key->group);
	if (l == NULL)
		return -ENOMEM;
	l->type = rec.mode & S_IFMT;
	l->want_names = rec.nlink;
	return 0;
}

static int
visit_dentry(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct row_id id = { "dentry", key->group, key->name };
	struct dentry_row row;
	struct verify_dir *dir = verify_map_dir(&v->map, key->group);
	struct verify_link *l;
	int rc;

	if (dir == NULL)
		return -ENOMEM;
	dir->entries++;
	if (!schema_is_name(key->name))
		verify_problem(v, &id, "no file can have this name");
	rc = schema_get_dentry(value, &row);
	if (rc < 0)
		return verify_bad_row(v, &id, rc);
	if (row.is_ref) {
		l = verify_map_find_link(&v->map, row.ino);
		if (l == NULL)
			verify_problem(v, &id, "inode %" PRIu64 " has no row",
			    row.ino);
		else if (l->type != row.type)
			verify_problem(v, &id,
			    "inode %" PRIu64 " is of another type", row.ino);
		if (l != NULL)
			l->names++;
		return 0;
	}
	rc = verify_inode(v, &id, row.ino, &row.rec);
	if (rc < 0)
		return rc;
	if (row.type == S_IFDIR) {
		dir->subdirs++;
		return add_dir(v, &id, row.ino, key->group, &row.rec);
	}
	if (row.rec.nlink != 1)
		verify_problem(v, &id, "has %" PRIu32 " links, but one row",
		    row.rec.nlink);
	return 0;
}

static int
visit_orphan(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct row_id id = { "orphan", key->group, { 0 } };
	struct verify_link *l;
	struct slice data;
	int rc;

	rc = schema_get_bytes(value, &data);
	if (rc == 0 && key->name.len != 0)
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		return verify_bad_row(v, &id, rc);
	l = verify_map_find_link(&v->map, key->group);
	if (l == NULL)
		verify_problem(v, &id, "has no inode row");
	else if (l->want_names != 0)
		verify_problem(v, &id, "has %" PRIu64 " links", l->want_names);
	if (l != NULL)
		l->is_orphan = true;
	return 0;
}

static int
walk_space(struct verify *v, enum space space,
    int (
	*visit)(struct verify *v, const struct kv_key *key, struct slice value))
{
	struct kv_key key = { .space = (uint8_t)space };
	struct kv_iter *it;
	struct slice value;
	int rc;

	rc = kv_iter_open(v->kv, &key, KV_SCOPE_SPACE, v->snap, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = kv_iter_value(it, &value);
		rc = rc < 0 ?
		    verify_bad_row(v,
			&(struct row_id){ "row", key.group, key.name }, rc) :
		    visit(v, &key, value);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	return rc;
}

/* Groups of a space that no inode says it has. */
static int
walk_groups(struct verify *v, enum space space, enum verify_set set,
    const char *what)
{
	struct kv_key key = { .space = (uint8_t)space };
	struct kv_iter *it = NULL;
	uint64_t group = 0;
	unsigned steps = 0;
	int rc = 0;

	for (;;) {
		if (it == NULL)
			rc = kv_iter_open(v->kv, &key, KV_SCOPE_SPACE, v->snap,
			    &it);
		if (rc == 0)
			rc = kv_iter_next(it);
		if (rc <= 0)
			break;
		rc = 0;
		key = kv_iter_key(it);
		if (key.group != group || steps == 0) {
			group = key.group;
			steps = 0;
			if (!verify_map_has(&v->map, set, group))
				verify_problem(v,
				    &(struct row_id){ what, group, { 0 } },
				    "belongs to no inode");
		}
		if (++steps < GROUP_STEPS)
			continue;
		kv_iter_close(it);
		it = NULL;
		if (group == UINT64_MAX)
			break;
		key = (struct kv_key){ (uint8_t)space, group + 1, { 0 } };
		steps = 0;
	}
	kv_iter_close(it);
	return rc;
}

static int
check_store(struct verify *v)
{
	struct row_id id = { "store", 0, slice_str(KEY_FORMAT) };
	struct kv_key key = key_store(KEY_FORMAT);
	struct super_row super;
	struct kv_value value;
	int rc;

	rc = kv_get(v->kv, &key, v->snap, &value);
	if (rc == 0)
		rc = schema_get_super(value.data, &super);
	kv_value_release(&value);
	if (rc == 0 &&
	    (super.version > SUPER_VERSION || super.refuse_flags != 0 ||
		super.chunk_size != CHUNK_SIZE))
		rc = -EPROTO;
	if (rc == -ENOENT)
		rc = -KVFS_ECORRUPT;
	rc = verify_bad_row(v, &id, rc);
	if (rc < 0)
		return rc;
	id.name = slice_str(KEY_NEXT_INO);
	key = key_store(KEY_NEXT_INO);
	rc = kv_get(v->kv, &key, v->snap, &value);
	if (rc == 0)
		rc = schema_get_number(value.data, &v->next_ino);
	kv_value_release(&value);
	if (rc == -ENOENT)
		rc = -KVFS_ECORRUPT;
	rc = verify_bad_row(v, &id, rc);
	if (rc < 0)
		return rc;
	id.name = slice_str(KEY_INODES);
	key = key_store(KEY_INODES);
	rc = kv_get(v->kv, &key, v->snap, &value);
	if (rc == 0)
		rc = schema_get_count(value.data, &v->count);
	v->has_count = rc == 0 && v->count.is_exact;
	kv_value_release(&value);
	return rc == -ENOENT ? 0 : verify_bad_row(v, &id, rc);
}

/* ---- What can be said at the end ---- */

/* Climb from each directory to one that is known to hang below the root. */
static void
check_tree(struct verify *v)
{
	struct verify_dir *d, *up;
	uint64_t walk = 0;
	bool is_reached;

	RB_FOREACH (d, verify_dirs, &v->map.dirs) {
		walk++;
		for (up = d; up != NULL && up->has_row && !up->is_reached &&
		     up->ino != FS_ROOT_INO && up->walk != walk;
		     up = verify_map_find_dir(&v->map, up->parent))
			up->walk = walk;
		is_reached = up != NULL && up->has_row &&
		    (up->is_reached || up->ino == FS_ROOT_INO);
		if (!is_reached && d->has_row)
			verify_problem(v,
			    &(struct row_id){ "dentry", d->parent, { 0 } },
			    "directory %" PRIu64
			    " cannot be reached from the root",
			    d->ino);
		for (up = d;
		     is_reached && !up->is_reached && up->ino != FS_ROOT_INO;
		     up = verify_map_find_dir(&v->map, up->parent))
			up->is_reached = true;
	}
}

static void
check_end(struct verify *v)
{
	struct row_id id = { "inode", 0, { 0 } };
	struct verify_link *l;
	struct verify_dir *d;

	RB_FOREACH (d, verify_dirs, &v->map.dirs) {
		id.group = d->ino;
		if (!d->has_row) {
			verify_problem(v, &id,
			    "has %" PRIu64 " entries but is no directory",
			    d->entries);
			continue;
		}
		if (d->entries != d->want_entries)
			verify_problem(v, &id,
			    "has %" PRIu64
			    " entries, its attributes say %" PRIu64,
			    d->entries, d->want_entries);
		if (d->subdirs + 2 != d->want_nlink)
			verify_problem(v, &id,
			    "has %" PRIu64
			    " directories, its link count is %" PRIu64,
			    d->subdirs, d->want_nlink);
	}
	RB_FOREACH (l, verify_links, &v->map.links) {
		id.group = l->ino;
		if (l->names != l->want_names)
			verify_problem(v, &id,
			    "has %" PRIu64 " names, its link count is %" PRIu64,
			    l->names, l->want_names);
		if (l->want_names == 0 && !l->is_orphan)
			verify_problem(v, &id, "has no name and no orphan row");
	}
	id = (struct row_id){ "store", 0, slice_str(KEY_INODES) };
	if (v->has_count && v->count.inodes != v->inodes)
		verify_problem(v, &id,
		    "says %" PRIu64 " inodes, there are %" PRIu64,
		    v->count.inodes, v->inodes);
	id = (struct row_id){ "inode", FS_ROOT_INO, { 0 } };
	if (verify_map_find_dir(&v->map, FS_ROOT_INO) == NULL)
		verify_problem(v, &id, "there is no root");
}

/* Rows of kinds that this version does not know. */
static int
check_unknown(struct verify *v)
{
	const uint8_t spaces[] = { 0, SPACE_ORPHAN + 1 };
	struct kv_iter *it;
	struct kv_key key;
	int rc = 0;

	for (size_t i = 0; i < sizeof(spaces) && rc >= 0; i++) {
		key = (struct kv_key){ .space = spaces[i] };
		rc = kv_iter_open(v->kv, &key,
		    i == 0 ? KV_SCOPE_SPACE : KV_SCOPE_ALL, v->snap, &it);
		if (rc == 0)
			rc = kv_iter_next(it);
		if (rc == 1) {
			key = kv_iter_key(it);
			verify_problem(v,
			    &(struct row_id){ "row", key.group, { 0 } },
			    "is of the unknown kind %u", key.space);
		}
		kv_iter_close(it);
	}
	return rc < 0 ? rc : 0;
}

int
fs_verify(struct kv *kv, FILE *out)
{
	struct verify v = { .kv = kv, .out = out };
	int rc;

	verify_map_init(&v.map);
	RB_INIT(&v.names);
	rc = kv_snapshot(kv, &v.snap);
	if (rc < 0)
		return rc;
	rc = check_store(&v);
	if (rc == 0)
		rc = walk_space(&v, SPACE_INODE, visit_inode);
	if (rc == 0)
		rc = walk_space(&v, SPACE_DENTRY, visit_dentry);
	if (rc == 0)
		rc = walk_space(&v, SPACE_ORPHAN, visit_orphan);
	if (rc == 0)
		rc = walk_groups(&v, SPACE_CHUNK, SET_CHUNKS, "chunk");
	if (rc == 0)
		rc = walk_groups(&v, SPACE_XATTR, SET_XATTRS, "xattr");
	if (rc == 0)
		rc = check_unknown(&v);
	if (rc == 0) {
		check_tree(&v);
		check_end(&v);
	} else if (rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM) {
		/* What lies behind is not known, so nothing can be said of
		 * how it all hangs together. */
		verify_problem(&v, &(struct row_id){ "row", 0, { 0 } },
		    "a damaged table ends the walk; run kvfsctl repair");
		rc = 0;
	}
	verify_tell(&v);
	kv_snapshot_release(kv, v.snap);
	verify_map_fini(&v.map);
	if (rc < 0)
		return rc;
	return v.problems > INT32_MAX ? INT32_MAX : (int)v.problems;
}
