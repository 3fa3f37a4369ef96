/* walk_unix.c - walking a tree of folders. */
#include "layer/walk_unix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/tree_unix.h"
#include "native/hresult.h"

/* Folders of this depth and less stay open while their insides are walked. */
#define KEPT_OPEN 64

/* One folder on the way down. */
struct level {
    int folder; /* -1: open it again */
    size_t path_length;
    char *names;   /* each: kind, name, terminator */
    char **sorted; /* into names */
    size_t count;
    size_t next;
};

struct hcsshim__walk {
    hcsshim__tree *tree;
    hcsshim__path path;
    struct level *levels;
    size_t depth;
    size_t room;
    int descend; /* the item given last is a folder to go into */
};

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one + 1, *(char *const *)other + 1);
}

static int kind_of(int folder, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static int add_name(struct level *level, size_t *used, size_t *room,
                    const char *name, int is_folder)
{
    size_t length = strlen(name) + 2;

    if (*room - *used < length) {
        size_t more = *room * 2 + length + 1024;
        char *names = realloc(level->names, more);

        if (names == NULL)
            return -1;
        level->names = names;
        *room = more;
    }
    level->names[*used] = (char)is_folder;
    memcpy(level->names + *used + 1, name, length - 1);
    *used += length;
    level->count++;
    return 0;
}

static int read_names(struct level *level, size_t *used)
{
    size_t room = 0;
    int copy = openat(level->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    int result = 0;

    if (list == NULL) {
        if (copy >= 0)
            close(copy);
        return -1;
    }
    errno = 0;
    while (result == 0 && (entry = readdir(list)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = add_name(level, used, &room, entry->d_name,
                              kind_of(copy, entry));
    if (result != 0)
        errno = ENOMEM;
    else if (errno != 0)
        result = -1;
    int error = errno;
    closedir(list);
    errno = error;
    return result;
}

static int sort_names(struct level *level, size_t used)
{
    size_t count = 0;

    level->sorted = malloc((level->count + 1) * sizeof *level->sorted);
    if (level->sorted == NULL)
        return -1;
    for (size_t at = 0; at < used; at += strlen(level->names + at + 1) + 2)
        level->sorted[count++] = level->names + at;
    qsort(level->sorted, count, sizeof *level->sorted, compare);
    return 0;
}

static void drop_level(hcsshim__walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];

    if (level->folder >= 0)
        close(level->folder);
    free(level->names);
    free(level->sorted);
}

/* Open the folder of a level, which is at the walk's path up to its length. */
static int open_level(hcsshim__walk *walk, struct level *level)
{
    hcsshim__tar_text path = {level->path_length > 0 ? walk->path.data : "",
                              level->path_length};
    int folder = hcsshim__tree_folder_at(walk->tree, path, 0);

    /* The tree's own descriptor stays the tree's. */
    if (folder >= 0 && path.length == 0)
        folder = dup(folder);
    level->folder = folder;
    return folder < 0 ? -1 : 0;
}

static int32_t go_down(hcsshim__walk *walk)
{
    struct level *level;
    size_t used = 0;

    if (walk->depth == walk->room) {
        size_t room = walk->room * 2 + 16;
        struct level *levels = realloc(walk->levels, room * sizeof *levels);

        if (levels == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        walk->levels = levels;
        walk->room = room;
    }
    if (walk->depth >= KEPT_OPEN && walk->levels[walk->depth - 1].folder >= 0) {
        close(walk->levels[walk->depth - 1].folder);
        walk->levels[walk->depth - 1].folder = -1;
    }
    level = &walk->levels[walk->depth];
    memset(level, 0, sizeof *level);
    level->path_length = walk->path.length;
    if (open_level(walk, level) != 0)
        return hcsshim__hresult_from_errno(errno);
    walk->depth++;
    if (read_names(level, &used) != 0 || sort_names(level, used) != 0)
        return hcsshim__hresult_from_errno(errno);
    return 0;
}

int32_t hcsshim__walk_new(hcsshim__tree *tree, hcsshim__tar_text start,
                          hcsshim__walk **out)
{
    hcsshim__walk *walk = calloc(1, sizeof *walk);
    int32_t hr;

    *out = NULL;
    if (walk == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    walk->tree = tree;
    hr = start.length > 0
             ? hcsshim__path_add(&walk->path, start.data, start.length)
             : 0;
    if (hr >= 0)
        hr = go_down(walk);
    if (hr < 0)
        hcsshim__walk_free(walk);
    else
        *out = walk;
    return hr;
}

void hcsshim__walk_free(hcsshim__walk *walk)
{
    if (walk == NULL)
        return;
    while (walk->depth > 0)
        drop_level(walk);
    free(walk->levels);
    free(walk->path.data);
    free(walk);
}

void hcsshim__walk_skip(hcsshim__walk *walk) { walk->descend = 0; }

int32_t hcsshim__walk_next(hcsshim__walk *walk, hcsshim__walk_item *item)
{
    struct level *level;
    char *name;
    int32_t hr = walk->descend ? go_down(walk) : 0;

    walk->descend = 0;
    if (hr < 0)
        return hr;
    while (walk->depth > 0 && walk->levels[walk->depth - 1].next ==
                                  walk->levels[walk->depth - 1].count)
        drop_level(walk);
    if (walk->depth == 0)
        return 0;
    level = &walk->levels[walk->depth - 1];
    walk->path.length = level->path_length;
    if (level->folder < 0 && open_level(walk, level) != 0)
        return hcsshim__hresult_from_errno(errno);
    name = level->sorted[level->next++];
    hr = hcsshim__path_add(&walk->path, name + 1, strlen(name + 1));
    if (hr < 0)
        return hr;
    walk->descend = name[0];
    *item = (hcsshim__walk_item){hcsshim__path_text(&walk->path), name + 1,
                                 level->folder, name[0]};
    return 1;
}
