/* SPDX-License-Identifier: ISC */
/* See lane_socket.h. */
#include "fuse/lane/lane_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuse/fuse_api.h"
#include "fuse/lane/lane_place.h"
#include "fuse/reply/connection.h"
#include "lane/lane_serve.h"
#include "util/log.h"
#include "util/thread.h"

/* Clients at a time; the next ones are told to come again. All together have
 * this part of the daemon's memory, but one is always served. */
#define CLIENTS_MAX 8u
#define CLIENTS_PART 8u
/* The messages of a client, beside its batch. */
#define MESSAGE_BYTES (2u << 20)
/* A client that takes nothing for so long is dropped. */
#define SEND_SECONDS 60
/* A batch has this part of the daemon's memory at most. */
#define BATCH_PART 64u
#define BATCH_MIN (256u << 10)

struct lane_client {
	LIST_ENTRY(lane_client) link;
	struct lane_socket *socket;
	struct lane_server server;
};

/* ---- What the kernel has to forget ---- */

static void
forget_name(void *arg, uint64_t dir, struct slice name)
{
	struct connection *c = arg;
	char text[FS_NAME_MAX + 1];

	memcpy(text, name.data, name.len);
	text[name.len] = '\0';
	(void)fuse_lowlevel_notify_inval_entry(c->se, dir, text, name.len);
}

static void
forget_inode(void *arg, uint64_t ino, bool is_dir)
{
	struct connection *c = arg;

	if (is_dir)
		kernel_cache_forget_pages(c, ino);
	else
		kernel_cache_forget_attr(c, ino);
}

/* ---- Clients ---- */

static void
client_end(struct lane_client *client)
{
	struct lane_socket *l = client->socket;

	mutex_lock(&l->mu);
	LIST_REMOVE(client, link);
	l->count--;
	cond_broadcast(&l->idle);
	mutex_unlock(&l->mu);
	close(client->server.fd);
	free(client);
}

static void *
client_run(void *arg)
{
	struct lane_client *client = arg;

	lane_serve(&client->server);
	client_end(client);
	return NULL;
}

/* Is the other side root, or the owner of the mount? */
static int
client_check(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) < 0)
		return -errno;
	return peer->uid == 0 || peer->uid == geteuid() ? 0 : -EPERM;
}

static int
client_add(struct lane_socket *l, struct lane_client *client)
{
	int rc = 0;

	mutex_lock(&l->mu);
	if (l->is_ending)
		rc = -ESHUTDOWN;
	else if (l->count >= l->clients_max)
		rc = -EBUSY;
	if (rc == 0) {
		LIST_INSERT_HEAD(&l->clients, client, link);
		l->count++;
	}
	mutex_unlock(&l->mu);
	return rc;
}

static void
client_begin(struct lane_socket *l, int fd)
{
	const struct timeval limit = { .tv_sec = SEND_SECONDS };
	struct lane_client *client = calloc(1, sizeof(*client));
	struct ucred peer;
	pthread_t thread;
	int rc = client != NULL ? client_check(fd, &peer) : -ENOMEM;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (rc == 0) {
		client->socket = l;
		client->server = (struct lane_server){
			.fs = l->conn->fs,
			.fd = fd,
			.uid = peer.uid,
			.gid = peer.gid,
			.batch_bytes = l->batch_bytes,
			.name_changed = forget_name,
			.inode_changed = forget_inode,
			.arg = l->conn,
		};
		rc = client_add(l, client);
	}
	if (rc == 0) {
		rc = thread_start(&thread, true, client_run, client);
		if (rc == 0)
			return;
		lane_refuse(fd, rc);
		client_end(client);
		return;
	}
	lane_refuse(fd, rc);
	close(fd);
	free(client);
}

static void *
accept_clients(void *arg)
{
	struct lane_socket *l = arg;
	struct pollfd p[2] = {
		{ .fd = l->listen_fd, .events = POLLIN },
		{ .fd = l->wake_fd, .events = POLLIN },
	};
	int fd;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0)
			break;
		if (p[0].revents == 0)
			continue;
		fd = accept4(l->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			client_begin(l, fd);
		else if (errno == EMFILE || errno == ENFILE)
			(void)poll(p + 1, 1, 1000); /* until some are closed */
	}
	return NULL;
}

/* ---- The socket ---- */

void
lane_socket_init(struct lane_socket *l)
{
	*l = (struct lane_socket){ .listen_fd = -1, .wake_fd = -1 };
	mutex_init(&l->mu);
	cond_init(&l->idle);
}

void
lane_socket_open(struct lane_socket *l, const char *mountpoint,
    size_t memory_bytes)
{
	l->batch_bytes = memory_bytes / BATCH_PART;
	if (l->batch_bytes > LANE_BATCH_BYTES)
		l->batch_bytes = LANE_BATCH_BYTES;
	if (l->batch_bytes < BATCH_MIN)
		l->batch_bytes = BATCH_MIN;
	l->clients_max = (unsigned)(memory_bytes / CLIENTS_PART /
	    (l->batch_bytes + MESSAGE_BYTES));
	if (l->clients_max > CLIENTS_MAX)
		l->clients_max = CLIENTS_MAX;
	if (l->clients_max == 0)
		l->clients_max = 1;
	l->wake_fd = eventfd(0, EFD_CLOEXEC);
	l->listen_fd = l->wake_fd >= 0 ?
	    lane_place_listen(mountpoint, l->path) :
	    -errno;
	if (l->listen_fd < 0)
		log_warn("no socket for bulk work: kvfsctl load, dump and "
			 "batch do not work on this mount: %s",
		    strerror(-l->listen_fd));
}

void
lane_socket_start(struct lane_socket *l, struct connection *conn)
{
	int rc;

	if (l->listen_fd < 0)
		return;
	l->conn = conn;
	rc = thread_start(&l->thread, false, accept_clients, l);
	l->is_running = rc == 0;
	if (rc < 0)
		log_warn("cannot start a thread: %s", strerror(-rc));
}

void
lane_socket_stop(struct lane_socket *l)
{
	const uint64_t one = 1;
	struct lane_client *client;

	if (l->listen_fd >= 0)
		(void)unlink(l->path);
	if (l->is_running) {
		(void)!write(l->wake_fd, &one, sizeof(one));
		pthread_join(l->thread, NULL);
	}
	l->is_running = false;
	mutex_lock(&l->mu);
	l->is_ending = true;
	LIST_FOREACH (client, &l->clients, link)
		(void)shutdown(client->server.fd, SHUT_RDWR);
	while (l->count != 0)
		cond_wait(&l->idle, &l->mu);
	mutex_unlock(&l->mu);
	if (l->listen_fd >= 0)
		close(l->listen_fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	l->listen_fd = l->wake_fd = -1;
}

uint64_t
lane_socket_bytes(struct lane_socket *l)
{
	uint64_t count;

	mutex_lock(&l->mu);
	count = l->count;
	mutex_unlock(&l->mu);
	return count * (l->batch_bytes + MESSAGE_BYTES);
}

void
lane_socket_fini(struct lane_socket *l)
{
	cond_fini(&l->idle);
	mutex_fini(&l->mu);
}
