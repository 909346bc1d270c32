/* SPDX-License-Identifier: ISC */
/*
 * All file operations of the engine go through tables of functions, so that
 * tests can replace them: the real file system (env_posix.c), one in memory
 * that loses what was not synced (tests/support/env_mem.c), and one that fails
 * on request (tests/support/env_fault.c). After LevelDB's Env and SQLite's VFS.
 *
 * A path is used only to open or make a directory. Files are opened by their
 * names relative to the open directory. So they are found after the directory
 * was moved, and even if something is mounted over it.
 *
 * Errors are negative errno values. An env does not log; its callers do.
 * Threading: directories and files may be used by several threads at once;
 * callers must not write the same bytes at the same time.
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

/* An implementation embeds it as its first member. */
struct env {
	const struct env_ops *ops;
};

/* The real file system. It is never freed. */
struct env *env_posix(void);

/* The caller closes the directory with env_dir_close(). */
static inline int
env_dir_open(struct env *env, const char *path, struct env_dir **dirp)
{
	*dirp = NULL;
	return env->ops->dir_open(env, path, dirp);
}
/* Make a directory with mode 0700 in an existing one, durably, and open it.
 * -EEXIST. */
static inline int
env_dir_make(struct env *env, const char *path, struct env_dir **dirp)
{
	*dirp = NULL;
	return env->ops->dir_make(env, path, dirp);
}

#endif
