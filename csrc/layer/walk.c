/* walk.c - walking a tree of folders. */
#include "layer/walk.h"

#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"
#include "layer/node.h"

/* Folders of this depth and less stay open while their insides are walked. */
#define KEPT_OPEN 64

/* One folder on the way down. */
struct level {
    int64_t folder; /* -1: open it again */
    size_t path_length;
    char *names;   /* each: kind, name, terminator */
    char **sorted; /* into names */
    size_t count;
    size_t next;
    size_t used; /* of the names */
    size_t room;
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

static int32_t add_name(void *context, const char *name, int is_folder)
{
    struct level *level = context;
    size_t length = strlen(name) + 2;

    if (level->room - level->used < length) {
        size_t room = level->room * 2 + length + 1024;
        char *names = realloc(level->names, room);

        if (names == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        level->names = names;
        level->room = room;
    }
    level->names[level->used] = (char)is_folder;
    memcpy(level->names + level->used + 1, name, length - 1);
    level->used += length;
    level->count++;
    return 0;
}

static int32_t sort_names(struct level *level)
{
    size_t count = 0;

    level->sorted = malloc((level->count + 1) * sizeof *level->sorted);
    if (level->sorted == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    for (size_t at = 0; at < level->used;
         at += strlen(level->names + at + 1) + 2)
        level->sorted[count++] = level->names + at;
    qsort(level->sorted, count, sizeof *level->sorted, compare);
    return 0;
}

static void drop_level(hcsshim__walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];

    hcsshim__node_close(level->folder);
    free(level->names);
    free(level->sorted);
}

/* Open the folder of a level, which is at the walk's path up to its length. */
static int32_t open_level(hcsshim__walk *walk, struct level *level)
{
    hcsshim__tar_text path = {level->path_length > 0 ? walk->path.data : "",
                              level->path_length};

    return hcsshim__tree_open_folder(walk->tree, path, &level->folder);
}

static int32_t go_down(hcsshim__walk *walk)
{
    struct level *level;
    int32_t hr;

    if (walk->depth == walk->room) {
        size_t room = walk->room * 2 + 16;
        struct level *levels = realloc(walk->levels, room * sizeof *levels);

        if (levels == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        walk->levels = levels;
        walk->room = room;
    }
    if (walk->depth >= KEPT_OPEN) {
        hcsshim__node_close(walk->levels[walk->depth - 1].folder);
        walk->levels[walk->depth - 1].folder = -1;
    }
    level = &walk->levels[walk->depth];
    memset(level, 0, sizeof *level);
    level->path_length = walk->path.length;
    hr = open_level(walk, level);
    if (hr < 0)
        return hr;
    walk->depth++;
    hr = hcsshim__node_list(level->folder, add_name, level);
    return hr < 0 ? hr : sort_names(level);
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
    hr = level->folder < 0 ? open_level(walk, level) : 0;
    if (hr < 0)
        return hr;
    name = level->sorted[level->next++];
    hr = hcsshim__path_add(&walk->path, name + 1, strlen(name + 1));
    if (hr < 0)
        return hr;
    walk->descend = name[0];
    *item = (hcsshim__walk_item){hcsshim__path_text(&walk->path), name + 1,
                                 level->folder, name[0]};
    return 1;
}
