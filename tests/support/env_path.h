/* SPDX-License-Identifier: ISC */
/*
 * Calls on files and directories of an env by whole paths, for tests.
 */
#ifndef KVFS_SUPPORT_ENV_PATH_H
#define KVFS_SUPPORT_ENV_PATH_H

#include "engine/env/env.h"

/* Open a directory, which must exist. The caller closes it. */
struct env_dir *env_path_dir(struct env *env, const char *path);
int env_path_open(struct env *env, const char *path, unsigned flags,
    struct env_file **filep);
int env_path_unlink(struct env *env, const char *path);
/* Sync the directory path. */
int env_path_sync(struct env *env, const char *path);
void env_path_space(struct env *env, const char *path, struct env_space *sp);
/* Make one directory, durably. */
int env_path_mkdir(struct env *env, const char *path);
int env_path_list(struct env *env, const char *path,
    int (*fn)(void *arg, const char *name), void *arg);

#endif
