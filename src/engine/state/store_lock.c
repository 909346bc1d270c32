/* SPDX-License-Identifier: ISC */
/* The lock of a store; see store_lock.h. */
#include "engine/state/store_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "util/clock.h"
#include "util/log.h"

#define NAME "LOCK"
/* How long a writer waits for readers. A command that reads either ends within
 * this time, or takes so long that waiting makes no sense. */
#define READERS_WAIT_MS 5000
#define RETRY_US 5000
#define TRIES_MAX 100 /* attempts to lock a file that others keep removing */

/* ---- The file LOCK ---- */

/* Open the file; a writer creates it if it is missing. */
static int
open_file(struct env_dir *dir, enum env_lock_mode mode, struct env_file **filep)
{
	int rc;

	if (mode == ENV_LOCK_SHARED)
		return env_open(dir, NAME, ENV_READ, filep);
	do {
		rc = env_open(dir, NAME, ENV_WRITE, filep);
		if (rc == -ENOENT)
			rc = env_open(dir, NAME, ENV_WRITE | ENV_CREATE, filep);
	} while (rc == -EEXIST);
	return rc;
}

/* Overwrite first, then cut: that needs no new block on a full disk. */
static int
write_text(struct env_file *file, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	int rc = env_write(file, &iov, 1, 0);

	if (rc == -ENOSPC || rc == -EDQUOT)
		return env_truncate(file, 0);
	return rc == 0 ? env_truncate(file, iov.iov_len) : rc;
}

/* Lock the file that has this name now. */
static int
lock_file(struct store_lock *l)
{
	struct env_file *file = NULL;
	int rc = 0;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		rc = open_file(l->dir, l->mode, &file);
		if (rc == 0)
			rc = env_lock(file, l->mode);
		if (rc == 0)
			rc = env_names(l->dir, NAME, file);
		if (rc != 0)
			break;
		/* It was removed between opening and locking. */
		env_close(file);
		rc = -EBUSY;
	}
	if (rc == 1 && l->mode == ENV_LOCK_EXCLUSIVE)
		rc = write_text(file, l->text);
	if (rc < 0) {
		env_close(file);
		return rc;
	}
	env_close(l->file);
	l->file = file;
	return 0;
}

/* ---- Taking the lock ---- */

static int
lock_dir(struct store_lock *l)
{
	int rc = env_dir_lock(l->dir, l->mode);

	/* If the file system cannot lock directories, LOCK is the only lock. */
	if (rc < 0 && rc != -ENOLCK && rc != -EOPNOTSUPP && rc != -ENOSYS)
		return rc;
	rc = lock_file(l);
	/* A reader neither needs nor makes the file. A writer on a full disk
	 * does without it. */
	if (rc == -ENOENT && l->mode == ENV_LOCK_SHARED)
		rc = 0;
	if (rc == -ENOSPC || rc == -EDQUOT)
		rc = 0;
	if (rc < 0)
		(void)env_dir_lock(l->dir, ENV_LOCK_NONE);
	return rc;
}

/* Whether a writer, of any version, has the lock. */
static bool
has_writer(struct env_dir *dir)
{
	struct env_dir *other = NULL;
	struct env_file *file = NULL;
	int rc = env_dir_reopen(dir, &other);

	if (rc == 0)
		rc = env_dir_lock(other, ENV_LOCK_SHARED);
	env_dir_close(other);
	if (rc == -EBUSY)
		return true;
	if (env_open(dir, NAME, ENV_READ, &file) < 0)
		return false;
	rc = env_lock(file, ENV_LOCK_SHARED);
	env_close(file);
	return rc == -EBUSY;
}

static void
log_busy(struct env_dir *dir)
{
	struct kv_owner owner;
	char who[400];

	env_dir_lockers(dir, who, sizeof(who));
	if (store_lock_owner(dir, &owner) == 1 && owner.pid != 0)
		log_error("%s: in use by process %d (%s); unmount it first",
		    dir->path, owner.pid,
		    owner.note[0] != '\0' ? owner.note : "no note");
	else if (who[0] != '\0')
		log_error("%s: in use by %s; wait for its end, or end it",
		    dir->path, who);
	else
		log_error("%s: in use by another process", dir->path);
}

int
store_lock_take(struct store_lock *l, struct env_dir *dir,
    enum env_lock_mode mode, const char *owner, uint32_t wait_ms)
{
	uint64_t start = clock_now_ns(), limit_ms;
	int rc;

	*l = (struct store_lock){ .dir = dir, .mode = mode };
	if (asprintf(&l->text, "%d\n%s\n", (int)getpid(),
		owner != NULL ? owner : "") < 0) {
		*l = (struct store_lock){ 0 };
		return -ENOMEM;
	}
	while ((rc = lock_dir(l)) == -EBUSY) {
		limit_ms = wait_ms;
		if (limit_ms < READERS_WAIT_MS && !has_writer(dir))
			limit_ms = READERS_WAIT_MS;
		if (clock_now_ns() - start >= limit_ms * NS_PER_MS)
			break;
		usleep(RETRY_US);
	}
	if (rc == 0)
		return 0;
	if (rc == -EBUSY)
		log_busy(dir);
	else
		log_error("%s/" NAME ": %s", dir->path, strerror(-rc));
	free(l->text);
	*l = (struct store_lock){ 0 };
	return rc;
}

void
store_lock_drop(struct store_lock *l)
{
	if (l->dir == NULL)
		return;
	env_close(l->file);
	(void)env_dir_lock(l->dir, ENV_LOCK_NONE);
	free(l->text);
	*l = (struct store_lock){ 0 };
}

int
store_lock_check(struct store_lock *l)
{
	int rc;

	if (l->mode != ENV_LOCK_EXCLUSIVE)
		return 0;
	if (l->file != NULL) {
		rc = env_names(l->dir, NAME, l->file);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	rc = lock_file(l);
	return rc < 0 ? rc : 1;
}

/* ---- Asking who has it ---- */

static bool
has_store(struct env_dir *dir)
{
	struct store_files files = { 0 };
	bool has = store_files_list(dir, &files) == 0 &&
	    (store_files_have(&files, FILE_MANIFEST) ||
		store_files_have(&files, FILE_TABLE) ||
		store_files_have(&files, FILE_WAL));

	store_files_fini(&files);
	return has;
}

int
store_lock_owner(struct env_dir *dir, struct kv_owner *ownerp)
{
	char text[sizeof(ownerp->note) + 32] = "";
	struct env_file *file;
	char *note;
	ssize_t n = 0;
	int rc = env_open(dir, NAME, ENV_READ, &file);

	*ownerp = (struct kv_owner){ 0 };
	if (rc == 0) {
		n = env_read(file, text, sizeof(text) - 1, 0);
		env_close(file);
	} else if (rc != -ENOENT) {
		return rc;
	}
	if (n < 0)
		return (int)n;
	note = strchr(text, '\n');
	if (note != NULL)
		strlcpy(ownerp->note, note + 1, sizeof(ownerp->note));
	ownerp->note[strcspn(ownerp->note, "\n")] = '\0';
	if (!has_writer(dir))
		return rc == 0 || has_store(dir) ? 0 : -ENOENT;
	ownerp->pid = atoi(text);
	/* LOCK was removed, and its owner has not yet written it again. */
	if (ownerp->pid == 0)
		env_dir_lockers(dir, ownerp->note, sizeof(ownerp->note));
	return 1;
}
