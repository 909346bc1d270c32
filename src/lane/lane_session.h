/* SPDX-License-Identifier: ISC */
/* What the sources of lane_serve.h share: one session. One thread. */
#ifndef KVFS_LANE_LANE_SESSION_H
#define KVFS_LANE_LANE_SESSION_H

#include "lane/lane_serve.h"

/* The name in the root that the daemon keeps for itself. */
#define LANE_RESERVED ".kvfs"

struct lane_session {
	const struct lane_server *server;
	struct lane_stream stream;
	uint64_t base; /* a lookup is held */
	bool sends_ranges; /* of files with holes; else zeros */
	struct lane_entry entry; /* the one that is received or sent */
	struct buf names, values; /* what it refers to, when it is sent */
};

/* Does path, below base, begin with the reserved name? */
bool lane_is_reserved(const struct lane_session *s, struct slice path);
/* The inode at path below base, with a lookup; -ELOOP: a component is a
 * symbolic link. */
int lane_find(struct lane_session *s, uint64_t base, struct slice path,
    struct fs_attr *attrp);
/* Give back a lookup, except of the root. */
void lane_forget(struct lane_session *s, uint64_t ino);

/* Each returns when the stream has ended. */
void lane_serve_load(struct lane_session *s, const struct lane_hello *h);
void lane_serve_dump(struct lane_session *s);
void lane_serve_read(struct lane_session *s);

/* Send a file: its entry, with this path, and its contents. A failure of the
 * file itself is told by LANE_FAILED; the result is that of the stream. */
int lane_send_file(struct lane_session *s, struct slice path, uint64_t tag,
    const struct fs_attr *attr);
int lane_send_result(struct lane_session *s, enum lane_type type,
    struct slice path, uint64_t tag, int rc);

#endif
