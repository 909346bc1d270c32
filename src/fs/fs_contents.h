/* SPDX-License-Identifier: ISC */
/* Contents of files. A part of fs.h, which has the rules. */
#ifndef KVFS_FS_FS_CONTENTS_H
#define KVFS_FS_FS_CONTENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kvfs/kv.h"
#include "kvfs/slice.h"

struct fs;

/* Open ino; truncate: also empty it, atomically (O_TRUNC). */
int fs_openfile(struct fs *fs, uint64_t ino, bool truncate);
/* End one open. The last one of an unlinked file deletes it. */
void fs_release(struct fs *fs, uint64_t ino);
/*
 * A descriptor of ino that may write is opened, or closed. While there are
 * such, pages of holes that were read may be mapped writable and hold data
 * that is not known here: holes are then reported as data, and st_blocks is
 * not 0. Both return whether st_blocks has changed.
 */
bool fs_writer_begin(struct fs *fs, uint64_t ino);
bool fs_writer_end(struct fs *fs, uint64_t ino);
/*
 * Where writers are not known (fs_options.stateless), the caller can have
 * its copies dropped to learn where the holes are: if fs_holes_leave() returns
 * true, it has them written back and dropped, calls fs_holes_left(), and asks
 * then. A read meanwhile makes copies that are not dropped.
 */
bool fs_holes_leave(struct fs *fs, uint64_t ino);
void fs_holes_left(struct fs *fs, uint64_t ino);

/* Enough for a read of 1 MiB (33 chunks) without an allocation. */
#define FS_READ_SPACE 3200

/* The result of a read, in pieces that are valid until fs_read_done(). It
 * points into itself, so do not copy it. Needs no initialisation. */
struct fs_read {
	struct slice *pieces;
	size_t count;
	size_t bytes; /* sum of the pieces: short only at end of file */
	struct kv_value *pins; /* private, as are the next two */
	size_t npins;
	void *owned;
	bool blocks_changed; /* the read has changed st_blocks */
	_Alignas(8) uint8_t space[FS_READ_SPACE];
};
int fs_read(struct fs *fs, uint64_t ino, uint64_t off, size_t len,
    struct fs_read *rp);
enum {
	FS_READ_NOATIME = 1 << 0, /* the access time stays (O_NOATIME) */
	FS_READ_DIRECT = 1 << 1, /* the caller keeps no copy (O_DIRECT) */
};
int fs_read_how(struct fs *fs, uint64_t ino, uint64_t off, size_t len,
    unsigned how, struct fs_read *rp);
/* May a reader of ino have kept a copy that is older than a write which ended
 * before this call? */
bool fs_is_shared(struct fs *fs, uint64_t ino);
void fs_read_done(struct fs_read *r);
/* Would a read change the access time? *sizep gets the size of the file. */
bool fs_atime_is_due(struct fs *fs, uint64_t ino, uint64_t *sizep);

/* Write data at off, or at the end of the file if off is FS_APPEND. Returns
 * its length, or -EFBIG, -ENOSPC ... */
#define FS_APPEND UINT64_MAX
ssize_t fs_write(struct fs *fs, uint64_t ino, uint64_t off, struct slice data);
enum {
	/* Another write to ino follows at once: its commit includes this. */
	FS_WRITE_MORE = 1 << 0,
};
ssize_t fs_write_how(struct fs *fs, uint64_t ino, uint64_t off,
    struct slice data, unsigned how);
/* close(2) of one descriptor: with flush=close, commit the contents. */
int fs_flush(struct fs *fs, uint64_t ino);
/* Commit contents and attributes of ino, then wait until they are durable.
 * For a directory: every namespace change before the call is durable; for
 * the root, all dirty contents too. */
int fs_fsync(struct fs *fs, uint64_t ino);
/* mode: FALLOC_FL_* of fallocate(2). */
int fs_fallocate(struct fs *fs, uint64_t ino, int mode, uint64_t off,
    uint64_t len);
/* whence: SEEK_DATA or SEEK_HOLE; the offset, or -ENXIO. A hole may be
 * reported as data, never the reverse: see fs_writer_begin(). With
 * FS_SEEK_STORED, what the kernel may have and has not written is no data: for
 * those who have had it write all before. */
#define FS_SEEK_STORED 0x100
int64_t fs_lseek(struct fs *fs, uint64_t ino, uint64_t off, int whence);
ssize_t fs_copy_range(struct fs *fs, uint64_t ino_in, uint64_t off_in,
    uint64_t ino_out, uint64_t off_out, size_t len);

#endif
