/* SPDX-License-Identifier: ISC */
/*
 * The embedded store: a kv (kvfs/kv.h) in a directory. Its options, opening
 * it, who has it open, and saving what can be read of a damaged one.
 *
 * Threads: these functions may be called from any thread. Errors are those
 * of kv.h, and logged where it says so.
 */
#ifndef KVFS_STORE_H
#define KVFS_STORE_H

#include "kvfs/kv.h"

struct kv_options {
	enum kv_sync_mode sync;
	uint32_t sync_commits;
	uint32_t sync_ms;
	uint64_t wal_buffer_bytes; /* 0: each commit reaches the kernel */
	uint64_t memtable_bytes; /* of the one that is written to */
	/* Blocks, indexes and filters, memtables that wait for their flush,
	 * and what flushes and compactions work with; a quarter stays for
	 * blocks in any case. */
	uint64_t cache_bytes;
	uint64_t max_bytes; /* of all files of the store; 0: no bound */
	unsigned compaction_threads;
	bool compress; /* snappy where it pays; reads never depend on it */
	bool read_only; /* write nothing, not even a recovery */
	bool create; /* make the store when there is none */
	bool warm_up; /* after opening, open the tables and fill the cache with
	                 what was hot at the last close; keep that list at
	                 close */
	const char *owner; /* written to LOCK: "mounted at /mnt/kv" */
	uint32_t wait_ms; /* for a process that writes it to let go of the
	                     store; for short readers it waits anyway */
};

/* The defaults of every field (sync=interval:1000, snappy, create). */
void kv_options_init(struct kv_options *opts);

/* Parse "full", "every:N", "interval:MS", "hybrid:N:MS", "checkpoint" or
 * "off" into opts; -EINVAL when it is none of them. */
int kv_options_parse_sync(struct kv_options *opts, const char *text);
/* Print the mode in that spelling; buf holds at least 48 bytes. */
void kv_options_format_sync(const struct kv_options *opts, char *buf,
    size_t len);

/*
 * Open the embedded store in directory dir and recover it to a prefix of
 * its history. On failure one line saying what, where and what to do has
 * been logged. -EBUSY: in use; -ENOENT: none there and !create; -EPROTO:
 * written by a newer version; -KVFS_ECORRUPT or -KVFS_ECHECKSUM: damaged.
 */
int kv_open(const char *dir, const struct kv_options *opts, struct kv **kvp);

struct kv_owner {
	int pid; /* 0: it cannot be told */
	char note[4200]; /* kv_options.owner of the process that has it */
};
/* Who has the store open: 1 and *ownerp filled, 0 when nobody (the note is
 * that of the last who wrote to it, the pid 0), or errno.
 * -ENOENT: dir holds no store. */
int kv_owner(const char *dir, struct kv_owner *ownerp);
/* What a file or directory is that belongs to another database, such as "an
 * LMDB environment"; NULL when it is none that is known. */
const char *kv_foreign(const char *path);

/*
 * Salvage what is readable of the store in dir, whatever is damaged or
 * missing there, into a new store in dest, which must not exist, or be
 * empty; dir is not changed. Each loss is a line "lost: FILE: what" on
 * report; but when lost is not NULL it is called for the value of
 * a key (last is NULL), and for what there was of keys from key to last, of
 * which the one before all others is zero. It borrows all. There is a bound
 * on the lines, not on the calls. Returns the number of losses, or errno
 * (logged; dest is then left empty): -EBUSY: in use; -ENOENT: none there;
 * -ENOTEMPTY: dest; -EPROTO: written by a newer version.
 */
typedef void (*kv_lost_fn)(void *arg, const struct kv_key *key,
    const struct kv_key *last, const char *why);
int kv_repair(const char *dir, const char *dest, kv_lost_fn lost, void *arg,
    FILE *report);

#endif
