/* SPDX-License-Identifier: ISC */
/*
 * The file system over a kv: inodes, names and contents with POSIX semantics.
 * It does not know FUSE. Everything that src/fuse and src/tools call is
 * declared here or in a header that is included here; the other headers of
 * src/fs are private.
 *
 * Inodes are named by number. A number handed out by fs_lookup() or a
 * fs_create_*() call counts one lookup and stays usable until as many have
 * been given back by fs_forget(); the root is always usable. Open files
 * and directories hold their inode too.
 *
 * Namespace and attribute changes are committed when the call returns. If the
 * sync mode makes commits durable at once, each call waits for that at its
 * end, without a lock, so that many calls share one disk sync.
 * Contents, and the size and mtime that belong to them, stay in the
 * write-back cache until close (flush=close), fsync, writeback_ms, shortage
 * of memory, or a rename or link of the file.
 *
 * The caller checks permissions (the kernel does, with default_permissions).
 * Ownership, set-id bits and the inheritance of set-gid follow POSIX here.
 *
 * Errors: negative errno, as ext4 would give; see kv.h for damage, which
 * src/fuse turns into EIO.
 *
 * Threads: every function may be called from any thread, except that one
 * fs_dir belongs to one thread at a time.
 */
#ifndef KVFS_FS_FS_H
#define KVFS_FS_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/fs_attrs.h"
#include "fs/fs_bulk.h"
#include "fs/fs_check.h"
#include "fs/fs_contents.h"
#include "fs/fs_dirs.h"
#include "fs/fs_memory.h"
#include "fs/fs_names.h"
#include "fs/fs_xattrs.h"
#include "kvfs/kv.h"
#include "util/report.h"

struct fs;

/* When a read sets the access time. */
enum fs_atime {
	FS_ATIME_NEVER,
	FS_ATIME_RELATIVE, /* not newer than the last change, or a day old */
	FS_ATIME_ALWAYS,
};

struct fs_options {
	bool flush_on_close; /* flush=close; see stateless */
	uint32_t writeback_ms; /* longest stay in the write-back cache */
	uint64_t writeback_bytes; /* bound of that cache */
	/* Patches are merged once a file got none for so long. */
	uint32_t patch_rest_ms;
	uint64_t listing_bytes; /* bound of removed names kept for readdir */
	bool read_only;
	enum fs_atime atime;
	/* Writes, truncating opens and fallocate do not set mtime and ctime:
	 * the caller does, as the kernel with its write-back cache. */
	bool keep_times;
	/*
	 * The caller does not tell of opens and closes: fs_openfile(),
	 * fs_release() and fs_flush() are not called. So with flush_on_close
	 * contents are committed with each write, and any file may be open for
	 * writing.
	 */
	bool stateless;
	bool acl; /* access control lists are kept; else -EOPNOTSUPP */
};

void fs_options_init(struct fs_options *opts);

/*
 * Mount the file system in kv (made when the store is empty): finish
 * deletions that a crash interrupted, start the write-back thread.
 * Borrows kv, which must outlive it. -EPROTO: a format or feature that is
 * newer than this program; -KVFS_ECORRUPT. The reason has been logged.
 */
int fs_open(struct kv *kv, const struct fs_options *opts, struct fs **fsp);
/* Commit all contents, make them durable, free. NULL is accepted. */
int fs_close(struct fs *fs);
/* Commit all contents and make everything durable. */
int fs_sync(struct fs *fs);
/* Change flush_on_close and writeback_ms of a running file system. */
void fs_set_options(struct fs *fs, const struct fs_options *opts);

struct fs_statfs {
	uint64_t block_size;
	uint64_t blocks, blocks_free, blocks_avail;
	uint64_t inodes, inodes_free;
};
int fs_statfs(struct fs *fs, struct fs_statfs *stp);

/* Report inodes in memory, write-back bytes, counters. */
void fs_report(struct fs *fs, struct report *r);

#endif
