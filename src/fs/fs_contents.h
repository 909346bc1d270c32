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
/* mode: FALLOC_FL_* of fallocate(2). */
int fs_fallocate(struct fs *fs, uint64_t ino, int mode, uint64_t off,
    uint64_t len);
/* whence: SEEK_DATA or SEEK_HOLE; the offset, or -ENXIO. A hole may be told
 * as data, never the reverse: see fs_writer_begin(). */
int64_t fs_lseek(struct fs *fs, uint64_t ino, uint64_t off, int whence);
ssize_t fs_copy_range(struct fs *fs, uint64_t ino_in, uint64_t off_in,
    uint64_t ino_out, uint64_t off_out, size_t len);

#endif
