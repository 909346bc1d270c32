/* SPDX-License-Identifier: ISC */
/* Reads values in segments; see read_pointer.h. */
#include "engine/tree/read_pointer.h"

#include <errno.h>

#include "engine/segment/segment.h"
#include "util/log.h"

int
read_pointer(struct table_cache *files, const char *dir, struct slice user,
    struct slice pointer, struct kv_value *valuep)
{
	struct segment_pointer p;
	struct table_handle *handle;
	struct segment_reader *r;
	int rc = segment_pointer_decode(pointer, &p);

	if (rc < 0) {
		log_error("%s: impossible pointer to a segment; run kvfsctl "
			  "check",
		    dir);
		return rc;
	}
	rc = table_cache_segment(files, p.segment, &handle, &r);
	if (rc < 0)
		return rc == -ENOENT ? -KVFS_ECORRUPT : rc;
	rc = segment_read(r, &p, user, valuep);
	table_handle_release(handle);
	return rc;
}
