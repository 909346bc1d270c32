/* SPDX-License-Identifier: ISC */
/* See control_text.h. */
#include "fuse/control/control_text.h"

#include <errno.h>
#include <stdlib.h>

#include "fuse/control/control.h"

static int
open_backup(struct control *c, const struct control_spec *spec,
    struct control_text *t)
{
	int rc;

	t->ends = atomic_load_explicit(&c->backup_ends, memory_order_seq_cst);
	rc = spec->backup(c, &t->backup);
	if (rc == 0)
		atomic_fetch_add_explicit(&c->backups, 1, memory_order_relaxed);
	return rc;
}

static int
show_text(struct control *c, const struct control_spec *spec,
    struct control_text *t)
{
	FILE *out = open_memstream(&t->data, &t->len);
	int rc;

	if (out == NULL)
		return -ENOMEM;
	rc = spec->show(c, out);
	if (fclose(out) != 0 && rc == 0)
		rc = -ENOMEM;
	return rc;
}

int
control_text_make(struct control *c, const struct control_spec *spec,
    struct control_text *t)
{
	int rc;

	*t = (struct control_text){ 0 };
	rc = spec->backup != NULL ? open_backup(c, spec, t) :
				    show_text(c, spec, t);
	if (rc < 0)
		control_text_fini(c, t);
	return rc;
}

void
control_text_fini(struct control *c, struct control_text *t)
{
	if (t->backup != NULL)
		atomic_fetch_sub_explicit(&c->backups, 1, memory_order_relaxed);
	kv_backup_close(t->backup);
	free(t->data);
	*t = (struct control_text){ 0 };
}

uint64_t
control_text_size(const struct control_text *t)
{
	return t->backup != NULL ? t->backup->size : t->len;
}

static int
read_backup(struct control *c, const struct control_text *t, size_t size,
    uint64_t off, struct slice *bytesp, char **copyp)
{
	ssize_t n;

	if (t->ends !=
	    atomic_load_explicit(&c->backup_ends, memory_order_seq_cst))
		return -ECANCELED;
	*copyp = malloc(size + 1);
	if (*copyp == NULL)
		return -ENOMEM;
	n = kv_backup_read(t->backup, *copyp, size, off);
	if (n < 0)
		return (int)n;
	*bytesp = slice_make(*copyp, (size_t)n);
	return 0;
}

int
control_text_read(struct control *c, const struct control_text *t, size_t size,
    uint64_t off, struct slice *bytesp, char **copyp)
{
	*bytesp = (struct slice){ 0 };
	*copyp = NULL;
	if (t->backup != NULL)
		return read_backup(c, t, size, off, bytesp, copyp);
	if (off < t->len)
		*bytesp = slice_make(t->data + off,
		    size < t->len - off ? size : (size_t)(t->len - off));
	return 0;
}
