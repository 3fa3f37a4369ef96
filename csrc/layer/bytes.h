/* bytes.h - little-endian numbers in bytes, wherever they lie. */
#ifndef HCSSHIM_LAYER_BYTES_H
#define HCSSHIM_LAYER_BYTES_H

#include <stdint.h>

static inline uint16_t hcsshim__load16(const uint8_t *data)
{
    return (uint16_t)(data[0] | data[1] << 8);
}

static inline uint32_t hcsshim__load32(const uint8_t *data)
{
    return hcsshim__load16(data) | (uint32_t)hcsshim__load16(data + 2) << 16;
}

static inline uint64_t hcsshim__load64(const uint8_t *data)
{
    return hcsshim__load32(data) | (uint64_t)hcsshim__load32(data + 4) << 32;
}

static inline void hcsshim__store16(uint8_t *out, uint16_t number)
{
    out[0] = (uint8_t)number;
    out[1] = (uint8_t)(number >> 8);
}

static inline void hcsshim__store32(uint8_t *out, uint32_t number)
{
    hcsshim__store16(out, (uint16_t)number);
    hcsshim__store16(out + 2, (uint16_t)(number >> 16));
}

static inline void hcsshim__store64(uint8_t *out, uint64_t number)
{
    hcsshim__store32(out, (uint32_t)number);
    hcsshim__store32(out + 4, (uint32_t)(number >> 32));
}

#endif
