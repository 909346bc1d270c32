/* SPDX-License-Identifier: ISC */
/*
 * A consistent copy of a running store: the tables of one version, the
 * segments that they name, and a manifest of its own that needs no log.
 *
 * Neither tables nor segments change once they are written, so a hard link
 * is a copy. The version is held meanwhile, so that compaction removes none
 * of them. The manifest comes last: a directory without it is no store.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/db_internal.h"
#include "engine/store_files.h"
#include "engine/store_lock.h"
#include "util/log.h"

#define COPY_BYTES (1u << 20)

struct backup {
	struct db *db;
	const char *dest;
	struct env_dir *target;
	struct store_lock lock; /* on it */
	struct version *version; /* held */
	uint64_t last_seq;
	uint64_t manifest;
	uint64_t *segments; /* that the version names, each once */
	size_t segment_count;
	bool no_links; /* the file system below refuses them */
	void *copy_buf;
	uint64_t linked, copied, copied_bytes;
};

/* Everything that is committed now to tables. */
static int
flush(struct db *db)
{
	if (db->read_only) {
		/* It can write no table; what came from a log stays there. */
		if (memtable_is_empty(db->mem) && db->view->imm_count == 0)
			return 0;
		log_error("%s: the store is read-only, and its log holds "
			  "commits: open it for writing once, then back it up",
		    db->dir);
		return -EROFS;
	}
	return db_flush_all(db);
}

static int
cmp_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Which segments the version names. */
static int
list_segments(struct backup *b)
{
	size_t uses = 0, n = 0;

	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < b->version->levels[i].count; j++)
			uses += b->version->levels[i].files[j]->use_count;
	b->segments = calloc(uses + 1, sizeof(*b->segments));
	if (b->segments == NULL)
		return -ENOMEM;
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &b->version->levels[i];

		for (size_t j = 0; j < l->count; j++)
			for (size_t k = 0; k < l->files[j]->use_count; k++)
				b->segments[n++] = l->files[j]->uses[k].segment;
	}
	qsort(b->segments, n, sizeof(*b->segments), cmp_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || b->segments[i] != b->segments[i - 1])
			b->segments[b->segment_count++] = b->segments[i];
	return 0;
}

/*
 * Hold the present version. Its segments take no more appends afterwards,
 * but for those that are under way.
 */
static int
take_version(struct backup *b)
{
	struct db *db = b->db;
	bool named = false;
	int rc;

	mutex_lock(&db->mu);
	b->version = db->view->version;
	version_ref(b->version);
	b->last_seq = db->flushed_seq;
	mutex_unlock(&db->mu);
	rc = list_segments(b);
	if (rc < 0)
		return rc;
	mutex_lock(&db->segment_mu);
	if (db->active_segment != NULL)
		named = bsearch(&db->active_segment->number, b->segments,
			    b->segment_count, sizeof(*b->segments),
			    cmp_number) != NULL;
	mutex_unlock(&db->segment_mu);
	if (named)
		segment_seal_active(db);
	return 0;
}

/* Whether an append to it is still under way: a link would go on growing
 * for a moment. */
static bool
is_growing(struct db *db, uint64_t number)
{
	struct segment_ref key = { .number = number }, *s;
	bool growing;

	mutex_lock(&db->segment_mu);
	s = RB_FIND(segment_tree, &db->segments, &key);
	growing = s != NULL && (!s->sealed || s->users != 0);
	mutex_unlock(&db->segment_mu);
	return growing;
}

static int
copy_bytes(struct backup *b, struct env_file *from, struct env_file *to)
{
	uint64_t off = 0;
	ssize_t n;
	int rc = 0;

	if (b->copy_buf == NULL)
		b->copy_buf = malloc(COPY_BYTES);
	if (b->copy_buf == NULL)
		return -ENOMEM;
	env_advise(from, 0, 0, ENV_ADVICE_SEQUENTIAL);
	while ((n = env_read(from, b->copy_buf, COPY_BYTES, off)) > 0) {
		struct iovec iov = { b->copy_buf, (size_t)n };

		rc = env_write(to, &iov, 1, off);
		if (rc < 0)
			return rc;
		env_writeback(to, off, (uint64_t)n);
		off += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	b->copied++;
	b->copied_bytes += off;
	return env_sync(to);
}

static int
copy_file(struct backup *b, enum file_kind kind, uint64_t number)
{
	struct env_file *in = NULL, *out = NULL;
	int rc = store_file_open(b->db->store, kind, number, ENV_READ, &in);

	if (rc == 0)
		rc = store_file_open(b->target, kind, number,
		    ENV_WRITE | ENV_CREATE, &out);
	if (rc == 0)
		rc = copy_bytes(b, in, out);
	env_close(in);
	env_close(out);
	return rc;
}

static int
bring_file(struct backup *b, enum file_kind kind, uint64_t number)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc;
	bool link = !b->no_links &&
	    (kind != FILE_SEGMENT || !is_growing(b->db, number));

	if (link) {
		rc = store_file_link(b->db->store, b->target, kind, number);
		if (rc == 0) {
			b->linked++;
			return 0;
		}
		if (rc == -EXDEV || rc == -EPERM || rc == -ENOTSUP ||
		    rc == -ENOSYS)
			b->no_links = true;
		else if (rc != -EMLINK)
			goto out;
	}
	rc = copy_file(b, kind, number);
out:
	if (rc == 0)
		return 0;
	filename_path(from, b->db->dir, kind, number);
	filename_path(to, b->dest, kind, number);
	if (rc == -ENOENT) {
		log_error("%s: missing: the store is damaged; run kvfsctl "
			  "repair",
		    from);
		return -KVFS_ECORRUPT;
	}
	log_error("%s: cannot copy it to %s: %s", from, to, strerror(-rc));
	return rc;
}

/* fn for each file that the version needs. */
static int
each_file(struct backup *b,
    int (*fn)(struct backup *b, enum file_kind kind, uint64_t number))
{
	int rc = 0;

	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &b->version->levels[i];

		for (size_t j = 0; j < l->count && rc == 0; j++)
			rc = fn(b, FILE_TABLE, l->files[j]->number);
	}
	for (size_t i = 0; i < b->segment_count && rc == 0; i++)
		rc = fn(b, FILE_SEGMENT, b->segments[i]);
	return rc;
}

static int
write_manifest(struct backup *b)
{
	struct version_edit e = { .log_number = LOG_NONE,
		.last_seq = b->last_seq };
	struct manifest *m = NULL;
	int rc = 0;

	b->manifest = db_new_file_number(b->db);
	e.next_file = b->manifest + 1;
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &b->version->levels[i];

		for (size_t j = 0; j < l->count && rc == 0; j++) {
			rc = version_edit_add(&e, i, l->files[j]);
			if (rc == 0)
				table_file_ref(l->files[j]);
		}
	}
	if (rc == 0)
		rc = manifest_create(b->target, b->manifest, &e, &m);
	manifest_close(m);
	/* None of them is the last: the version holds one too. */
	for (size_t i = 0; i < e.add_count; i++)
		table_file_unref(b->version, e.adds[i].file);
	e.add_count = 0;
	version_edit_fini(&e);
	return rc;
}

/* ---- The directory ---- */

static int
not_empty(void *arg, const char *name)
{
	(void)arg;
	/* The root of a file system of its own has this one. */
	return strcmp(name, "lost+found") == 0 ? 0 : -ENOTEMPTY;
}

/* Make it, or take an empty one, and lock it. */
static int
take_directory(struct backup *b)
{
	int rc = env_dir_make(b->db->env, b->dest, &b->target);

	if (rc == -EEXIST)
		rc = env_dir_open(b->db->env, b->dest, &b->target);
	if (rc == 0)
		rc = env_dir_list(b->target, not_empty, NULL);
	if (rc == 0)
		rc = store_lock_take(&b->lock, b->target, ENV_LOCK_EXCLUSIVE,
		    "backup", 0);
	if (rc == -ENOTEMPTY)
		log_error("%s: not empty; name a new directory for the backup",
		    b->dest);
	else if (rc < 0)
		log_error("%s: cannot make the backup: %s", b->dest,
		    strerror(-rc));
	return rc;
}

static int
remove_file(struct backup *b, enum file_kind kind, uint64_t number)
{
	(void)store_file_unlink(b->target, kind, number);
	return 0;
}

/* Leave an empty directory behind a failure. */
static void
undo(struct backup *b)
{
	if (b->manifest != 0)
		(void)remove_file(b, FILE_MANIFEST, b->manifest);
	if (b->version != NULL && b->segments != NULL)
		(void)each_file(b, remove_file);
	(void)remove_file(b, FILE_LOCK, 0);
}

int
db_backup(struct db *db, const char *dest, FILE *out)
{
	struct backup b = { .db = db, .dest = dest };
	int rc;

	if (dest[0] == '\0')
		return -EINVAL;
	rc = take_directory(&b);
	if (rc < 0)
		goto out;
	rc = flush(db);
	if (rc == 0)
		rc = take_version(&b);
	if (rc == 0)
		rc = each_file(&b, bring_file);
	if (rc == 0)
		rc = write_manifest(&b);
	if (rc < 0)
		undo(&b);
	else
		fprintf(out,
		    "Files linked: %llu\nFiles copied: %llu\n"
		    "Bytes copied: %llu\n",
		    (unsigned long long)b.linked, (unsigned long long)b.copied,
		    (unsigned long long)b.copied_bytes);
out:
	store_lock_drop(&b.lock);
	env_dir_close(b.target);
	version_unref(b.version);
	free(b.segments);
	free(b.copy_buf);
	return rc;
}
