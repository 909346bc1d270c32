/* SPDX-License-Identifier: ISC */
/*
 * Names of a store's files. Every file has exactly one spelling, with at least
 * six digits: filename_parse() accepts only what filename_make() writes.
 */
#include "engine/env/filename.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void
filename_make(char dst[FILENAME_BYTES], enum file_kind kind, uint64_t number)
{
	static const char *const format[] = {
		[FILE_MANIFEST] = "MANIFEST-%06" PRIu64,
		[FILE_WAL] = "%06" PRIu64 ".log",
		[FILE_TABLE] = "%06" PRIu64 ".sst",
		[FILE_SEGMENT] = "%06" PRIu64 ".seg",
		[FILE_TEMP] = "%06" PRIu64 ".tmp",
	};

	if (kind == FILE_LOCK || kind == FILE_HOT)
		snprintf(dst, FILENAME_BYTES, "%s",
		    kind == FILE_LOCK ? "LOCK" : "HOT");
	else
		snprintf(dst, FILENAME_BYTES, format[kind], number);
}

void
filename_path(char dst[PATH_MAX], const char *dir, enum file_kind kind,
    uint64_t number)
{
	char name[FILENAME_BYTES];

	filename_make(name, kind, number);
	strlcpy(dst, dir, PATH_MAX);
	strlcat(dst, "/", PATH_MAX);
	strlcat(dst, name, PATH_MAX);
}

/* Parse decimal digits at the start of s. False if there are none, or the
 * number exceeds 64 bits. */
static bool
parse_digits(const char *s, uint64_t *vp, const char **endp)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*vp = v;
	*endp = p;
	return p != s;
}

static bool
kind_of_suffix(const char *suffix, enum file_kind *kindp)
{
	static const struct {
		const char *suffix;
		enum file_kind kind;
	} known[] = {
		{ ".log", FILE_WAL },
		{ ".sst", FILE_TABLE },
		{ ".seg", FILE_SEGMENT },
		{ ".tmp", FILE_TEMP },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(suffix, known[i].suffix) == 0) {
			*kindp = known[i].kind;
			return true;
		}
	}
	return false;
}

int
filename_parse(const char *name, enum file_kind *kindp, uint64_t *numberp)
{
	static const char manifest[] = "MANIFEST-";
	char again[FILENAME_BYTES];
	enum file_kind kind;
	uint64_t number = 0;
	const char *end;

	*kindp = FILE_LOCK;
	*numberp = 0;
	if (strcmp(name, "LOCK") == 0)
		return 0;
	if (strcmp(name, "HOT") == 0) {
		*kindp = FILE_HOT;
		return 0;
	}
	if (strncmp(name, manifest, sizeof(manifest) - 1) == 0) {
		kind = FILE_MANIFEST;
		if (!parse_digits(name + sizeof(manifest) - 1, &number, &end) ||
		    *end != '\0')
			return -EINVAL;
	} else if (!parse_digits(name, &number, &end) ||
	    !kind_of_suffix(end, &kind)) {
		return -EINVAL;
	}
	/* Only one spelling is valid: not 1.log or 0000001.log. */
	filename_make(again, kind, number);
	if (strcmp(name, again) != 0)
		return -EINVAL;
	*kindp = kind;
	*numberp = number;
	return 0;
}
