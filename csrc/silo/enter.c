/*
 * A short-lived process that changes the mounts of a running silo.
 *
 * The machine's tree is gone from the silo, and the silo's owner may have no
 * right to mount on the machine. So it first takes part in the user namespace
 * of the silo alone, copies the mounts of the machine into a namespace which
 * that right covers, picks the directory there, and only then goes inside.
 */
#include "silo.h"
#include "calls.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/* Take the directory along as a mount that hangs nowhere yet. */
static int pick(const struct silo_mapping *mapping,
                struct silo_failure *failure)
{
    if (setns(SILO_HOST, CLONE_NEWUSER) != 0)
        return silo_fail(failure, "enter the silo", NULL);
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return silo_fail(failure, "separate the mounts", "/");
    int tree = call_open_tree(AT_FDCWD, mapping->source,
                              TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
    if (tree < 0)
        return silo_fail(failure, "open a mapped directory", mapping->source);
    return tree;
}

static int map(const struct silo_mapping *mapping, struct silo_failure *failure)
{
    struct mount_attributes attributes = {
        .set = ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV |
               (mapping->read_only ? ATTRIBUTE_RDONLY : 0)};
    int tree = pick(mapping, failure);

    if (tree < 0)
        return -1;
    if (call_mount_setattr(tree, "", AT_EMPTY_PATH | TREE_RECURSIVE,
                           &attributes) != 0)
        return silo_fail(failure, "map a directory", mapping->source);
    if (setns(SILO_HOST, CLONE_NEWNS) != 0)
        return silo_fail(failure, "enter the silo", NULL);
    if (silo_target_make(tree, mapping->target) != 0)
        return silo_fail(failure, "make the target of a mapped directory",
                         mapping->target);
    if (call_move_mount(tree, mapping->target) != 0)
        return silo_fail(failure, "map a directory", mapping->target);
    return 0;
}

static int unmap(const char *target, struct silo_failure *failure)
{
    if (setns(SILO_HOST, CLONE_NEWUSER) != 0 ||
        setns(SILO_HOST, CLONE_NEWNS) != 0)
        return silo_fail(failure, "enter the silo", NULL);
    if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
        return silo_fail(failure, "unmap a directory", target);
    return 0;
}

void silo_enter(void)
{
    struct silo_packet *packet = malloc(sizeof(*packet));
    struct silo_reply reply = {.kind = SILO_READY};
    struct silo_failure failure;
    struct silo_mapping mapping;
    int result;

    if (packet == NULL || silo_packet_receive(SILO_SOCKET, packet) != 1)
        _exit(1);
    if (silo_mapping_read(packet->payload, packet->request.size, &mapping) != 0)
        result = silo_fail(&failure, "understand the request", NULL);
    else if (packet->request.kind == SILO_MAP)
        result = map(&mapping, &failure);
    else
        result = unmap(mapping.target, &failure);
    if (result != 0)
        reply.kind = SILO_FAILED;
    (void)silo_reply_send(SILO_SOCKET, &reply, result != 0 ? &failure : NULL,
                          -1);
    _exit(result != 0);
}
