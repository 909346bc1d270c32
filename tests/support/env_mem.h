/* SPDX-License-Identifier: ISC */
/*
 * An env in memory that forgets what was not synced. It knows two states of
 * everything: as programs see it, and as the disk surely has it, and the
 * list of changes between them. A power cut keeps the sure state and any
 * selection of the changes that real hardware could have kept:
 *
 *   contents   each write may survive, vanish, or tear at 512-byte sectors,
 *              in any order; a sector that survived with a later write has
 *              the earlier ones too. The size of a file is some size that
 *              it had since its last sync.
 *   names      a creation, rename, unlink or link is sure after
 *              env_sync_dir() of its directory; a file's own env_sync() does
 *              not make its name sure.
 *
 * Any thread may use it. Names are absolute or relative, both from one root
 * directory that is always there. Rename across directories is refused
 * (-EXDEV).
 */
#ifndef KVFS_SUPPORT_ENV_MEM_H
#define KVFS_SUPPORT_ENV_MEM_H

#include "engine/env/env.h"
#include "support/env_call.h"

enum env_mem_crash_mode {
	ENV_MEM_KILL, /* the process died: all is there that was written,
	                 but what was unsynced still is */
	ENV_MEM_DROP, /* power cut: all that was unsynced is lost */
	ENV_MEM_ORDERED, /* power cut: random contents; of a directory's
	                    changes a prefix survives */
	ENV_MEM_HOSTILE, /* power cut: random contents; changes of a
	                    directory survive in any selection in which those
	                    that touch one name stay in order */
};

struct env *env_mem_create(uint64_t seed);
/* Every file of it must have been closed. NULL is accepted. */
void env_mem_destroy(struct env *env);

/* The crash, in place: afterwards every open file only returns -EIO (and
 * wants to be closed), locks are gone. */
void env_mem_crash(struct env *env, enum env_mem_crash_mode mode);
/* The state after a crash at this moment as an env of its own, while env
 * goes on. Returns owned: env_mem_destroy(). */
struct env *env_mem_crash_copy(struct env *env, enum env_mem_crash_mode mode,
    uint64_t seed);

/* Size of the disk (default 1 TiB); a file takes its size in 4 KiB blocks.
 * A write that does not fit ends in -ENOSPC after what does. */
void env_mem_set_total(struct env *env, uint64_t total_bytes);
/* Leave so much free. */
void env_mem_set_free(struct env *env, uint64_t free_bytes);

/* Calls of a kind so far, and bytes given to env_write(). */
uint64_t env_mem_calls(struct env *env, enum env_call call);
uint64_t env_mem_bytes_written(struct env *env);

/* fn is called before every call that changes something, without a lock:
 * it may take crash copies. Set it while nobody else uses env. */
void env_mem_set_hook(struct env *env,
    void (*fn)(void *arg, enum env_call call), void *arg);

#endif
