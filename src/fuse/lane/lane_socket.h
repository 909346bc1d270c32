/* SPDX-License-Identifier: ISC */
/*
 * The socket of the daemon for bulk work (lane/lane.h), for the owner of the
 * mount and root. Each client has a thread, and nothing that serves requests
 * ever waits for one.
 *
 * After a commit the kernel is told what it must forget. For that it waits for
 * requests on the directory, so clients' threads hold no lock then, and are
 * stopped while requests are still served.
 */
#ifndef KVFS_FUSE_LANE_LANE_SOCKET_H
#define KVFS_FUSE_LANE_LANE_SOCKET_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/mutex.h"

struct connection;
struct lane_client;

struct lane_socket {
	/* Constant after lane_socket_start(). */
	int listen_fd; /* -1: none */
	int wake_fd; /* eventfd: stop */
	struct connection *conn; /* borrowed */
	size_t batch_bytes;
	unsigned clients_max;
	char path[PATH_MAX]; /* "": none */
	bool is_running;
	pthread_t thread; /* accepts clients */

	struct mutex mu;
	struct cond idle; /* count has decreased */
	LIST_HEAD(, lane_client) clients GUARDED_BY(mu);
	unsigned count GUARDED_BY(mu);
	bool is_ending GUARDED_BY(mu);
};

void lane_socket_init(struct lane_socket *l);
/* Make the socket, before there is a mount; without one only a line is
 * logged. memory_bytes: the budget of the daemon. */
void lane_socket_open(struct lane_socket *l, const char *mountpoint,
    size_t memory_bytes);
/* Serve clients. conn is borrowed until lane_socket_stop(). */
void lane_socket_start(struct lane_socket *l, struct connection *conn);
/* End all clients, and remove the socket. Call it while requests are still
 * served. */
void lane_socket_stop(struct lane_socket *l);
/* The most memory that its clients may have now. */
uint64_t lane_socket_bytes(struct lane_socket *l);
void lane_socket_fini(struct lane_socket *l);

#endif
