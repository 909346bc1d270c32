/* SPDX-License-Identifier: ISC */
/* See option_size.h. */
#include "fuse/options/option_size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char suffixes[] = "KMG";

void
option_format_size(uint64_t n, char *buf, size_t len)
{
	int unit = -1;

	while (unit < 2 && n != 0 && n % 1024 == 0) {
		n /= 1024;
		unit++;
	}
	snprintf(buf, len, "%" PRIu64 "%.1s", n,
	    unit >= 0 ? &suffixes[unit] : "");
}

bool
option_parse_size(const char *text, bool takes_suffix, uint64_t *np)
{
	const char *p = text, *suffix = NULL;
	uint64_t n = 0;
	unsigned shift;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	if (takes_suffix && *p != '\0')
		suffix = strchr(suffixes, toupper((unsigned char)*p));
	if (suffix != NULL) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		if (n > UINT64_MAX >> shift)
			return false;
		n <<= shift;
		p++;
	}
	*np = n;
	return *p == '\0';
}
