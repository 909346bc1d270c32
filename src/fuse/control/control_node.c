/* SPDX-License-Identifier: ISC */
/* See control_node.h. */
#include "fuse/control/control_node.h"

#include <errno.h>
#include <stdlib.h>

#include "fuse/control/control.h"

void
control_nodes_init(struct control_nodes *nodes) UNSHARED
{
	mutex_init(&nodes->mu);
	nodes->next = CONTROL_INO_MIN;
	for (size_t i = 0; i < CONTROL_BUCKETS; i++)
		LIST_INIT(&nodes->buckets[i]);
}

static void
free_node(struct control *c, struct control_node *node)
{
	control_text_fini(c, &node->text);
	free(node);
}

void
control_nodes_end(struct control *c) UNSHARED
{
	struct control_nodes *nodes = &c->nodes;
	struct control_node *node;

	mutex_assert_free(&nodes->mu);
	for (size_t i = 0; i < CONTROL_BUCKETS; i++) {
		while ((node = LIST_FIRST(&nodes->buckets[i])) != NULL) {
			LIST_REMOVE(node, link);
			free_node(c, node);
		}
	}
}

void
control_nodes_fini(struct control_nodes *nodes)
{
	mutex_fini(&nodes->mu);
}

struct control_node *
control_node_add(struct control *c, const struct control_spec *spec,
    uint64_t st_ino, const struct control_text *text)
{
	struct control_nodes *nodes = &c->nodes;
	struct control_node *node = malloc(sizeof(*node));

	if (node == NULL)
		return NULL;
	*node = (struct control_node){ .st_ino = st_ino,
		.spec = spec,
		.lookups = 1,
		.users = 1 };
	STAILQ_INIT(&node->waiting);
	if (text != NULL) {
		node->text = *text;
		node->state = NODE_MADE;
	}
	mutex_lock(&nodes->mu);
	node->number = nodes->next++;
	LIST_INSERT_HEAD(&nodes->buckets[node->number % CONTROL_BUCKETS], node,
	    link);
	mutex_unlock(&nodes->mu);
	return node;
}

static struct control_node *find_locked(struct control_nodes *nodes,
    uint64_t number) REQUIRES(&nodes->mu);

static struct control_node *
find_locked(struct control_nodes *nodes, uint64_t number)
{
	struct control_node *node;

	mutex_assert_held(&nodes->mu);
	LIST_FOREACH (node, &nodes->buckets[number % CONTROL_BUCKETS], link) {
		if (node->number == number)
			return node;
	}
	return NULL;
}

struct control_node *
control_node_get(struct control *c, uint64_t number)
{
	struct control_node *node;

	mutex_lock(&c->nodes.mu);
	node = find_locked(&c->nodes, number);
	if (node != NULL)
		node->users++;
	mutex_unlock(&c->nodes.mu);
	return node;
}

void
control_node_hold(struct control *c, struct control_node *node)
{
	mutex_lock(&c->nodes.mu);
	node->users++;
	mutex_unlock(&c->nodes.mu);
}

/* Unlocks mu, and frees the node if nobody knows it any more. */
static void unlock_and_end(struct control *c, struct control_node *node)
    RELEASE(&c->nodes.mu);

static void
unlock_and_end(struct control *c, struct control_node *node)
{
	bool has_ended = node->lookups == 0 && node->users == 0;

	if (has_ended)
		LIST_REMOVE(node, link);
	mutex_unlock(&c->nodes.mu);
	if (has_ended)
		free_node(c, node);
}

void
control_node_put(struct control *c, struct control_node *node)
{
	mutex_lock(&c->nodes.mu);
	node->users--;
	unlock_and_end(c, node);
}

void
control_node_forget(struct control *c, uint64_t number, uint64_t n)
{
	struct control_node *node;

	mutex_lock(&c->nodes.mu);
	node = find_locked(&c->nodes, number);
	if (node == NULL) {
		mutex_unlock(&c->nodes.mu);
		return;
	}
	node->lookups -= n < node->lookups ? n : node->lookups;
	unlock_and_end(c, node);
}

int
control_node_turn(struct control *c, struct control_node *node,
    const struct control_ask *ask)
{
	int turn = TURN_ANSWER;
	struct control_ask *kept;

	mutex_lock(&c->nodes.mu);
	if (node->state == NODE_MAKING ||
	    (node->state == NODE_BLANK && ask->is_use)) {
		turn = node->state == NODE_MAKING ? TURN_WAIT : TURN_MAKE;
		kept = malloc(sizeof(*kept));
		if (kept != NULL) {
			*kept = *ask;
			STAILQ_INSERT_TAIL(&node->waiting, kept, link);
			node->state = NODE_MAKING;
		} else {
			turn = -ENOMEM;
		}
	}
	mutex_unlock(&c->nodes.mu);
	return turn;
}

void
control_node_made(struct control *c, struct control_node *node, int rc,
    struct control_asks *asks)
{
	STAILQ_INIT(asks);
	mutex_lock(&c->nodes.mu);
	node->state = rc < 0 ? NODE_BLANK : NODE_MADE;
	STAILQ_CONCAT(asks, &node->waiting);
	mutex_unlock(&c->nodes.mu);
}

bool
control_node_is_made(struct control *c, const struct control_node *node)
{
	bool is_made;

	mutex_lock(&c->nodes.mu);
	is_made = node->state == NODE_MADE;
	mutex_unlock(&c->nodes.mu);
	return is_made;
}
