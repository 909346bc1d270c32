/* SPDX-License-Identifier: ISC */
/* Passes the faults that the walk of verify.c finds to its caller. */
#include "fs/verify.h"

#include <stdarg.h>
#include <stdlib.h>

void
verify_problem(struct verify *v, const struct verify_fault *f, const char *fmt,
    ...)
{
	char *text = NULL;
	va_list ap;
	int rc;

	v->problems++;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	rc = v->fault(v, f, text);
	if (v->error == 0 && rc < 0)
		v->error = rc;
	free(text);
}

int
verify_bad_row(struct verify *v, const struct kv_key *key, int rc)
{
	struct verify_fault f = { .kind = FAULT_ROW, .key = *key };

	switch (rc) {
	case -KVFS_ECORRUPT:
		verify_problem(v, &f, "damaged");
		return 0;
	case -KVFS_ECHECKSUM:
		verify_problem(v, &f, "does not match its checksum");
		return 0;
	case -EPROTO:
		f.kind = FAULT_FOREIGN;
		verify_problem(v, &f, "of a newer version");
		return 0;
	default:
		return rc;
	}
}
