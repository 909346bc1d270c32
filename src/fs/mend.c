/* SPDX-License-Identifier: ISC */
/* fs_mend(): the walks, and the repair of each kind of fault; see mend.h. */
#include "fs/mend.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "fs/fs_time.h"

/* More walks than any repair has been seen to need. It ends the loop should a
 * change not remove its fault. */
#define WALKS_MAX 32

/* ---- Rows about the store ---- */

static void
put_count(struct mend *m, uint64_t inodes)
{
	struct count_row row = { .is_exact = true, .inodes = inodes };
	uint8_t value[SCHEMA_ROW_MAX];

	txn_put_store(&m->txn, KEY_INODES, value,
	    schema_put_count(value, &row));
}

static void
put_format(struct mend *m)
{
	struct super_row super = {
		.version = SUPER_VERSION,
		.chunk_size = CHUNK_SIZE,
		.created = (uint64_t)fs_now().tv_sec,
	};
	struct kv_key key = key_store(KEY_FORMAT);
	uint8_t value[SCHEMA_ROW_MAX];
	struct super_row old;
	struct kv_value v;

	/* It may only lack a flag. */
	if (kv_get(m->v.kv, &key, NULL, &v) == 0 &&
	    schema_get_super(v.data, &old) == 0 && schema_knows_super(&old))
		super = old;
	kv_value_release(&v);
	if (m->v.has_patches)
		super.refuse_flags |= SUPER_PATCHES;
	txn_put_store(&m->txn, KEY_FORMAT, value,
	    schema_put_super(value, &super));
}

static void
put_root(struct mend *m)
{
	struct verify_dir *d = verify_map_find_dir(&m->v.map, FS_ROOT_INO);
	struct attr_rec rec = mend_new_rec(S_IFDIR | 0700);

	if (d != NULL) {
		rec.entries = d->entries;
		rec.nlink = (uint32_t)d->subdirs + 2;
	}
	txn_put_inode(&m->txn, FS_ROOT_INO, &rec, (struct slice){ 0 });
}

static void
put_next(struct mend *m)
{
	uint8_t value[SCHEMA_ROW_MAX];

	/* Each inode number above it is a fault; one change is enough. */
	m->v.next_ino = m->next_ino;
	txn_put_store(&m->txn, KEY_NEXT_INO, value,
	    schema_put_number(value, m->next_ino));
}

/* ---- Attributes ---- */

/* In the first walk, before any change: report how many are missing, unless it
 * was reported which ones. */
static void
report_missing(struct mend *m, const struct verify_fault *f,
    enum verify_set set, uint64_t want, const char *what)
{
	char text[100];

	if (m->changes_before != 0 || f->number >= want ||
	    verify_map_has(&m->reported_lost, set, f->ino))
		return;
	snprintf(text, sizeof(text), "%s lost: %" PRIu64, what,
	    want - f->number);
	finding_add(&m->reported, &f->key, text);
}

static int
set_attr(struct mend *m, const struct verify_fault *f)
{
	struct mend_row r;
	int rc = mend_load(m, &f->key, &r);

	if (rc == 1 && !r.is_ref) {
		switch (f->kind) {
		case FAULT_ALLOC:
			report_missing(m, f, SET_CHUNKS, r.rec.alloc,
			    "bytes of contents");
			r.rec.alloc = f->number;
			break;
		case FAULT_SIZE:
			r.rec.size = f->number;
			finding_add(&m->reported, &f->key,
			    "contents were found behind its end, which is "
			    "moved there");
			break;
		case FAULT_PATCHES:
			r.rec.flags |= ATTR_PATCHES;
			break;
		case FAULT_XATTRS:
			report_missing(m, f, SET_XATTRS, r.rec.nxattrs,
			    "extended attributes");
			r.rec.nxattrs = (uint32_t)f->number;
			break;
		default:
			r.rec.nlink = 1;
		}
		mend_put(m, &r);
	}
	kv_value_release(&r.pin);
	return rc < 0 ? rc : mend_commit(m);
}

/* Set the counts of a directory to what was found in it. */
static int
set_counts(struct mend *m, const struct kv_key *key, uint64_t ino)
{
	struct verify_dir *d = verify_map_find_dir(&m->v.map, ino);
	struct verify_fault f = { .key = *key, .ino = ino };
	struct mend_row r;
	int rc;

	if (d == NULL || !d->has_row ||
	    (d->entries == d->want_entries && d->subdirs + 2 == d->want_nlink))
		return 0;
	rc = mend_load(m, key, &r);
	if (rc == 1 && !r.is_ref && r.ino == ino && r.type == S_IFDIR) {
		f.number = d->entries;
		report_missing(m, &f, SET_INODES, d->want_entries, "names");
		r.rec.entries = d->want_entries = d->entries;
		r.rec.nlink = (uint32_t)d->subdirs + 2;
		d->want_nlink = r.rec.nlink;
		mend_put(m, &r);
	}
	kv_value_release(&r.pin);
	return rc < 0 ? rc : mend_commit(m);
}

/* The walk that finds the rows of directories with wrong counts. */
static int
visit_dir(struct verify *v, const struct kv_key *key, struct slice value)
{
	struct dentry_row row;

	if (schema_get_dentry(value, &row) < 0 || row.is_ref ||
	    row.type != S_IFDIR)
		return 0;
	return set_counts((struct mend *)v, key, row.ino);
}

/* ---- Faults ---- */

static int
mend_row_of(struct mend *m, const struct verify_fault *f, const char *text)
{
	switch (f->kind) {
	case FAULT_ROW:
		kv_batch_delete(&m->txn.batch, &f->key);
		if (f->key.space == SPACE_ORPHAN)
			return mend_commit(m);
		break;
	case FAULT_FORMAT:
		put_format(m);
		break;
	case FAULT_ROOT:
		put_root(m);
		text = "owner, mode and times of the root are lost";
		break;
	case FAULT_COUNT:
		put_count(m, f->number);
		return mend_commit(m);
	default:
		put_next(m);
		return mend_commit(m);
	}
	finding_add(&m->reported, &f->key, text != NULL ? text : "damaged");
	return mend_commit(m);
}

static int
mend_fault(struct verify *v, const struct verify_fault *f, const char *text)
{
	struct mend *m = (struct mend *)v;

	if (m->is_first_walk)
		return 0;
	switch (f->kind) {
	case FAULT_FOREIGN:
		finding_add(&m->reported, &f->key,
		    text != NULL ? text : "foreign");
		return -EPROTO;
	case FAULT_NAME:
		return mend_name(m, f);
	case FAULT_TWICE:
		return mend_twice(m, f);
	case FAULT_REF:
		return mend_ref(m, f);
	case FAULT_REF_TYPE:
		return mend_ref_type(m, f);
	case FAULT_LINKS:
		return mend_links(m, f);
	case FAULT_MISPLACED:
		return mend_misplaced(m, f);
	case FAULT_UNREACHED:
		return mend_unreached(m, f);
	case FAULT_NO_DIR:
		return mend_no_dir(m, f);
	case FAULT_CHUNKS_ALONE:
		return mend_chunks(m, f);
	case FAULT_XATTRS_ALONE:
		return mend_xattrs(m, f);
	case FAULT_PATCHES_ALONE:
		return mend_patches(m, f);
	case FAULT_PATCH_ALONE:
		return mend_patch_alone(m, f);
	case FAULT_DIR_COUNTS:
		if (f->ino == FS_ROOT_INO)
			return set_counts(m, &f->key, f->ino);
		m->has_wrong_dirs = true;
		return 0;
	case FAULT_ALLOC:
	case FAULT_SIZE:
	case FAULT_PATCHES:
	case FAULT_XATTRS:
	case FAULT_LINK_ONE:
		return set_attr(m, f);
	default:
		return mend_row_of(m, f, text);
	}
}

/* ---- Walks ---- */

/* One walk: 0 or a negative errno; m->v.problems is the number of faults. Its
 * map stays until the next walk. */
static int
mend_walk(struct mend *m)
{
	struct kv *kv = m->v.kv;
	int rc;

	verify_fini(&m->v);
	m->v = (struct verify){
		.kv = kv,
		.fault = mend_fault,
		.suspects = &m->suspects,
	};
	m->has_wrong_dirs = false;
	m->lost_found = 0;
	rc = verify_walk(&m->v);
	if (rc == 0 && m->has_wrong_dirs)
		rc = verify_space(&m->v, SPACE_DENTRY, visit_dir);
	return rc;
}

static int
mend_run(struct mend *m)
{
	uint64_t before;
	int rc;

	m->is_first_walk = true;
	rc = mend_walk(m);
	m->is_first_walk = false;
	m->next_ino = m->v.next_ino > m->v.max_ino ? m->v.next_ino :
						     m->v.max_ino + 1;
	if (m->next_ino <= FS_ROOT_INO)
		m->next_ino = FS_ROOT_INO + 1;
	for (int i = 0; rc == 0 && m->v.problems != 0; i++) {
		before = m->changes_before = m->changes;
		rc = mend_walk(m);
		if (rc == 0 && m->v.problems != 0 &&
		    (m->changes == before || i == WALKS_MAX))
			rc = -KVFS_ECORRUPT;
	}
	if (rc == 0 && !m->v.has_count) {
		put_count(m, m->v.inodes);
		before = m->changes;
		rc = mend_commit(m);
		/* Nothing was wrong. */
		m->changes = before;
	}
	return rc;
}

struct finding_list *
fs_losses_create(void)
{
	return calloc(1, sizeof(struct finding_list));
}

/* Print that a range of rows was lost. Which files they belonged to is not
 * known here, except for the entries of one directory. */
static void
print_range(FILE *out, const struct kv_key *from, const struct kv_key *to,
    const char *why)
{
	if (from->space == SPACE_DENTRY && to->space == SPACE_DENTRY &&
	    from->group == to->group) {
		fputs("of names", out);
		if (from->name.len != 0) {
			fputs(" from ", out);
			finding_print_quoted(out, from->name);
		}
		if (to->name.len != 0) {
			fputs(" to ", out);
			finding_print_quoted(out, to->name);
		}
		fputs(" some may be lost: ", out);
	}
	fputs(why, out);
}

void
fs_losses_add(void *losses, const struct kv_key *key, const struct kv_key *last,
    const char *why)
{
	struct kv_key of = *key;
	struct patch_key place;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return;
	if (last != NULL) {
		print_range(out, key, last, why);
		of.name.len = 0;
		if (key->space != last->space || key->group != last->group)
			of = (struct kv_key){ 0 };
	} else if (key->space == SPACE_CHUNK) {
		/* The path tells where the loss begins. */
		fprintf(out, "up to %u bytes are lost: %s", CHUNK_SIZE, why);
	} else if (key_patch_place(key, &place) == 0) {
		fprintf(out, "%u bytes are older than they were: %s", place.len,
		    why);
	} else {
		fprintf(out, "lost: %s", why);
	}
	if (fclose(out) == 0 && losses != NULL)
		finding_add(losses, &of, text);
	free(text);
}

void
fs_losses_destroy(struct finding_list *losses)
{
	if (losses != NULL)
		finding_clear(losses);
	free(losses);
}

int
fs_mend(struct kv *kv, struct finding_list *lost, FILE *out)
{
	struct mend m = { .v = { .kv = kv } };
	int rc;

	verify_map_init(&m.v.map);
	verify_map_init(&m.suspects);
	verify_map_init(&m.reported_lost);
	txn_init(&m.txn);
	rc = lost != NULL ? finding_add_inodes(lost, &m.reported_lost) : 0;
	if (rc == 0)
		rc = mend_run(&m);
	if (lost != NULL)
		finding_print(lost, kv, m.v.snap, &m.v.map, "lost", out);
	finding_print(&m.reported, kv, m.v.snap, &m.v.map, "repaired", out);
	verify_fini(&m.v);
	verify_map_fini(&m.suspects);
	verify_map_fini(&m.reported_lost);
	txn_fini(&m.txn);
	if (rc < 0)
		return rc;
	return m.changes > INT32_MAX ? INT32_MAX : (int)m.changes;
}
