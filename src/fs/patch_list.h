/* SPDX-License-Identifier: ISC */
/*
 * The inodes with patches (patch_map.h), in the order of their last patch,
 * oldest first. Once they rest, patch_merge.h merges the chunks with many
 * patches; then they are settled, and stay so unless memory gets short. The
 * list holds a reference to each.
 *
 * Threads: any. patch_list.mu is taken after an inode's locks and after
 * dirty_list.mu, and held for short times.
 */
#ifndef KVFS_FS_PATCH_LIST_H
#define KVFS_FS_PATCH_LIST_H

#include "fs/live_inode.h"

struct fs;

struct patch_list {
	struct super_row
	    super; /* constant: the store's record at its opening */
	/* The record says by now that there may be patches. Relaxed: who sees
	 * an old value says it again. */
	atomic_bool is_declared;
	uint64_t rest_ns; /* constant, as the next */
	uint64_t max_bytes; /* of the memory of maps */
	struct mutex mu;
	TAILQ_HEAD(patch_queue, inode) inodes GUARDED_BY(mu);
	struct patch_queue settled GUARDED_BY(mu);
	uint64_t pause_ns GUARDED_BY(mu); /* nothing is due before */
};

struct fs_options;
void patch_list_init(struct patch_list *list, const struct fs_options *opts);
/* Take all inodes off the list, at the end. */
void patch_list_fini(struct fs *fs);

/* in has a new patch, or its patches were found: put it at the tail, and see to
 * it that the write-back thread comes. */
void patch_list_note(struct fs *fs, struct inode *in) REQUIRES(&in->mu);
/* in has no patches any more, or they cannot be merged. The caller has another
 * reference. */
void patch_list_remove(struct patch_list *list, struct inode *in)
    REQUIRES(&in->mu);

/* Do maps take so much memory that no further chunk may be patched? */
bool patch_list_is_full(const struct patch_list *list);
/* Its chunks have few patches each. */
void patch_list_settle(struct patch_list *list, struct inode *in);

/* When an inode is to be merged, on the clock of clock_now_ns(); UINT64_MAX:
 * never, 0: now. */
uint64_t patch_list_due_ns(struct patch_list *list);
/* The inode that is to be merged first, referenced, or NULL. *allp: all of its
 * patches, since memory is short. */
struct inode *patch_list_first(struct patch_list *list, bool *allp);
/* Nothing is due for ns nanoseconds. */
void patch_list_pause(struct patch_list *list, uint64_t ns);

#endif
