/* SPDX-License-Identifier: ISC */
/*
 * The embedded store: a kv (kvfs/kv.h) in a directory. Its options, opening it,
 * finding the process that has it open, and repairing a damaged one.
 *
 * Threads: these functions may be called from any thread. Errors are those of
 * kvfs/kv_error.h, and are logged where it says so.
 */
#ifndef KVFS_STORE_H
#define KVFS_STORE_H

#include "kvfs/kv.h"

struct kv_options {
	enum kv_sync_mode sync;
	uint32_t sync_commits;
	uint32_t sync_ms;
	uint64_t wal_buffer_bytes; /* 0: each commit reaches the kernel */
	uint64_t memtable_bytes; /* size of the current memtable */
	/* For blocks, indexes, filters, immutable memtables, and buffers of
	 * flushes and compactions. A quarter always stays for blocks. */
	uint64_t cache_bytes;
	uint64_t max_bytes; /* of all files of the store; 0: no bound */
	unsigned compaction_threads;
	bool compress; /* snappy where it saves space; only for writes */
	bool read_only; /* write nothing, not even a recovery */
	bool create; /* make the store when there is none */
	bool warm_up; /* after opening, open the tables and read the blocks
	                 that were hot at the last close; write the list of
	                 these at close */
	const char *owner; /* written to LOCK: "mounted at /mnt/kv" */
	uint32_t wait_ms; /* how long to wait for a process that has the store
	                     open for writing; it always waits for readers,
	                     which are short */
};

/* The defaults of every field (sync=interval:1000, snappy, create). */
void kv_options_init(struct kv_options *opts);

/* Parse "full", "every:N", "interval:MS", "hybrid:N:MS", "checkpoint" or
 * "off" into opts; -EINVAL when it is none of them. */
int kv_options_parse_sync(struct kv_options *opts, const char *text);
/* Print the mode in that form; buf has at least 48 bytes. */
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
	int pid; /* 0: not known */
	char note[4200]; /* kv_options.owner of that process */
};
/* Which process has the store open? 1: *ownerp tells; 0: none (the note is that
 * of the last one, the pid 0); or a negative errno. -ENOENT: dir holds no
 * store. */
int kv_owner(const char *dir, struct kv_owner *ownerp);
/* If path belongs to another database, what it is, such as "an LMDB
 * environment"; NULL if it is none that is known. */
const char *kv_foreign(const char *path);

/*
 * Copy what is readable of a damaged store in dir to a new store in dest, which
 * must not exist or be empty; dir is not changed. Each loss is a line "lost:
 * FILE: what" on report. If lost is not NULL, it is called instead for losses
 * of keys: for the value of one key (last is NULL), and for a range of keys,
 * from key to last; a zeroed key is the lowest. It borrows its arguments. The
 * number of lines is bounded, that of calls is not. Returns the number of
 * losses, or a negative errno (logged; dest is then empty): -EBUSY: in use;
 * -ENOENT: no store; -ENOTEMPTY: dest; -EPROTO: of a newer version.
 */
typedef void (*kv_lost_fn)(void *arg, const struct kv_key *key,
    const struct kv_key *last, const char *why);
int kv_repair(const char *dir, const char *dest, kv_lost_fn lost, void *arg,
    FILE *report);

#endif
