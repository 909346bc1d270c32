/* SPDX-License-Identifier: ISC */
/*
 * The life of a file system: made in an empty store, opened, synced,
 * closed; inode numbers; and figures about it.
 */
#include "fs/fs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs_invariants.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_lookup.h"
#include "fs/patch_map.h"
#include "fs/rowless.h"
#include "util/invariant.h"
#include "util/log.h"

/* What an inode takes at least, to guess how many more there can be. */
#define INODE_BYTES_MIN 256u

void
fs_options_init(struct fs_options *opts)
{
	*opts = (struct fs_options){
		.flush_on_close = true,
		.writeback_ms = 1000,
		.writeback_bytes = 64u << 20,
		.patch_rest_ms = 5000,
		.listing_bytes = 8u << 20,
	};
}

/* Make the file system in an empty store. */
static int
fs_format(struct fs *fs)
{
	const struct super_row super = {
		.version = SUPER_VERSION,
		.chunk_size = CHUNK_SIZE,
		.created = (uint64_t)fs_now().tv_sec,
	};
	struct count_row count = { .is_exact = true, .inodes = 1 };
	struct attr_rec root = new_inode_rec(S_IFDIR | 0755, geteuid(),
	    getegid());
	uint8_t value[SCHEMA_ROW_MAX];
	struct txn *t;
	uint64_t seq;
	int rc;

	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	txn_put_store(t, KEY_FORMAT, value, schema_put_super(value, &super));
	txn_put_store(t, KEY_NEXT_INO, value,
	    schema_put_number(value, FS_ROOT_INO + 1));
	txn_put_store(t, KEY_INODES, value, schema_put_count(value, &count));
	txn_put_inode(t, FS_ROOT_INO, &root, (struct slice){ 0 });
	rc = txn_commit(fs, t, &seq);
	txn_end(fs, t);
	fs->wb.patches.super = super;
	return rc;
}

/* Without a format row: make it, if there is nothing else either. */
static int
make_if_empty(struct fs *fs)
{
	struct kv_key from = { 0 };
	struct kv_iter *it;
	int rc;

	rc = kv_iter_open(fs->kv, &from, KV_SCOPE_ALL, NULL, &it);
	if (rc < 0)
		return rc;
	rc = kv_iter_next(it);
	kv_iter_close(it);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		log_error("the store has rows but no description of their "
			  "format: it is damaged, or not a file system");
		return -KVFS_ECORRUPT;
	}
	if (fs->read_only) {
		log_error("the store is empty; mount it without read-only "
			  "once to make a file system");
		return -ENOENT;
	}
	return fs_format(fs);
}

static int
check_super(struct fs *fs, struct slice value)
{
	struct super_row super;
	int rc = schema_get_super(value, &super);

	if (rc == 0 && !schema_knows_super(&super))
		rc = -EPROTO;
	if (rc == 0 && super.ro_flags != 0 && !fs->read_only) {
		log_error("the store was written by a newer version; this "
			  "one can only mount it read-only");
		return -EPROTO;
	}
	if (rc == -EPROTO)
		log_error("the store was written by a newer version; use "
			  "that version");
	else if (rc < 0)
		log_error("the description of the store's format is damaged; "
			  "run kvfsctl check");
	fs->wb.patches.super = super;
	atomic_init(&fs->wb.patches.is_declared,
	    (super.refuse_flags & SUPER_PATCHES) != 0);
	return rc;
}

static int
load_store(struct fs *fs) UNSHARED
{
	struct kv_key key = key_store(KEY_FORMAT);
	struct kv_value v;
	int rc;

	mutex_assert_free(&fs->numbers.mu);
	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == -ENOENT)
		rc = make_if_empty(fs);
	else if (rc == 0)
		rc = check_super(fs, v.data);
	kv_value_release(&v);
	if (rc < 0)
		return rc;
	key = key_store(KEY_NEXT_INO);
	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == 0)
		rc = schema_get_number(v.data, &fs->numbers.next);
	kv_value_release(&v);
	if (rc == 0 && fs->numbers.next <= FS_ROOT_INO)
		rc = -KVFS_ECORRUPT;
	if (rc == -ENOENT || rc == -KVFS_ECORRUPT) {
		log_error("the next inode number is missing or damaged; run "
			  "kvfsctl check");
		rc = -KVFS_ECORRUPT;
	}
	fs->numbers.limit = fs->numbers.next;
	return rc;
}

/* Free everything; contents that still wait are lost. */
static void
fs_destroy(struct fs *fs) UNSHARED
{
	writeback_fini(fs);
	patch_list_fini(fs);
	if (fs->root != NULL)
		inode_unhold(fs, fs->root);
	inode_table_fini(&fs->table);
	txn_pool_fini(&fs->txns);
	mutex_fini(&fs->orphans.mu);
	mutex_fini(&fs->orphans.reap_mu);
	free(fs->orphans.all);
	mutex_fini(&fs->numbers.mu);
	mutex_fini(&fs->rename_mu);
	free(fs);
}

int
fs_open(struct kv *kv, const struct fs_options *opts, struct fs **fsp) UNSHARED
{
	struct fs *fs;
	int rc, rc2;

	*fsp = NULL;
	fs = aligned_alloc(64, (sizeof(*fs) + 63) & ~(size_t)63);
	if (fs == NULL)
		return -ENOMEM;
	memset(fs, 0, sizeof(*fs));
	fs->kv = kv;
	fs->read_only = opts->read_only || (kv->caps & KV_CAP_READ_ONLY) != 0;
	atomic_init(&fs->flush_on_close, opts->flush_on_close);
	fs->atime = opts->atime;
	fs->acl = opts->acl;
	fs->caller.keeps_times = opts->keep_times;
	fs->caller.stateless = opts->stateless;
	mutex_init(&fs->rename_mu);
	mutex_init(&fs->numbers.mu);
	mutex_init(&fs->orphans.reap_mu);
	mutex_init(&fs->orphans.mu);
	fs->orphans.due_ns = UINT64_MAX;
	patch_list_init(&fs->wb.patches, opts);
	txn_pool_init(&fs->txns);
	fs->listings.max_bytes = (size_t)opts->listing_bytes;
	rc = inode_table_init(&fs->table);
	rc2 = writeback_start(fs, opts);
	if (rc == 0)
		rc = rc2;
	if (rc == 0)
		rc = load_store(fs);
	if (rc == 0)
		rc = inode_load_root(fs, &fs->root);
	if (rc == 0)
		rc = inode_count_start(fs);
	if (rc == 0 && !fs->read_only)
		rc = orphan_sweep(fs);
	rc = txn_settle(fs, rc);
	if (rc < 0) {
		writeback_stop(fs);
		fs->read_only = true;
		inode_count_stop(fs);
		fs_destroy(fs);
		return rc;
	}
	*fsp = fs;
	return 0;
}

int
fs_close(struct fs *fs)
{
	int rc = 0, rc2;

	if (fs == NULL)
		return 0;
	writeback_stop(fs);
	if (!fs->read_only) {
		rc = writeback_all(fs);
		rc2 = orphan_end_all(fs);
		rc = rc < 0 ? rc : rc2;
	}
	rc2 = inode_count_stop(fs);
	rc = txn_settle(fs, rc < 0 ? rc : rc2);
	if (!fs->read_only) {
		rc2 = kv_sync(fs->kv, UINT64_MAX);
		rc = rc < 0 ? rc : rc2;
	}
	if (rc < 0)
		log_error("not everything could be written: %s", strerror(-rc));
	if (HAVE_CHECKS) {
		inode_table_check(&fs->table);
		dirty_list_check(&fs->dirty);
		dirty_list_check_sums(&fs->dirty);
	}
	fs_destroy(fs);
	return rc;
}

void
fs_set_options(struct fs *fs, const struct fs_options *opts)
{
	atomic_store_explicit(&fs->flush_on_close, opts->flush_on_close,
	    memory_order_relaxed);
	writeback_set_age(fs, opts->writeback_ms);
}

int
fs_sync(struct fs *fs)
{
	int rc, rc2;

	if (fs->read_only)
		return 0;
	orphan_reap(fs);
	rc = writeback_all(fs);
	rc2 = kv_sync(fs->kv, UINT64_MAX);
	return txn_settle(fs, rc < 0 ? rc : rc2);
}

int
fs_statfs(struct fs *fs, struct fs_statfs *stp)
{
	struct kv_usage usage;
	int rc;

	*stp = (struct fs_statfs){ 0 };
	rc = kv_usage(fs->kv, &usage);
	if (rc < 0)
		return rc;
	stp->block_size = ALLOC_UNIT;
	stp->blocks = usage.total_bytes / ALLOC_UNIT;
	stp->blocks_free = usage.free_bytes / ALLOC_UNIT;
	stp->blocks_avail = stp->blocks_free;
	stp->inodes_free = usage.free_bytes / INODE_BYTES_MIN;
	stp->inodes = inode_count_read(fs) + stp->inodes_free;
	return 0;
}

size_t
fs_inode_bytes(void)
{
	/* With its part of the table, which is filled by half. */
	return sizeof(struct inode) + ALLOC_OVERHEAD +
	    2 * sizeof(struct inode *);
}

void
fs_memory(struct fs *fs, struct fs_memory *memoryp)
{
	*memoryp = (struct fs_memory){
		.inode_bytes = inode_table_count(&fs->table) *
			fs_inode_bytes() +
		    iname_long_bytes() + rowless_bytes(),
		.writeback_bytes = atomic_load_explicit(&fs->dirty.bytes,
				       memory_order_relaxed) +
		    patch_map_bytes(),
		.listing_bytes = atomic_load_explicit(&fs->listings.bytes,
		    memory_order_relaxed),
	};
}

void
fs_report(struct fs *fs, struct report *r)
{
	const struct fs_counters *c = &fs->counters;
	const struct report_row counters[] = {
		{ "Commits", "fs_commits", &c->commits },
		{ "Commits of contents", "fs_content_commits", &c->writebacks },
		{ "Patches written", "fs_patches", &c->patches },
		{ "Patched chunks merged", "fs_patch_merges", &c->merges },
		{ "Lookups", "fs_lookups", &c->lookups },
		{ "Creates", "fs_creates", &c->creates },
		{ "Removes", "fs_removes", &c->removes },
		{ "Renames", "fs_renames", &c->renames },
		{ "Reads", "fs_reads", &c->reads },
		{ "Bytes read", "fs_read_bytes", &c->read_bytes },
		{ "Writes", "fs_writes", &c->writes },
		{ "Bytes written", "fs_written_bytes", &c->write_bytes },
	};

	report_gauge(r, "Inodes", "inodes", inode_count_read(fs));
	report_gauge(r, "Inodes in memory", "inodes_in_memory",
	    inode_table_count(&fs->table));
	report_gauge(r, "Write-back bytes", "writeback_bytes",
	    atomic_load_explicit(&fs->dirty.bytes, memory_order_relaxed));
	report_gauge(r, "Write-back limit", "writeback_limit_bytes",
	    fs->wb.limit_bytes);
	report_gauge(r, "Patch map bytes", "patch_map_bytes",
	    patch_map_bytes());
	report_counters(r, counters, sizeof(counters) / sizeof(counters[0]));
}
