/* SPDX-License-Identifier: ISC */
/* See invariant.h. */
#include "util/invariant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
invariant_broken(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "kvfs: bug: %s\n", line);
	abort();
}
