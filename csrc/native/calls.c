/* calls.c - calls.def as data. */
#include "hcsshim.h"

#define HCSSHIM_REACH_REMOTE 1
#define HCSSHIM_REACH_LOCAL 0

static const hcsshim_call_row rows[] = {
#define HCSSHIM_A(kind, name) HCSSHIM_KIND_##kind,
#define HCSSHIM_CALL(number, library, name, reach, arguments)                  \
    {number, HCSSHIM_REACH_##reach, #library, #name, {arguments}},
#include "native/calls.def"
#undef HCSSHIM_CALL
#undef HCSSHIM_A
};

const hcsshim_call_row *hcsshim_calls(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}
