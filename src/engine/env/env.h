/* SPDX-License-Identifier: ISC */
/*
 * Every file operation of the engine, as tables of functions, so that
 * tests can stand behind it: the real one (env_posix.c), one in memory
 * that forgets what was not synced (tests/support/env_mem.c), one that
 * fails on demand (tests/support/env_fault.c). After LevelDB's Env and
 * SQLite's VFS.
 *
 * A path is only ever used to open or make a directory. Files are reached
 * from the open directory by their names in it, so that they are found
 * wherever it is moved to, and whatever takes its place or lies over it.
 *
 * Errors are negative errno. Callers log; an env never does. Directories
 * and files may be used by several threads at once; concurrent writes to
 * the same bytes are the caller's error.
 */
#ifndef KVFS_ENGINE_ENV_ENV_H
#define KVFS_ENGINE_ENV_ENV_H

#include "engine/env/env_dir.h"
#include "engine/env/env_file.h"

struct env;

struct env_ops {
	int (*dir_open)(struct env *env, const char *path,
	    struct env_dir **dirp);
	int (*dir_make)(struct env *env, const char *path,
	    struct env_dir **dirp);
};

/* Implementations embed it as their first member. */
struct env {
	const struct env_ops *ops;
};

/* The real file system; never freed. */
struct env *env_posix(void);

/* The caller closes it with env_dir_close(). */
static inline int
env_dir_open(struct env *env, const char *path, struct env_dir **dirp)
{
	*dirp = NULL;
	return env->ops->dir_open(env, path, dirp);
}
/* Make a directory of mode 0700 in one that is there, durably, and open it;
 * -EEXIST. */
static inline int
env_dir_make(struct env *env, const char *path, struct env_dir **dirp)
{
	*dirp = NULL;
	return env->ops->dir_make(env, path, dirp);
}

#endif
