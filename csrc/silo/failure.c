/* Failures: what went wrong, where, in words for a person. */
#include "silo.h"

#include <errno.h>
#include <stdio.h>

int silo_fail(struct silo_failure *failure, const char *stage, const char *path)
{
    failure->error = errno != 0 ? errno : EIO;
    failure->stage = stage;
    (void)snprintf(failure->path, sizeof(failure->path), "%s",
                   path != NULL ? path : "");
    return -1;
}
