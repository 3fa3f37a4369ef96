/* crc32c.c - the checksum of VHDX: CRC-32C, Castagnoli's polynomial. */
#include "hcsshim.h"

uint32_t hcsshim_crc32c(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *next = data;

    crc = ~crc;
    while (length-- > 0) {
        crc ^= *next++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82F63B78U & (0U - (crc & 1)));
    }
    return ~crc;
}
