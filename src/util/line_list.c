/* SPDX-License-Identifier: ISC */
/* See line_list.h. */
#include "util/line_list.h"

#include <inttypes.h>
#include <stdarg.h>

void
line_list_add(struct line_list *l, const char *fmt, ...)
{
	va_list ap;

	if (l->count++ >= LINE_LIST_MAX)
		return;
	fprintf(l->out, "%s: ", l->prefix);
	va_start(ap, fmt);
	vfprintf(l->out, fmt, ap);
	va_end(ap);
	fputc('\n', l->out);
}

void
line_list_end(const struct line_list *l)
{
	if (l->count > LINE_LIST_MAX)
		fprintf(l->out, "%s: ... and %" PRIu64 " more\n", l->prefix,
		    l->count - LINE_LIST_MAX);
}
