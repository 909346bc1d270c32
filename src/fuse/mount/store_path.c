/* SPDX-License-Identifier: ISC */
/* See store_path.h. */
#include "fuse/mount/store_path.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvfs/store.h"
#include "util/daemon_note.h"
#include "util/hash.h"
#include "util/log.h"
#include "util/mount_table.h"

#define ESCAPED_KEPT 200

/* See owner_wait_ms(). */
#define ENDING_WAIT_MS 60000
#define OWNER_WAIT_MS 5000
#define OWNER_RETRY_MS 20
#define OWNER_TELL_MS 1000

char *
store_path_escape(const char *path)
{
	size_t cap = 4 * strlen(path) + 2;
	char *name = malloc(cap + 32);
	size_t n = 0;

	if (name == NULL)
		return NULL;
	while (*path == '/')
		path++;
	if (*path == '\0')
		name[n++] = '-';
	for (const char *p = path; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '/')
			name[n++] = '-';
		else if (isalnum(c) || c == ':' || c == '_' ||
		    (c == '.' && p != path))
			name[n++] = (char)c;
		else
			n += (size_t)snprintf(name + n, cap - n + 1, "\\x%02x",
			    c);
	}
	name[n] = '\0';
	if (n > NAME_MAX) {
		uint64_t h = hash_bytes(path, strlen(path), 0);

		snprintf(name + ESCAPED_KEPT, 32, "~%016" PRIx64, h);
	}
	return name;
}

static int
data_home(char *buf, size_t len)
{
	const char *base = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	int n;

	if (geteuid() == 0)
		n = snprintf(buf, len, "/var/lib/kvfs");
	else if (base != NULL && base[0] == '/')
		n = snprintf(buf, len, "%s/kvfs", base);
	else if (home != NULL && home[0] == '/')
		n = snprintf(buf, len, "%s/.local/share/kvfs", home);
	else
		n = -1;
	if (n < 0 || (size_t)n >= len) {
		log_error("store: no place for it: HOME is not set: name a "
			  "STORE directory");
		return -ENOENT;
	}
	return 0;
}

int
store_path_default(const char *mountpoint, char **pathp)
{
	char home[PATH_MAX];
	char *name;
	int rc;

	*pathp = NULL;
	rc = data_home(home, sizeof(home));
	if (rc < 0)
		return rc;
	name = store_path_escape(mountpoint);
	if (name == NULL || asprintf(pathp, "%s/%s", home, name) < 0) {
		*pathp = NULL;
		rc = -ENOMEM;
	}
	free(name);
	return rc;
}

static int
store_path_fail(const char *path, int err, const char *what)
{
	log_error("%s: cannot %s: %s", path, what, strerror(err));
	return -err;
}

/* Make the parents of path, which is modified for that and restored. */
static int
make_parents(char *path)
{
	for (char *p = strchr(path + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		int err = 0;

		*p = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			err = errno;
		if (err != 0)
			store_path_fail(path, err, "make the directory");
		*p = '/';
		if (err != 0)
			return -err;
	}
	return 0;
}

/* True when path is dir or lies below it; both are real paths. */
static bool
is_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/');
}

static int
check_nesting(const char *store, const char *mountpoint)
{
	if (is_within(store, mountpoint)) {
		log_error("%s: the store lies inside of the mountpoint %s: "
			  "choose another place for one of them",
		    store, mountpoint);
		return -EINVAL;
	}
	if (is_within(mountpoint, store)) {
		log_error("%s: the mountpoint lies inside of the store %s: "
			  "choose another place for one of them",
		    mountpoint, store);
		return -EINVAL;
	}
	return 0;
}

/* The real path of a directory that may be missing: its parent's, and its
 * name. */
static int
store_path_resolve(const char *given, char **pathp)
{
	char *copy, *slash, *parent;
	size_t n;
	int rc = 0;

	*pathp = realpath(given, NULL);
	if (*pathp != NULL)
		return 0;
	if (errno != ENOENT)
		return store_path_fail(given, errno, "open the store");
	copy = strdup(given);
	if (copy == NULL)
		return -ENOMEM;
	for (n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	parent = realpath(slash == NULL ? "." :
		slash == copy           ? "/" :
					  copy,
	    NULL);
	if (parent == NULL) {
		rc = -errno;
		log_error("%s: cannot make the store: %s: make its parent "
			  "directory first",
		    given, strerror(errno));
	} else if (asprintf(pathp, "%s/%s", strcmp(parent, "/") ? parent : "",
		       slash != NULL ? slash + 1 : copy) < 0) {
		*pathp = NULL;
		rc = -ENOMEM;
	}
	free(parent);
	free(copy);
	return rc;
}

/* Does the note end in "(kvfs: STORE on PATH)", a daemon's process title?
 * That is all that is known of a daemon whose LOCK file was removed, until it
 * writes the file again. */
static bool
is_titled(const char *note, const char *path)
{
	static const char on[] = " on ";
	size_t len = strlen(note), n = strlen(path), before = sizeof(on) - 1;
	const char *start;

	if (len < before + n + 1 || note[len - 1] != ')')
		return false;
	start = note + len - 1 - n - before;
	return memcmp(start, on, before) == 0 &&
	    memcmp(start + before, path, n) == 0;
}

/* Is the store mounted where its owner's note says, by the mount table? */
static bool
is_mounted(const char *note)
{
	char where[PATH_MAX];
	bool is_told = daemon_note_parse(note, where, sizeof(where));
	bool is_found = false;
	struct mount_table t;

	if (mount_table_read(&t) == 0)
		for (size_t i = 0; i < t.count && !is_found; i++) {
			const char *path = t.entries[i].path;

			is_found = mount_is_fuse(&t.entries[i]) &&
			    (is_told ? strcmp(path, where) == 0 :
				       is_titled(note, path));
		}
	mount_table_fini(&t);
	return is_found;
}

/*
 * How long to wait for the process that has the store open: not at all for a
 * daemon with a mount; long for a daemon that is ending and writes out its
 * data; some seconds for a tool, and for a daemon that is starting or has just
 * lost its mount.
 */
static int
owner_wait_ms(const struct kv_owner *owner)
{
	if (owner->pid > 0 && daemon_is_ending(owner->pid))
		return ENDING_WAIT_MS;
	return is_mounted(owner->note) ? 0 : OWNER_WAIT_MS;
}

/* Write "process 7, mounted at /mnt"; if the process id is not known, the
 * owner's note. */
static void
describe_owner(const struct kv_owner *owner, char *buf, size_t len)
{
	if (owner->pid > 0)
		snprintf(buf, len, "process %d%s%s", owner->pid,
		    owner->note[0] != '\0' ? ", " : "", owner->note);
	else
		strlcpy(buf,
		    owner->note[0] != '\0' ? owner->note : "another process",
		    len);
}

static int
await_unused(const char *path)
{
	static struct kv_owner owner;
	char who[sizeof(owner.note) + 32];
	int waited_ms = 0;

	/* Other errors are left to kv_open(), which reports them. */
	while (kv_owner(path, &owner) > 0) {
		describe_owner(&owner, who, sizeof(who));
		if (waited_ms >= owner_wait_ms(&owner)) {
			log_error("%s: in use by %s: unmount it there first",
			    path, who);
			return -EBUSY;
		}
		if (waited_ms == OWNER_TELL_MS)
			log_info("%s: waits for %s, to let go of the store",
			    path, who);
		usleep(OWNER_RETRY_MS * 1000);
		waited_ms += OWNER_RETRY_MS;
	}
	return 0;
}

/* Does the directory hold a store? LevelDB has files of the same names, and
 * also one named CURRENT. */
static bool
is_store(const char *path)
{
	bool manifest = false, foreign = false;
	struct dirent *de;
	DIR *dir = opendir(path);

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		if (strncmp(de->d_name, "MANIFEST-", 9) == 0)
			manifest = true;
		else if (strcmp(de->d_name, "CURRENT") == 0)
			foreign = true;
	}
	if (dir != NULL)
		closedir(dir);
	return manifest && !foreign;
}

/* Refuse to mount over a store, which would hide it: the operands may have
 * been swapped. */
static int
check_mountpoint(const char *given, const char *mountpoint)
{
	if (!is_store(mountpoint))
		return 0;
	if (given != NULL)
		log_error("%s: is a store, no mountpoint: the store comes "
			  "first: kvfs %s %s",
		    mountpoint, mountpoint, given);
	else
		log_error("%s: is a store, no mountpoint: name the mountpoint "
			  "after it: kvfs %s MOUNTPOINT",
		    mountpoint, mountpoint);
	return -EINVAL;
}

int
store_path_prepare(const char *given, const char *mountpoint, int read_only,
    char **pathp)
{
	char *path = NULL;
	char *place = NULL;
	const char *kind;
	struct stat st;
	int rc;

	*pathp = NULL;
	rc = check_mountpoint(given, mountpoint);
	if (rc < 0)
		goto fail;
	if (given == NULL) {
		rc = store_path_default(mountpoint, &place);
		if (rc == 0 && !read_only)
			rc = make_parents(place);
		if (rc < 0)
			goto fail;
	}
	rc = store_path_resolve(given != NULL ? given : place, &path);
	if (rc == 0)
		rc = check_nesting(path, mountpoint);
	if (rc < 0)
		goto fail;
	if (!read_only && mkdir(path, 0700) < 0 && errno != EEXIST) {
		rc = store_path_fail(path, errno, "make the store");
		goto fail;
	}
	if (stat(path, &st) < 0) {
		rc = store_path_fail(path, errno, "open the store");
		goto fail;
	}
	if (!S_ISDIR(st.st_mode)) {
		kind = kv_foreign(path);
		log_error("%s: the store is not a directory%s%s: name another "
			  "place",
		    path, kind != NULL ? ", but " : "",
		    kind != NULL ? kind : "");
		rc = -ENOTDIR;
		goto fail;
	}
	rc = await_unused(path);
	if (rc < 0)
		goto fail;
	*pathp = path;
	path = NULL;
fail:
	free(path);
	free(place);
	return rc;
}
