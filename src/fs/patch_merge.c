/* SPDX-License-Identifier: ISC */
/* See patch_merge.h. */
#include "fs/patch_merge.h"

#include "fs/content_buf.h"
#include "fs/fs_state.h"
#include "fs/inode_commit.h"
#include "fs/inode_patches.h"
#include "util/clock.h"

/* Chunks in one batch, during which the inode is locked: 1 MiB. */
#define BATCH_CHUNKS 32u

static bool
is_due(const struct patch_chunk *pc, bool is_all)
{
	return pc->count >= (is_all ? 1 : PATCH_MERGE_ROWS) ||
	    pc->bytes >= PATCH_MERGE_BYTES || (pc->is_grown && pc->count != 0);
}

/* Merge some chunks, and commit them with what else is dirty. 1: there were
 * some to merge. */
static int
merge_chunks(struct fs *fs, struct inode *in, bool is_all)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct patch_map *map;
	struct patch_chunk *pc;
	struct dbuf *b;
	size_t n = 0;
	int rc;

	rc = inode_patches_load(fs, in);
	map = inode_patches(in);
	if (rc < 0 || map == NULL)
		return rc;
	rc = content_touch(fs, in, NULL);
	RB_FOREACH (pc, patch_tree, &map->chunks) {
		if (rc < 0 || n == BATCH_CHUNKS)
			break;
		if (!is_due(pc, is_all))
			continue;
		rc = content_get_buf(fs, in, pc->index, CHUNK_SIZE, CHUNK_SIZE,
		    &b);
		n++;
	}
	if (rc == 0)
		rc = content_commit(fs, in);
	return rc < 0 ? rc : n != 0;
}

static int
merge_inode(struct fs *fs, struct inode *in, bool is_all)
    REQUIRES(&in->change_mu, &in->mu)
{
	int rc;

	/* Without a name it mostly ends soon. */
	if (in->is_nameless) {
		patch_list_remove(&fs->wb.patches, in);
		return 0;
	}
	rc = merge_chunks(fs, in, is_all);
	if (rc == 0 && !is_all)
		patch_list_settle(&fs->wb.patches, in);
	/* What it has cannot be merged: it stays, until there is a new one. */
	if (rc < 0 || (rc == 0 && is_all))
		patch_list_remove(&fs->wb.patches, in);
	return rc < 0 ? rc : 0;
}

void
patch_merge_some(struct fs *fs)
{
	uint64_t begin = clock_now_ns();
	bool is_all;
	struct inode *in = patch_list_first(&fs->wb.patches, &is_all);
	int rc = 0;

	if (in == NULL)
		return;
	inode_begin_change(in);
	if (in->state == INODE_LIVE)
		rc = merge_inode(fs, in, is_all);
	/* Damage was told where it was found. */
	if (rc != -KVFS_ECORRUPT && rc != -KVFS_ECHECKSUM)
		writeback_report(fs, rc);
	inode_end_change(in);
	inode_put(fs, in);
	/* Leave the disk and a processor to others for as long. */
	patch_list_pause(&fs->wb.patches, clock_now_ns() - begin);
}
