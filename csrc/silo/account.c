/*
 * Users and groups, looked up in the silo's own files.
 *
 * Not by getpwnam(): the silo is not trusted to name the libraries that NSS
 * would load, and a static program cannot load them.
 */
#include "silo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUPS_MAX = 1024 };

/* The next line of 'text', without its end; false when there is none. */
static bool next_line(struct silo_text *text, struct silo_text *line)
{
    if (text->size == 0)
        return false;
    const char *end = memchr(text->data, '\n', text->size);
    size_t size = end != NULL ? (size_t)(end - text->data) : text->size;
    size_t step = end != NULL ? size + 1 : size;
    *line = (struct silo_text){text->data, size};
    text->data += step;
    text->size -= step;
    return true;
}

/* Cut the part before 'mark' off 'rest'; the last part ends with it. */
static struct silo_text cut(struct silo_text *rest, char mark)
{
    struct silo_text part = *rest;
    const char *end =
        rest->size != 0 ? memchr(rest->data, mark, rest->size) : NULL;

    if (end == NULL) {
        *rest = (struct silo_text){rest->data + rest->size, 0};
        return part;
    }
    part.size = (size_t)(end - rest->data);
    rest->data = end + 1;
    rest->size -= part.size + 1;
    return part;
}

static bool same(struct silo_text a, struct silo_text b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Read a decimal id; -1 as an unsigned number is no id. */
static bool to_id(struct silo_text text, uint32_t *id)
{
    uint64_t value = 0;

    if (text.size == 0 || text.size > 10)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (value >= UINT32_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}

/* Find a passwd line by name, or by id where 'by_id' is true. */
static bool find_user(struct silo_text passwd, struct silo_text name,
                      bool by_id, uint32_t id, struct silo_text *found,
                      struct silo_account *account)
{
    struct silo_text line;

    while (next_line(&passwd, &line)) {
        struct silo_text user = cut(&line, ':');
        uint32_t uid;
        uint32_t gid;
        (void)cut(&line, ':');
        if (!to_id(cut(&line, ':'), &uid) || !to_id(cut(&line, ':'), &gid))
            continue;
        if (user.size == 0 || !(by_id ? uid == id : same(user, name)))
            continue;
        account->uid = uid;
        account->gid = gid;
        *found = user;
        return true;
    }
    return false;
}

static bool find_group(struct silo_text group, struct silo_text name,
                       uint32_t *gid)
{
    struct silo_text line;

    while (next_line(&group, &line)) {
        struct silo_text here = cut(&line, ':');
        (void)cut(&line, ':');
        if (here.size != 0 && same(here, name) && to_id(cut(&line, ':'), gid))
            return true;
    }
    return false;
}

static bool lists(struct silo_text members, struct silo_text user)
{
    while (members.size != 0)
        if (same(cut(&members, ','), user))
            return true;
    return false;
}

static int collect_groups(struct silo_text group, struct silo_text user,
                          struct silo_account *account)
{
    struct silo_text line;

    account->groups = calloc(GROUPS_MAX, sizeof(*account->groups));
    if (account->groups == NULL)
        return -1;
    account->groups[account->group_count++] = account->gid;
    while (user.size != 0 && account->group_count < GROUPS_MAX &&
           next_line(&group, &line)) {
        uint32_t gid;
        (void)cut(&line, ':');
        (void)cut(&line, ':');
        if (to_id(cut(&line, ':'), &gid) && gid != account->gid &&
            lists(line, user))
            account->groups[account->group_count++] = gid;
    }
    return 0;
}

int silo_account_find(const char *user, struct silo_text passwd,
                      struct silo_text group, struct silo_account *account)
{
    struct silo_text rest = {user, strlen(user)};
    bool has_group = strchr(user, ':') != NULL;
    struct silo_text name = cut(&rest, ':');
    struct silo_text found = {"", 0};
    uint32_t id = 0;

    memset(account, 0, sizeof(*account));
    bool by_id = name.size == 0 || to_id(name, &id);
    if (!find_user(passwd, name, by_id, id, &found, account)) {
        if (!by_id) {
            errno = ENOENT;
            return -1;
        }
        account->uid = id;
    }
    if (has_group) {
        uint32_t gid = 0;
        if (!to_id(rest, &gid) && !find_group(group, rest, &gid)) {
            errno = ENOENT;
            return -1;
        }
        account->gid = gid;
    }
    return collect_groups(group, found, account);
}

/* Read a whole regular file; a missing one is an empty text. */
static int load(const char *path, struct silo_text *text)
{
    struct stat status;
    size_t done = 0;
    int result = -1;
    char *data = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *text = (struct silo_text){NULL, 0};
    if (file < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (fstat(file, &status) != 0)
        goto out;
    if (!S_ISREG(status.st_mode) || status.st_size > SILO_TEXT_MAX) {
        errno = EINVAL;
        goto out;
    }
    data = malloc((size_t)status.st_size + 1);
    while (data != NULL && done < (size_t)status.st_size) {
        ssize_t n = read(file, data + done, (size_t)status.st_size - done);
        if (n < 0)
            goto out;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    if (data == NULL)
        goto out;
    *text = (struct silo_text){data, done};
    data = NULL; /* the caller's now */
    result = 0;
out:
    free(data);
    close(file);
    return result;
}

int silo_account_load(const char *user, struct silo_account *account)
{
    struct silo_text passwd = {NULL, 0};
    struct silo_text group = {NULL, 0};
    int result = -1;

    memset(account, 0, sizeof(*account));
    /* Root needs no look-up and must work with broken files. */
    if (user[0] == '\0')
        return 0;
    if (load("/etc/passwd", &passwd) == 0 && load("/etc/group", &group) == 0)
        result = silo_account_find(user, passwd, group, account);
    int error = errno;
    free((void *)(uintptr_t)passwd.data);
    free((void *)(uintptr_t)group.data);
    errno = error;
    return result;
}
