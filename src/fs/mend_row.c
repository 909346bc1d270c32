/* SPDX-License-Identifier: ISC */
/* Reads and writes rows for a repair; see mend.h. */
#include "fs/mend.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fs/new_inode.h"

/* The size of a batch that moves rows, at most. */
#define MOVE_BYTES (1u << 20)
#define MOVE_ROWS 1024u
/* How many names are tried in lost+found for one inode. */
#define NAMES_MAX 1000u

int
mend_load(struct mend *m, const struct kv_key *key, struct mend_row *r)
{
	struct dentry_row row;
	int rc;

	*r = (struct mend_row){ .key = *key, .ino = key->group };
	rc = kv_get(m->v.kv, key, NULL, &r->pin);
	if (rc == -ENOENT || rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM)
		return 0;
	if (rc < 0)
		return rc;
	if (key->space == SPACE_INODE) {
		rc = schema_get_inode(r->pin.data, &r->rec, &r->data);
		r->type = r->rec.mode & S_IFMT;
	} else {
		rc = schema_get_dentry(r->pin.data, &row);
		r->ino = row.ino;
		r->type = row.type;
		r->is_ref = row.is_ref;
		r->rec = row.rec;
		r->data = row.inline_data;
	}
	if (rc == 0)
		return 1;
	kv_value_release(&r->pin);
	return 0;
}

int
mend_has(struct mend *m, const struct kv_key *key)
{
	struct kv_value value;
	int rc = kv_get(m->v.kv, key, NULL, &value);

	kv_value_release(&value);
	return rc == 0 ? 1 : rc == -ENOENT ? 0 : rc;
}

void
mend_put(struct mend *m, const struct mend_row *r)
{
	if (r->key.space == SPACE_INODE)
		txn_put_inode(&m->txn, r->ino, &r->rec, r->data);
	else
		txn_put_dentry(&m->txn, r->key.group, r->key.name, r->ino,
		    &r->rec, r->data);
}

int
mend_commit(struct mend *m)
{
	int rc = m->txn.batch.error;

	if (rc == 0 && m->txn.batch.count != 0) {
		m->txn.batch.is_reserved = true;
		rc = kv_commit(m->v.kv, &m->txn.batch, NULL);
		m->changes++;
	}
	txn_clear(&m->txn);
	return rc;
}

uint64_t
mend_number(struct mend *m)
{
	uint8_t value[SCHEMA_ROW_MAX];
	uint64_t ino = m->next_ino++;

	txn_put_store(&m->txn, KEY_NEXT_INO, value,
	    schema_put_number(value, m->next_ino));
	return ino;
}

/* Called for each row of a group; the value is read from it. A result other
 * than 0 ends the loop and is returned. */
typedef int (*row_fn)(struct mend *m, const struct kv_key *key,
    struct kv_iter *it, void *arg);

static int
each_row(struct mend *m, enum space space, uint64_t group, row_fn fn, void *arg)
{
	struct kv_key key = { (uint8_t)space, group, { 0 } };
	struct kv_iter *it;
	int rc = kv_iter_open(m->v.kv, &key, KV_SCOPE_GROUP, NULL, &it);

	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = fn(m, &key, it, arg);
		if (rc != 0)
			break;
	}
	kv_iter_close(it);
	return rc;
}

struct dir_wanted {
	uint64_t ino;
	const struct kv_key *except; /* or NULL */
	struct mend_row *row;
	char *name; /* of KV_NAME_MAX bytes */
};

static int
match_dir(struct mend *m, const struct kv_key *key, struct kv_iter *it,
    void *arg)
{
	const struct dir_wanted *w = arg;
	struct kv_key found = *key;
	struct dentry_row row;
	struct slice value;

	if (w->except != NULL && w->except->group == key->group &&
	    slice_eq(w->except->name, key->name))
		return 0;
	if (kv_iter_value(it, &value) < 0 ||
	    schema_get_dentry(value, &row) < 0 || row.ino != w->ino ||
	    row.is_ref)
		return 0;
	memcpy(w->name, key->name.data, key->name.len);
	found.name.data = (const uint8_t *)w->name;
	return mend_load(m, &found, w->row);
}

int
mend_find_dir(struct mend *m, uint64_t parent, uint64_t ino,
    const struct kv_key *except, struct mend_row *r, char name[KV_NAME_MAX])
{
	struct dir_wanted w = { ino, except, r, name };

	*r = (struct mend_row){ 0 };
	return each_row(m, SPACE_DENTRY, parent, match_dir, &w);
}

static int
move_row(struct mend *m, const struct kv_key *key, struct kv_iter *it,
    void *arg)
{
	const uint64_t *to = arg;
	struct kv_key moved = { key->space, *to, key->name };
	struct slice value;
	uint8_t *copy;
	int rc = kv_iter_value(it, &value);

	if (rc < 0)
		return rc;
	copy = txn_alloc(&m->txn, value.len + 1);
	if (copy == NULL)
		return -ENOMEM;
	if (value.len != 0)
		memcpy(copy, value.data, value.len);
	kv_batch_put(&m->txn.batch, &moved, slice_make(copy, value.len));
	kv_batch_delete(&m->txn.batch, key);
	if (m->txn.batch.bytes >= MOVE_BYTES || m->txn.batch.count >= MOVE_ROWS)
		return mend_commit(m);
	return 0;
}

int
mend_move_group(struct mend *m, enum space space, uint64_t from, uint64_t to)
{
	return each_row(m, space, from, move_row, &to);
}

struct attr_rec
mend_new_rec(uint32_t mode)
{
	return new_inode_rec(mode, geteuid(), getegid());
}

static int
add_chunk(struct mend *m, const struct kv_key *key, struct kv_iter *it,
    void *arg)
{
	struct attr_rec *rec = arg;
	struct slice value, data;
	uint64_t index;

	(void)m;
	if (key_chunk_index(key, &index) < 0 || index >= chunks_of(SIZE_LIMIT))
		return 0;
	if (kv_iter_value(it, &value) < 0 ||
	    schema_get_chunk(value, &data) < 0 || data.len == 0)
		return 0;
	rec->size = index * CHUNK_SIZE + data.len;
	rec->alloc += alloc_of(data.len);
	return 0;
}

static int
add_patch(struct mend *m, const struct kv_key *key, struct kv_iter *it,
    void *arg)
{
	struct attr_rec *rec = arg;
	struct patch_key place;
	uint64_t end;

	(void)m, (void)it;
	if (key_patch_place(key, &place) < 0)
		return 0;
	rec->flags |= ATTR_PATCHES;
	end = place.index * CHUNK_SIZE + place.start + place.len;
	if (end > rec->size)
		rec->size = end;
	return 0;
}

int
mend_rec_of_chunks(struct mend *m, uint64_t ino, struct attr_rec *recp)
{
	int rc;

	*recp = mend_new_rec(S_IFREG | 0600);
	recp->flags = ATTR_CHUNKS;
	rc = each_row(m, SPACE_CHUNK, ino, add_chunk, recp);
	if (rc < 0 || recp->size == 0)
		return rc;
	/* What they add to alloc is found by the next walk. */
	rc = each_row(m, SPACE_PATCH, ino, add_patch, recp);
	return rc < 0 ? rc : 1;
}

/* ---- lost+found ---- */

/* Find the directory, or create it at its first use. If something else has the
 * name, that stays, and another name is used. */
static int
find_lost_found(struct mend *m)
{
	char name[32] = "lost+found";
	struct mend_row r;
	struct kv_key key;
	int rc;

	for (unsigned n = 1; m->lost_found == 0 && n < NAMES_MAX; n++) {
		key = key_dentry(FS_ROOT_INO, slice_str(name));
		rc = mend_has(m, &key);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			struct attr_rec rec = mend_new_rec(S_IFDIR | 0700);

			m->lost_found = mend_number(m);
			txn_put_dentry(&m->txn, FS_ROOT_INO, key.name,
			    m->lost_found, &rec, (struct slice){ 0 });
			return 0;
		}
		rc = mend_load(m, &key, &r);
		if (rc < 0)
			return rc;
		if (rc == 1 && r.type == S_IFDIR)
			m->lost_found = r.ino;
		kv_value_release(&r.pin);
		snprintf(name, sizeof(name), "lost+found.%u", n);
	}
	return m->lost_found != 0 ? 0 : -EEXIST;
}

int
mend_attach(struct mend *m, const struct mend_row *r, const char *why)
{
	char name[48];
	struct kv_key key = { 0 };
	int rc = find_lost_found(m);

	snprintf(name, sizeof(name), "#%" PRIu64, r->ino);
	for (unsigned n = 1; rc == 0; n++) {
		key = key_dentry(m->lost_found, slice_str(name));
		rc = mend_has(m, &key);
		if (rc <= 0)
			break;
		rc = n < NAMES_MAX ? 0 : -EEXIST;
		snprintf(name, sizeof(name), "#%" PRIu64 ".%u", r->ino, n);
	}
	if (rc < 0)
		return rc;
	if (r->is_ref)
		txn_put_ref(&m->txn, key.group, key.name, r->ino, r->type);
	else
		txn_put_dentry(&m->txn, key.group, key.name, r->ino, &r->rec,
		    r->data);
	finding_add(&m->reported, &key, why);
	return 0;
}
