/* SPDX-License-Identifier: ISC */
/*
 * LevelDB and RocksDB name their files as kvfs does: MANIFEST-000005,
 * 000012.log, 000013.sst, LOCK. They are detected by the file CURRENT, which
 * holds the name of the current manifest, unless that manifest begins like
 * ours. LMDB and Berkeley DB use other names.
 */
#include "engine/store/foreign.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/store/foreign_file.h"
#include "kvfs/store.h"
#include "util/log.h"

#define NAME_PREFIX "MANIFEST-"
#define OUR_MAGIC "kvfsMAN1"

/* Read up to len bytes from the start of a file, and add a NUL. Returns how
 * many. */
static size_t
read_start(struct env_dir *dir, const char *name, char *dst, size_t len)
{
	struct env_file *file;
	ssize_t n = -1;

	if (env_open(dir, name, ENV_READ, &file) == 0)
		n = env_read(file, dst, len, 0);
	env_close(file);
	n = n > 0 ? n : 0;
	dst[n] = '\0';
	return (size_t)n;
}

static int
note_rocksdb(void *arg, const char *name)
{
	if (strcmp(name, "IDENTITY") == 0 || strncmp(name, "OPTIONS-", 8) == 0)
		*(bool *)arg = true;
	return 0;
}

/* Names that a store of kvfs does not have; and whether there is a manifest. */
struct names {
	bool manifest, berkeley;
};

static int
note_name(void *arg, const char *name)
{
	struct names *names = arg;
	size_t digits = strspn(name + (strncmp(name, "log.", 4) == 0 ? 4 : 0),
	    "0123456789");

	if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) == 0)
		names->manifest = true;
	/* Regions of Berkeley DB, and its logs: log.0000000001. */
	else if (strncmp(name, "__db.", 5) == 0 ||
	    (strncmp(name, "log.", 4) == 0 && digits == 10 &&
		name[4 + 10] == '\0'))
		names->berkeley = true;
	return 0;
}

/* Detect databases that consist of a whole directory. */
static const char *
environment_kind(struct env_dir *dir)
{
	struct names names = { false, false };
	char head[FOREIGN_HEAD + 1];
	size_t len;

	(void)env_dir_list(dir, note_name, &names);
	/* A store of kvfs, in which somebody has put another file. */
	if (names.manifest)
		return NULL;
	if (names.berkeley)
		return "a Berkeley DB environment";
	len = read_start(dir, "data.mdb", head, FOREIGN_HEAD);
	return foreign_file_kind(head, len);
}

static const char *
dir_kind(struct env_dir *dir)
{
	char manifest[64], magic[sizeof(OUR_MAGIC)];
	bool is_rocksdb = false;

	read_start(dir, "CURRENT", manifest, sizeof(manifest) - 1);
	manifest[strcspn(manifest, "\n/")] = '\0';
	if (strncmp(manifest, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
		return environment_kind(dir);
	read_start(dir, manifest, magic, sizeof(magic) - 1);
	if (strcmp(magic, OUR_MAGIC) == 0)
		return NULL;
	(void)env_dir_list(dir, note_rocksdb, &is_rocksdb);
	return is_rocksdb ? "a RocksDB database" : "a LevelDB database";
}

int
foreign_refuse(struct env_dir *dir)
{
	const char *kind = dir_kind(dir);

	if (kind == NULL)
		return 0;
	log_error("%s: %s, not a kvfs store; left as it is: name another "
		  "directory",
	    dir->path, kind);
	return -ENOTEMPTY;
}

const char *
kv_foreign(const char *path)
{
	const char *kind = NULL;
	struct env_dir *dir;
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	if (!S_ISDIR(st.st_mode))
		return foreign_file_look(path);
	if (env_dir_open(env_posix(), path, &dir) == 0) {
		kind = dir_kind(dir);
		env_dir_close(dir);
	}
	return kind;
}
