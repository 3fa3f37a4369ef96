/* tree.c - trees of several layers. */
#include "layer/tree.h"

#include <stdlib.h>

#include "hcsshim.h"

int32_t hcsshim__tree_open_all(const char *const *paths, uint32_t count,
                               hcsshim__tree ***trees, uint32_t *opened)
{
    *opened = 0;
    *trees = NULL;
    if (count == 0)
        return 0;
    *trees = calloc(count, sizeof **trees);
    if (*trees == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    while (*opened < count) {
        int32_t hr = hcsshim__tree_open(paths[*opened], &(*trees)[*opened]);

        if (hr < 0)
            return hr;
        ++*opened;
    }
    return 0;
}

void hcsshim__tree_free_all(hcsshim__tree **trees, uint32_t opened)
{
    for (uint32_t i = 0; i < opened; i++)
        hcsshim__tree_free(trees[i]);
    free(trees);
}
