/* SPDX-License-Identifier: ISC */
/*
 * LevelDB and RocksDB name their files as we do: MANIFEST-000005, 000012.log,
 * 000013.sst, LOCK. They are told by the file CURRENT, which holds the name
 * of the manifest in use, unless that manifest begins as one of ours.
 */
#include "engine/foreign.h"

#include <errno.h>
#include <string.h>

#include "util/log.h"

#define NAME_PREFIX "MANIFEST-"
#define OUR_MAGIC "kvfsMAN1"

/* Up to len bytes from the start of a file, and a NUL. */
static void
read_start(struct env_dir *dir, const char *name, char *dst, size_t len)
{
	struct env_file *file;
	ssize_t n = -1;

	if (env_open(dir, name, ENV_READ, &file) == 0)
		n = env_read(file, dst, len, 0);
	env_close(file);
	dst[n > 0 ? n : 0] = '\0';
}

static int
note_rocksdb(void *arg, const char *name)
{
	if (strcmp(name, "IDENTITY") == 0 || strncmp(name, "OPTIONS-", 8) == 0)
		*(bool *)arg = true;
	return 0;
}

int
foreign_refuse(struct env_dir *dir)
{
	char manifest[64], magic[sizeof(OUR_MAGIC)];
	bool is_rocksdb = false;

	read_start(dir, "CURRENT", manifest, sizeof(manifest) - 1);
	manifest[strcspn(manifest, "\n/")] = '\0';
	if (strncmp(manifest, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
		return 0;
	read_start(dir, manifest, magic, sizeof(magic) - 1);
	if (strcmp(magic, OUR_MAGIC) == 0)
		return 0;
	(void)env_dir_list(dir, note_rocksdb, &is_rocksdb);
	log_error("%s: a %s database, not a kvfs store; left as it is: name "
		  "another directory",
	    dir->path, is_rocksdb ? "RocksDB" : "LevelDB");
	return -ENOTEMPTY;
}
