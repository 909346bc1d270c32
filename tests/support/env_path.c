/* SPDX-License-Identifier: ISC */
/* See env_path.h. */
#include "support/env_path.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Open the directory that holds path; name gets its last component. */
static int
open_above(struct env *env, const char *path, char name[PATH_MAX],
    struct env_dir **dirp)
{
	char above[PATH_MAX], last[PATH_MAX];

	if (strlcpy(above, path, PATH_MAX) >= PATH_MAX)
		return -ENAMETOOLONG;
	strlcpy(last, path, PATH_MAX);
	strlcpy(name, basename(last), PATH_MAX);
	return env_dir_open(env, dirname(above), dirp);
}

struct env_dir *
env_path_dir(struct env *env, const char *path)
{
	struct env_dir *dir;

	if (env_dir_open(env, path, &dir) < 0)
		abort();
	return dir;
}

int
env_path_open(struct env *env, const char *path, unsigned flags,
    struct env_file **filep)
{
	struct env_dir *dir;
	char name[PATH_MAX];
	int rc = open_above(env, path, name, &dir);

	*filep = NULL;
	if (rc == 0)
		rc = env_open(dir, name, flags, filep);
	env_dir_close(dir);
	return rc;
}

int
env_path_unlink(struct env *env, const char *path)
{
	struct env_dir *dir;
	char name[PATH_MAX];
	int rc = open_above(env, path, name, &dir);

	if (rc == 0)
		rc = env_unlink(dir, name);
	env_dir_close(dir);
	return rc;
}

int
env_path_sync(struct env *env, const char *path)
{
	struct env_dir *dir;
	int rc = env_dir_open(env, path, &dir);

	if (rc == 0)
		rc = env_dir_sync(dir);
	env_dir_close(dir);
	return rc;
}

void
env_path_space(struct env *env, const char *path, struct env_space *sp)
{
	struct env_dir *dir = env_path_dir(env, path);

	if (env_dir_space(dir, sp) < 0)
		abort();
	env_dir_close(dir);
}

int
env_path_mkdir(struct env *env, const char *path)
{
	struct env_dir *dir;
	int rc = env_dir_make(env, path, &dir);

	env_dir_close(dir);
	return rc;
}

int
env_path_list(struct env *env, const char *path,
    int (*fn)(void *arg, const char *name), void *arg)
{
	struct env_dir *dir;
	int rc = env_dir_open(env, path, &dir);

	if (rc == 0)
		rc = env_dir_list(dir, fn, arg);
	env_dir_close(dir);
	return rc;
}
