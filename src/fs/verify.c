/* SPDX-License-Identifier: ISC */
/*
 * Read-only consistency walk over all rows of one snapshot: once over each
 * space in key order; contents and extended attributes are read when their
 * inode's attributes are. verify_map.h holds what must be remembered.
 *
 * A fault is a state of rows that src/fs never leaves, at any prefix of its
 * commits.
 */
#include "fs/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fs/live_inode.h"

/* Steps over keys of one group before a seek skips the rest of it. */
#define GROUP_STEPS 16u

static void
saw_number(struct verify *v, uint64_t ino)
{
	if (ino > v->max_ino)
		v->max_ino = ino;
}

static void
note_place(struct verify *v, const struct kv_key *key)
{
	v->at = *key;
	v->at.name = slice_make(v->at_name, key->name.len);
	if (key->name.len != 0)
		memcpy(v->at_name, key->name.data, key->name.len);
}

/* Note the row of a directory, found in parent. */
static int
add_dir(struct verify *v, uint64_t ino, uint64_t parent,
    const struct attr_rec *rec)
{
	struct verify_dir *d = verify_map_dir(&v->map, ino);

	if (d == NULL)
		return -ENOMEM;
	/* verify_inode() reports a second row. */
	if (d->has_row)
		return 0;
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
	struct verify_fault f = { .key = *key, .ino = key->group };
	struct verify_link *l;
	struct attr_rec rec;
	struct slice data;
	int rc;

	rc = schema_get_inode(value, &rec, &data);
	if (rc == 0 && key->name.len != 0)
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		return verify_bad_row(v, key, rc);
	if (key->group == FS_ROOT_INO && !S_ISDIR(rec.mode)) {
		f.kind = FAULT_ROW;
		verify_problem(v, &f, "the root is not a directory");
		return 0;
	}
	rc = verify_inode(v, key, key->group, &rec);
	if (rc < 0)
		return rc;
	/* A removed directory that is in use is treated as a removed file. */
	if (S_ISDIR(rec.mode) &&
	    (rec.nlink != 0 || key->group == FS_ROOT_INO)) {
		if (key->group != FS_ROOT_INO) {
			f.kind = FAULT_MISPLACED;
			verify_problem(v, &f, "is a directory in an inode row");
		}
		return add_dir(v, key->group, key->group, &rec);
	}
	l = verify_map_add_link(&v->map, key->group);
	if (l == NULL)
		return -ENOMEM;
	l->type = rec.mode & S_IFMT;
	l->want_names = rec.nlink;
	return 0;
}

static int
visit_ref(struct verify *v, const struct kv_key *key,
    const struct dentry_row *row)
{
	struct verify_fault f = { .key = *key, .ino = row->ino };
	struct verify_link *l = verify_map_find_link(&v->map, row->ino);

	saw_number(v, row->ino);
	if (l == NULL) {
		f.kind = FAULT_REF;
		verify_problem(v, &f, "inode %" PRIu64 " has no row", row->ino);
		return 0;
	}
	if (l->type != row->type) {
		f.kind = FAULT_REF_TYPE;
		f.number = l->type;
		verify_problem(v, &f, "inode %" PRIu64 " is of another type",
		    row->ino);
	}
	l->names++;
	return 0;
}

static int
visit_dentry(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct verify_fault f = { .key = *key };
	struct verify_dir *dir = verify_map_dir(&v->map, key->group);
	struct dentry_row row;
	int rc;

	if (dir == NULL)
		return -ENOMEM;
	dir->entries++;
	saw_number(v, key->group);
	rc = schema_get_dentry(value, &row);
	if (rc < 0)
		return verify_bad_row(v, key, rc);
	f.ino = row.ino;
	if (!schema_is_name(key->name)) {
		f.kind = FAULT_NAME;
		verify_problem(v, &f, "no file can have this name");
	}
	if (row.is_ref)
		return visit_ref(v, key, &row);
	rc = verify_inode(v, key, row.ino, &row.rec);
	if (rc < 0)
		return rc;
	if (row.type == S_IFDIR) {
		dir->subdirs++;
		return add_dir(v, row.ino, key->group, &row.rec);
	}
	if (row.rec.nlink != 1) {
		f.kind = FAULT_LINK_ONE;
		verify_problem(v, &f, "has %" PRIu32 " links, but one row",
		    row.rec.nlink);
	}
	return 0;
}

static int
visit_orphan(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct verify_fault f = { FAULT_ROW, *key, key->group, 0 };
	struct verify_link *l;
	struct slice data;
	int rc;

	saw_number(v, key->group);
	rc = schema_get_bytes(value, &data);
	if (rc == 0 && key->name.len != 0)
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		return verify_bad_row(v, key, rc);
	l = verify_map_find_link(&v->map, key->group);
	if (l == NULL)
		verify_problem(v, &f, "has no inode row");
	else
		l->is_orphan = true;
	return 0;
}

int
verify_space(struct verify *v, enum space space, verify_visit_fn visit)
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
		note_place(v, &key);
		rc = kv_iter_value(it, &value);
		rc = rc < 0 ? verify_bad_row(v, &key, rc) :
			      visit(v, &key, value);
		if (rc == 0)
			rc = v->error;
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	return rc;
}

/* Report groups of a space for which no inode has the flag or count. */
static int
walk_groups(struct verify *v, enum space space, enum verify_set set,
    enum verify_kind kind)
{
	struct kv_key key = { .space = (uint8_t)space };
	struct verify_fault f = { .kind = kind };
	struct kv_iter *it = NULL;
	uint64_t group = 0;
	unsigned steps = 0;
	int rc = 0;

	while (v->error == 0) {
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
			group = f.ino = key.group;
			f.key = (struct kv_key){ (uint8_t)space, group, { 0 } };
			steps = 0;
			saw_number(v, group);
			note_place(v, &f.key);
			if (!verify_map_has(&v->map, set, group))
				verify_problem(v, &f, "belongs to no inode");
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
	return rc < 0 ? rc : v->error;
}

/* ---- The whole ---- */

static int
walk_all(struct verify *v)
{
	int rc = verify_store(v);

	if (rc == 0)
		rc = verify_space(v, SPACE_INODE, visit_inode);
	if (rc == 0)
		rc = verify_space(v, SPACE_DENTRY, visit_dentry);
	if (rc == 0)
		rc = verify_space(v, SPACE_ORPHAN, visit_orphan);
	if (rc == 0) {
		verify_tree(v);
		rc = walk_groups(v, SPACE_CHUNK, SET_CHUNKS,
		    FAULT_CHUNKS_ALONE);
	}
	if (rc == 0)
		rc = walk_groups(v, SPACE_XATTR, SET_XATTRS,
		    FAULT_XATTRS_ALONE);
	if (rc == 0)
		rc = walk_groups(v, SPACE_PATCH, SET_PATCHES,
		    FAULT_PATCHES_ALONE);
	if (rc == 0)
		rc = verify_unknown(v);
	if (rc == 0)
		verify_declared(v);
	if (rc == 0)
		verify_count(v);
	return rc;
}

int
verify_walk(struct verify *v)
{
	struct verify_fault f = { .kind = FAULT_FOREIGN };
	int rc;

	verify_map_init(&v->map);
	rc = kv_snapshot(v->kv, &v->snap);
	if (rc < 0)
		return rc;
	rc = walk_all(v);
	if (v->error < 0)
		return v->error;
	if (rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM) {
		/* The rows after it are not known, so the tree cannot be
		 * checked. */
		f.key = v->at;
		verify_problem(v, &f,
		    "what comes here or behind it cannot be read, for the "
		    "damage of a table; run kvfsctl repair");
		rc = v->error;
	}
	return rc;
}

void
verify_fini(struct verify *v)
{
	kv_snapshot_release(v->kv, v->snap);
	v->snap = NULL;
	verify_map_fini(&v->map);
}

/* ---- Reporting ---- */

struct check {
	struct verify v;
	struct finding_list found;
};

static int
note_fault(struct verify *v, const struct verify_fault *f, const char *text)
{
	struct check *c = (struct check *)v;

	finding_add(&c->found, &f->key,
	    text != NULL ? text : "not enough memory to say what");
	return 0;
}

int
fs_verify(struct kv *kv, FILE *out)
{
	struct check c = { .v = { .kv = kv, .fault = note_fault } };
	int rc = verify_walk(&c.v);

	finding_print(&c.found, kv, c.v.snap, &c.v.map, "problem", out);
	verify_fini(&c.v);
	if (rc < 0)
		return rc;
	return c.v.problems > INT32_MAX ? INT32_MAX : (int)c.v.problems;
}

int
fs_check(struct kv *kv, FILE *out)
{
	int tables = kv_check(kv, KV_CHECK_TABLES, out), rows;

	if (tables < 0 && tables != -ENOTSUP)
		return tables;
	rows = fs_verify(kv, out);
	if (rows < 0 || tables <= 0)
		return rows;
	return rows > INT32_MAX - tables ? INT32_MAX : rows + tables;
}
