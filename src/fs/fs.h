/* SPDX-License-Identifier: ISC */
/*
 * The file system over a kv: inodes, names and contents with POSIX
 * semantics, and no idea of FUSE. Everything that src/fuse and src/tools
 * call is declared here; the other headers of src/fs are its insides.
 *
 * Inodes are named by number. A number handed out by fs_lookup() or a
 * fs_create_*() call counts one lookup and stays usable until as many have
 * been given back by fs_forget(); the root is always usable. Open files
 * and directories hold their inode too.
 *
 * Namespace and attribute changes are committed when the call returns.
 * What the store's sync mode asks for is waited for at the end of each call,
 * without a lock: many calls share one disk sync.
 * Contents, and the size and mtime that belong to them, wait in the
 * write-back cache until close (flush=close), fsync, writeback_ms, memory
 * pressure, or a rename or link of the file.
 *
 * Permissions are the caller's business (the kernel checks them, with
 * default_permissions); ownership, set-id bits and sticky inheritance as
 * POSIX asks are done here.
 *
 * Errors: negative errno, as ext4 would give; see kv.h for damage, which
 * src/fuse turns into EIO.
 *
 * Threads: every function may be called from any thread, except that one
 * fs_dir belongs to one thread at a time.
 */
#ifndef KVFS_FS_FS_H
#define KVFS_FS_FS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "kvfs/kv.h"
#include "kvfs/slice.h"
#include "util/buf.h"
#include "util/report.h"

#define FS_ROOT_INO 1
#define FS_NAME_MAX 255
#define FS_SYMLINK_MAX 4095
#define FS_XATTR_SIZE_MAX 65536
#define FS_LINK_MAX 65000

struct fs;
struct fs_dir;

struct fs_options {
	bool flush_on_close; /* flush=close */
	uint32_t writeback_ms; /* longest stay in the write-back cache */
	uint64_t writeback_bytes; /* bound of that cache */
	uint64_t listing_bytes; /* of names that listings remember */
	bool read_only;
	bool atime; /* relatime rules when true, never when false */
	/* Writes, truncating opens and fallocate leave mtime and ctime: the
	 * caller sets them, as the kernel does with its write-back cache. */
	bool keep_times;
	bool acl; /* access control lists are kept; else -EOPNOTSUPP */
};

void fs_options_init(struct fs_options *opts);

struct fs_attr {
	uint64_t ino;
	uint32_t mode; /* type and permissions, as st_mode */
	uint32_t nlink;
	uint32_t uid, gid;
	uint64_t rdev;
	uint64_t size;
	uint64_t blocks; /* of 512 bytes; holes take none */
	struct timespec atime, mtime, ctime, btime;
};

/* Who creates: becomes the owner. umask counts with fs_options.acl only,
 * where the directory's default list may stand in its place; otherwise mode
 * arrives with it applied. */
struct fs_cred {
	uint32_t uid, gid, umask;
};

/*
 * Mount the file system in kv (made when the store is empty): finish
 * deletions that a crash interrupted, start the write-back thread.
 * Borrows kv, which must outlive it. -EPROTO: a format or feature that is
 * newer than this program; -KVFS_ECORRUPT. The reason has been logged.
 */
int fs_open(struct kv *kv, const struct fs_options *opts, struct fs **fsp);
/* Commit all contents, make them durable, free. NULL is accepted. */
int fs_close(struct fs *fs);
/* Change flush_on_close and writeback_ms of a running file system. */
void fs_set_options(struct fs *fs, const struct fs_options *opts);

/* ---- Names (op_name.c) ---- */

/* -ENOENT, -ENOTDIR, -ENAMETOOLONG; counts a lookup on success. */
int fs_lookup(struct fs *fs, uint64_t parent, struct slice name,
    struct fs_attr *attrp);
/* Give back n lookups of ino. */
void fs_forget(struct fs *fs, uint64_t ino, uint64_t n);

/* Make a regular file, directory, FIFO, socket or device, by the type in
 * mode. Counts a lookup. rdev is for devices. */
int fs_create(struct fs *fs, uint64_t parent, struct slice name, uint32_t mode,
    uint64_t rdev, const struct fs_cred *cred, struct fs_attr *attrp);
int fs_symlink(struct fs *fs, uint64_t parent, struct slice name,
    struct slice target, const struct fs_cred *cred, struct fs_attr *attrp);
/* Make a file without a name (O_TMPFILE), open once; fs_link() can name it
 * until it is released. */
int fs_tmpfile(struct fs *fs, uint64_t parent, uint32_t mode,
    const struct fs_cred *cred, struct fs_attr *attrp);
/* Another name for ino. Counts a lookup. */
int fs_link(struct fs *fs, uint64_t ino, uint64_t parent, struct slice name,
    struct fs_attr *attrp);
int fs_unlink(struct fs *fs, uint64_t parent, struct slice name);
int fs_rmdir(struct fs *fs, uint64_t parent, struct slice name);
/* flags: RENAME_NOREPLACE or RENAME_EXCHANGE of renameat2(2), or 0. */
int fs_rename(struct fs *fs, uint64_t parent, struct slice name,
    uint64_t newparent, struct slice newname, unsigned flags);
/* RENAME_WHITEOUT, with RENAME_NOREPLACE or 0: leaves a device 0:0 of cred
 * behind, in the same step. */
int fs_rename_whiteout(struct fs *fs, uint64_t parent, struct slice name,
    uint64_t newparent, struct slice newname, unsigned flags,
    const struct fs_cred *cred);
/* Appends the target to *target. */
int fs_readlink(struct fs *fs, uint64_t ino, struct buf *target);

/* What the file system has in memory, by what it is for, in bytes. */
struct fs_memory {
	uint64_t inode_bytes; /* what fs_prune() makes less */
	uint64_t writeback_bytes;
	/* Names that have gone from open directories. */
	uint64_t listing_bytes;
};
void fs_memory(struct fs *fs, struct fs_memory *memoryp);
/* What one inode takes, with a name of up to 30 bytes. */
size_t fs_inode_bytes(void);

/* Inodes in memory: those that lookups, opens or waiting contents keep. */
size_t fs_inode_count(struct fs *fs);
/* One that lookups alone keep there, and that was not used lately. */
struct fs_cold {
	uint64_t ino;
	bool is_dir;
	/* Where it is found; an empty name when it has none, or several. */
	uint64_t parent;
	struct slice name;
};
/*
 * Tell of up to max such inodes, so that the caller can have them forgotten.
 * fn is called without a lock; what it is told may be out of date. Returns
 * how many.
 */
size_t fs_prune(struct fs *fs, size_t max,
    void (*fn)(void *arg, const struct fs_cold *cold), void *arg);

/* ---- Attributes (op_attr.c) ---- */

int fs_getattr(struct fs *fs, uint64_t ino, struct fs_attr *attrp);

enum {
	FS_SET_MODE = 1 << 0,
	FS_SET_UID = 1 << 1,
	FS_SET_GID = 1 << 2,
	FS_SET_SIZE = 1 << 3,
	FS_SET_ATIME = 1 << 4,
	FS_SET_MTIME = 1 << 5,
	FS_SET_CTIME = 1 << 6,
	FS_SET_ATIME_NOW = 1 << 7,
	FS_SET_MTIME_NOW = 1 << 8,
	FS_SET_KILL_SUID = 1 << 9, /* drop set-id bits as a write would */
	/* As a write by somebody who is not in the file's group: set-gid
	 * goes without the group's right to execute, too. */
	FS_SET_KILL_SGID = 1 << 10,
};

/* Change the fields of *attr that valid names; the result in *attrp. */
int fs_setattr(struct fs *fs, uint64_t ino, const struct fs_attr *attr,
    unsigned valid, struct fs_attr *attrp);

struct fs_statfs {
	uint64_t block_size;
	uint64_t blocks, blocks_free, blocks_avail;
	uint64_t inodes, inodes_free;
};
int fs_statfs(struct fs *fs, struct fs_statfs *stp);

/* ---- Directories (op_dir.c) ---- */

/* A descriptor of a directory. What is there throughout is listed once,
 * while others create and delete. Offsets are the same for all descriptors,
 * and stay true as long as one is open. */
int fs_opendir(struct fs *fs, uint64_t ino, struct fs_dir **dirp);
void fs_closedir(struct fs *fs, struct fs_dir *dir);

struct fs_dirent {
	uint64_t ino;
	uint32_t type; /* the S_IFMT bits */
	struct slice name;
	int64_t next; /* offset of the entry after this one */
	const struct fs_attr *attr; /* with_attr: current attributes, or NULL
	                               when the entry must not be cached
	                               ("." and "..", or gone meanwhile) */
};

/*
 * Called for each entry from offset on, "." and ".." first; returns false
 * when the entry did not fit, which ends the call and leaves that entry
 * for the next one. With with_attr, an entry that was taken and has attr
 * counts one lookup of its inode.
 */
typedef bool (*fs_dirent_fn)(void *arg, const struct fs_dirent *entry);
int fs_readdir(struct fs *fs, struct fs_dir *dir, int64_t offset,
    bool with_attr, fs_dirent_fn fn, void *arg);
/* After a call that came to the end: false when what was listed must not be
 * kept by the kernel, which would cut listings of others short by it; see
 * listing.h. */
bool fs_dir_is_safe(struct fs_dir *dir);

/* ---- Contents (op_io.c) ---- */

/* Hold ino open; truncate empties it in the same step (O_TRUNC). */
int fs_openfile(struct fs *fs, uint64_t ino, bool truncate);
/* Give one open back; the last one of an unlinked file deletes it. */
void fs_release(struct fs *fs, uint64_t ino);
/*
 * One of those who have ino open may write to it, from now on and until he
 * writes no more. While there are writers, what was read of holes may be a
 * map in somebody's memory that he writes to: then no hole is told, and
 * st_blocks is not 0. Both return whether st_blocks is another one now.
 */
bool fs_writer_begin(struct fs *fs, uint64_t ino);
bool fs_writer_end(struct fs *fs, uint64_t ino);

/* Room for what a read of 1 MiB needs, 33 chunks: no allocation. */
#define FS_READ_SPACE 3200

/* A reply in pieces: borrowed bytes, valid until fs_read_done(). It points
 * into itself: not to be copied. Needs no initialisation. */
struct fs_read {
	struct slice *pieces;
	size_t count;
	size_t bytes; /* sum of the pieces: short only at end of file */
	struct kv_value *pins; /* insides */
	size_t npins;
	void *owned;
	bool blocks_changed; /* st_blocks is another one now */
	_Alignas(8) uint8_t space[FS_READ_SPACE];
};
int fs_read(struct fs *fs, uint64_t ino, uint64_t off, size_t len,
    struct fs_read *rp);
enum {
	FS_READ_NOATIME = 1 << 0, /* the access time stays (O_NOATIME) */
	FS_READ_DIRECT = 1 << 1, /* the reader keeps no copy (O_DIRECT) */
};
int fs_read_how(struct fs *fs, uint64_t ino, uint64_t off, size_t len,
    unsigned how, struct fs_read *rp);
/* Has anybody read ino who may have kept a copy, older than a write that
 * has ended before the call? */
bool fs_is_shared(struct fs *fs, uint64_t ino);
void fs_read_done(struct fs_read *r);
/* Would a read move the access time? *sizep is the size of the file. */
bool fs_atime_is_due(struct fs *fs, uint64_t ino, uint64_t *sizep);

/* Writes all of data at off, or at the end of the file when off is
 * FS_APPEND; returns its length. -EFBIG, -ENOSPC. */
#define FS_APPEND UINT64_MAX
ssize_t fs_write(struct fs *fs, uint64_t ino, uint64_t off, struct slice data);
/* close(2) of one descriptor: commits contents with flush=close. */
int fs_flush(struct fs *fs, uint64_t ino);
/* Commit contents and attributes of ino, then wait until they are durable.
 * For a directory: every namespace change before the call is durable; for
 * the root also all contents that wait. */
int fs_fsync(struct fs *fs, uint64_t ino);
/* Commit all contents and make everything durable. */
int fs_sync(struct fs *fs);
/* mode: FALLOC_FL_* of fallocate(2). */
int fs_fallocate(struct fs *fs, uint64_t ino, int mode, uint64_t off,
    uint64_t len);
/* whence: SEEK_DATA or SEEK_HOLE; the offset, or -ENXIO. A hole may be told
 * as data, never the reverse: see fs_writer_begin(). */
int64_t fs_lseek(struct fs *fs, uint64_t ino, uint64_t off, int whence);
ssize_t fs_copy_range(struct fs *fs, uint64_t ino_in, uint64_t off_in,
    uint64_t ino_out, uint64_t off_out, size_t len);

/* ---- Extended attributes (op_xattr.c) ---- */

/*
 * Names begin with user., trusted. or security., or are those of access
 * lists: -EOPNOTSUPP for others, -EINVAL when nothing follows. What each
 * asks of the caller is checked by the kernel.
 */
/* Appends the value; -ENODATA. */
int fs_getxattr(struct fs *fs, uint64_t ino, struct slice name,
    struct buf *value);
/* flags: XATTR_CREATE or XATTR_REPLACE, or 0; FS_XATTR_KILL_SGID drops the
 * set-gid bit when an access list is set. */
#define FS_XATTR_KILL_SGID (1 << 16)
int fs_setxattr(struct fs *fs, uint64_t ino, struct slice name,
    struct slice value, int flags);
/* Appends the names, each with its NUL; trusted ones if is_trusted. */
int fs_listxattr(struct fs *fs, uint64_t ino, bool is_trusted,
    struct buf *names);
int fs_removexattr(struct fs *fs, uint64_t ino, struct slice name);

/* ---- Maintenance ---- */

/*
 * Walk all rows of a view of the store and verify every cross-reference:
 * each problem is one line "problem: PATH or row: what" on out. Returns
 * the number of problems, or errno. Works on a running file system.
 */
int fs_verify(struct kv *kv, FILE *out);

/*
 * Put right what rows that are missing leave inconsistent, in a store that
 * nobody else has open, until fs_verify() finds nothing. What no name
 * reaches gets one in the directory lost+found. lost, or NULL, is what the
 * store lost: lines "lost: PATH or row: why". Each change that is more than a
 * count is one line "repaired: PATH or row: what" on out. Returns
 * how many changes there were, or errno: -EPROTO when rows of a newer
 * version are among them.
 */
struct finding_list;
int fs_mend(struct kv *kv, struct finding_list *lost, FILE *out);
/* What was lost, gathered by fs_losses_add() as a kv_lost_fn. All accept
 * NULL, which create returns without memory. */
struct finding_list *fs_losses_create(void);
void fs_losses_add(void *losses, const struct kv_key *key,
    const struct kv_key *last, const char *why);
void fs_losses_destroy(struct finding_list *losses);

/* Inodes in memory, write-back bytes, counters. */
void fs_report(struct fs *fs, struct report *r);

#endif
