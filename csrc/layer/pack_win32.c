/*
 * pack_win32.c - packing layers on Windows.
 *
 * The service exports layers there; the plain folders that this would pack are
 * not made yet, and it says so.
 */
#include <string.h>

#include "hcsshim.h"

int32_t hcsshim_pack_new(const char *root, uint32_t flags,
                         const char *const *parents, uint32_t parent_count,
                         int64_t file, hcsshim_pack **out)
{
    (void)root, (void)flags, (void)parents, (void)parent_count, (void)file;
    *out = NULL;
    return HCSSHIM_E_NOTIMPL;
}

void hcsshim_pack_free(hcsshim_pack *pack) { (void)pack; }

int32_t hcsshim_pack_run(hcsshim_pack *pack, uint64_t limit, uint64_t *made)
{
    (void)pack, (void)limit;
    *made = 0;
    return HCSSHIM_E_NOTIMPL;
}

const uint8_t *hcsshim_pack_data(const hcsshim_pack *pack, size_t *length)
{
    (void)pack;
    *length = 0;
    return NULL;
}

int32_t hcsshim_pack_finish(hcsshim_pack *pack, hcsshim_pack_result *result)
{
    (void)pack;
    memset(result, 0, sizeof *result);
    return HCSSHIM_E_NOTIMPL;
}

const char *hcsshim_pack_problem(const hcsshim_pack *pack)
{
    (void)pack;
    return "";
}
