/* SPDX-License-Identifier: ISC */
/* See foreign_file.h. The numbers are from the headers of these databases,
 * which are in the byte order of the machine. */
#include "engine/store/foreign_file.h"

#include <byteswap.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQLITE "SQLite format 3" /* and a NUL */

static const struct {
	size_t off;
	uint32_t magic;
	const char *kind;
} magics[] = {
	{ 16, 0xbeefc0de, "an LMDB environment" },
	{ 12, 0x00053162, "a Berkeley DB database" }, /* B-tree */
	{ 12, 0x00061561, "a Berkeley DB database" }, /* hash */
	{ 12, 0x00042253, "a Berkeley DB database" }, /* queue */
	{ 0, 0x13579ace, "a GDBM database" },
	{ 0, 0x13579acd, "a GDBM database" },
	{ 0, 0x13579acf, "a GDBM database" },
};

const char *
foreign_file_kind(const void *head, size_t len)
{
	const char *p = head;
	uint32_t word;

	if (len >= sizeof(SQLITE) && memcmp(p, SQLITE, sizeof(SQLITE)) == 0)
		return "a SQLite database";
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (len < magics[i].off + sizeof(word))
			continue;
		memcpy(&word, p + magics[i].off, sizeof(word));
		if (word == magics[i].magic ||
		    bswap_32(word) == magics[i].magic)
			return magics[i].kind;
	}
	return NULL;
}

const char *
foreign_file_look(const char *path)
{
	/* Opening a FIFO must not block. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *kind = NULL;
	char head[FOREIGN_HEAD];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		n = pread(fd, head, sizeof(head), 0);
		kind = foreign_file_kind(head, n > 0 ? (size_t)n : 0);
	}
	close(fd);
	return kind;
}
