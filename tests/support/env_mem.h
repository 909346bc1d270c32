/* SPDX-License-Identifier: ISC */
/*
 * An env in memory that loses what was not synced. It has two states of
 * everything, the present one and the durable one, and the list of changes
 * between them. A power cut keeps the durable state, and a selection of the
 * changes that real hardware could have kept:
 *
 *   contents   each write may survive, be lost, or be torn at 512-byte
 *              sectors, in any order; a sector that has a later write has
 *              the earlier ones too. The size of a file is one that it had
 *              since its last sync.
 *   names      a creation, rename, unlink or link is durable after
 *              env_sync_dir() of its directory; env_sync() of the file does
 *              not make its name durable.
 *
 * Any thread. Paths, absolute or relative, begin at one root directory, which
 * always exists. A rename across directories fails (-EXDEV).
 */
#ifndef KVFS_SUPPORT_ENV_MEM_H
#define KVFS_SUPPORT_ENV_MEM_H

#include "engine/env/env.h"
#include "support/env_call.h"

enum env_mem_crash_mode {
	ENV_MEM_KILL, /* the process was killed: nothing is lost, and
	                 unsynced changes stay unsynced */
	ENV_MEM_DROP, /* power cut: all unsynced changes are lost */
	ENV_MEM_ORDERED, /* power cut: random contents; of a directory's
	                    changes a prefix survives */
	ENV_MEM_HOSTILE, /* power cut: random contents; changes of a
	                    directory survive in any selection in which those
	                    that touch one name stay in order */
};

struct env *env_mem_create(uint64_t seed);
/* All its files must be closed. NULL is accepted. */
void env_mem_destroy(struct env *env);

/* Crash env itself: after that every call on an open file returns -EIO (it
 * must still be closed), and locks are released. */
void env_mem_crash(struct env *env, enum env_mem_crash_mode mode);
/* The state after a crash now, as another env; env itself goes on. Returns
 * owned: env_mem_destroy(). */
struct env *env_mem_crash_copy(struct env *env, enum env_mem_crash_mode mode,
    uint64_t seed);

/* Set the size of the disk (default 1 TiB). A file takes whole blocks of 4 KiB.
 * A write that does not fit writes what fits, and fails with -ENOSPC. */
void env_mem_set_total(struct env *env, uint64_t total_bytes);
/* Set the size of the disk so that this much is free. */
void env_mem_set_free(struct env *env, uint64_t free_bytes);

/* Calls of a kind so far, and bytes given to env_write(). */
uint64_t env_mem_calls(struct env *env, enum env_call call);
uint64_t env_mem_bytes_written(struct env *env);

/* fn is called before every call that changes something, without a lock, so it
 * may make crash copies. Set it while no other thread uses env. */
void env_mem_set_hook(struct env *env,
    void (*fn)(void *arg, enum env_call call), void *arg);

#endif
